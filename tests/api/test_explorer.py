"""The explorer: one page that loads nothing and runs only what it brought."""

import base64
import hashlib
import re

import pytest

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
async def page(platform):
    async with platform.client("") as client:
        return await client.get("/graphql", headers={"Accept": BROWSER})


async def test_a_browser_gets_it_without_a_token(page):
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>AetherOps explorer</title>" in page.text


async def test_the_front_door_leads_to_it(platform):
    async with platform.client("") as client:
        response = await client.get("/")
    assert response.headers["location"] == "/graphql"


async def test_it_loads_nothing_from_anywhere(page):
    without_namespaces = page.text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//cdn|@import|url\(", without_namespaces)
    assert not re.search(r"<script[^>]+src|<link[^>]+stylesheet", page.text)


@pytest.mark.parametrize(("tag", "directive"), [("script", "script-src"), ("style", "style-src")])
async def test_its_policy_allows_exactly_what_it_brought(page, tag, directive):
    (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    policy = page.headers["content-security-policy"]
    assert f"{directive} 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


async def test_nothing_in_it_needs_what_the_policy_forbids(page):
    markup = re.sub(r"<(script|style)>.*?</\1>", "", page.text, flags=re.DOTALL)
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", markup)
    assert "innerHTML" not in page.text
    assert "eval(" not in page.text


@pytest.mark.parametrize(
    ("path", "accept"),
    [("/graphql", "application/json"), ("/graphql", "*/*"), ("/graphql?query={a}", BROWSER)],
)
async def test_a_program_does_not_get_it(platform, path, accept):
    async with platform.client("") as client:
        response = await client.get(path, headers={"Accept": accept})
    assert response.status_code == 401
    assert response.headers["content-type"].startswith("application/json")
