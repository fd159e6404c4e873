"""The catalogue of streams."""

import pytest

START_US = 1_767_225_600_000_000
PAGE = """query ($prefix: String! = "", $first: Int! = 100, $after: String) {
    streams(prefix: $prefix, first: $first, after: $after) {
        nodes { name } pageInfo { hasNextPage endCursor } } }"""


@pytest.fixture
async def fleet(platform):
    for satellite in range(5):
        await platform.keep(f"orbit/sat-{satellite}/altitude_km", [START_US], [400.0])
    await platform.keep("power/sat-0/battery", [START_US, START_US + 1500], [1, 2], unit="V")


@pytest.mark.usefixtures("fleet")
class TestPages:
    async def test_streams_come_by_name_page_by_page(self, ask):
        found, after = [], None
        for _ in range(3):
            page = (await ask(PAGE, first=2, after=after))["data"]["streams"]
            found += [stream["name"] for stream in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            assert page["pageInfo"]["hasNextPage"] == (len(found) < 6)
        names = [f"orbit/sat-{satellite}/altitude_km" for satellite in range(5)]
        assert found == [*names, "power/sat-0/battery"]

    async def test_a_prefix_narrows_them(self, ask):
        page = (await ask(PAGE, prefix="power/"))["data"]["streams"]
        assert [stream["name"] for stream in page["nodes"]] == ["power/sat-0/battery"]

    async def test_a_page_may_be_empty(self, ask):
        page = (await ask(PAGE, prefix="none/"))["data"]["streams"]
        assert page == {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}

    @pytest.mark.parametrize(
        ("variables", "code"),
        [
            ({"first": 0}, "BAD_INPUT"),
            ({"first": -1}, "BAD_INPUT"),
            ({"first": 1001}, "LIMIT_EXCEEDED"),
            ({"prefix": "x" * 300}, "BAD_INPUT"),
            ({"after": "a\0"}, "BAD_INPUT"),
        ],
    )
    async def test_bad_pages_are_refused(self, ask, variables, code):
        (error,) = (await ask(PAGE, **variables))["errors"]
        assert error["extensions"]["code"] == code


@pytest.mark.usefixtures("fleet")
async def test_one_stream_tells_everything_about_itself(ask):
    answer = await ask("""{ stream(name: "power/sat-0/battery") {
        name service source parameter unit kind count first last } }""")
    assert answer["data"]["stream"] == {
        "name": "power/sat-0/battery",
        "service": "power",
        "source": "sat-0",
        "parameter": "battery",
        "unit": "V",
        "kind": "GAUGE",
        "count": 2,
        "first": "2026-01-01T00:00:00Z",
        "last": "2026-01-01T00:00:00.001500Z",
    }


async def test_an_unknown_stream_is_not_found(ask):
    (error,) = (await ask('{ stream(name: "a/b/c") { count } }'))["errors"]
    assert error["extensions"]["code"] == "NOT_FOUND"
