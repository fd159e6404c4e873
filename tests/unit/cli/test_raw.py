"""All samples of a range: none left out, none twice, however they lie; and how they are written."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given, strategies as st

from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.cli.client import Client
from aetherops.cli.query import raw
from aetherops.cli.query.catalogue import find_stream
from aetherops.cli.query.command import range_of
from aetherops.cli.query.raw import sample_pages
from aetherops.cli.query.text_writers import iso_texts
from aetherops.cli.query.writers import form_of, opener
from aetherops.errors import InvalidInputError
from aetherops.instants import FIRST_US, LAST_US, to_iso

STREAM = Stream(StreamName("test", "raw", "value"), "µV")
T0_US = 1_769_860_800_000_000
RECORD = {"name": str(STREAM.name), "unit": "µV", "kind": "GAUGE"}


async def pages_of(platform, span: tuple[int | None, int | None] = (None, None)) -> list[Samples]:
    async with Client(platform.connection, transport=platform.transport) as client:
        record = await find_stream(client, str(STREAM.name))
        return [page async for page in sample_pages(client, record, range_of(record, *span))]


async def store(platform, times_us: np.ndarray) -> Samples:
    samples = Samples.of(times_us, np.arange(len(times_us)) / 8)
    await platform.intake.put(SampleBatch(uuid4(), (Series(STREAM, samples),)))
    return samples


def assert_same(pages: list[Samples], samples: Samples) -> None:
    assert np.concatenate([page.times_us for page in pages]).tolist() == samples.times_us.tolist()
    assert np.concatenate([page.values for page in pages]).tolist() == samples.values.tolist()


class TestPages:
    @pytest.mark.parametrize(
        "times_us",
        [
            T0_US + np.arange(20_000) * 1_000_000,
            T0_US + np.arange(20_000) ** 3,
            T0_US - np.arange(20_000)[::-1] ** 3,
            T0_US + np.concatenate([np.arange(10_000), 10**16 + np.arange(10_000)]),
            np.array([T0_US]),
        ],
        ids=["even", "thinner", "denser", "two bursts", "one"],
    )
    async def test_every_sample_comes_once_and_in_order(
        self, platform, times_us: np.ndarray, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(raw, "_PAGE_SAMPLES", 1_000)
        samples = await store(platform, times_us)
        pages = await pages_of(platform)
        assert_same(pages, samples)
        assert len(pages) < 400

    async def test_a_servers_limit_narrows_the_pages(
        self, platform, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(raw, "_PAGE_SAMPLES", 10**9)
        samples = await store(platform, T0_US + np.arange(250_000))
        pages = await pages_of(platform)
        assert max(map(len, pages)) <= 100_000
        assert_same(pages, samples)

    async def test_a_range_is_half_open(self, platform) -> None:
        await store(platform, T0_US + np.arange(10))
        pages = await pages_of(platform, (T0_US + 2, T0_US + 5))
        assert np.concatenate([page.values for page in pages]).tolist() == [0.25, 0.375, 0.5]


@given(st.lists(st.integers(FIRST_US, LAST_US), max_size=20))
def test_times_are_written_as_everywhere(times_us: list[int]) -> None:
    rounded = [us for t in times_us for us in (t, t // 1_000 * 1_000, t // 10**6 * 10**6)]
    kept = [us for us in rounded if us >= FIRST_US]
    assert iso_texts(np.array(kept, np.int64)) == [to_iso(us) for us in kept]


PARTS = [Samples.of([T0_US, T0_US + 1], [0.1, -0.0]), Samples.of([T0_US + 10**6], [1e300])]
ROWS = [
    ("2026-01-31T12:00:00Z", 0.1),
    ("2026-01-31T12:00:00.000001Z", -0.0),
    ("2026-01-31T12:00:01Z", 1e300),
]


def written(path: Path) -> bytes:
    with opener(form_of(path, as_csv=False, as_json=False), path)(RECORD) as writer:
        for part in PARTS:
            writer.write(part)
    return path.read_bytes()


class TestWriters:
    def test_csv_gives_back_the_same_numbers(self, tmp_path: Path) -> None:
        rows = list(csv.reader(written(tmp_path / "x.csv").decode().splitlines()))
        assert rows[0] == ["time", "value"]
        assert [(time, float(value)) for time, value in rows[1:]] == ROWS

    @pytest.mark.parametrize("name", ["x.json", "x.jsonl", "x.ndjson"])
    def test_json_is_an_object_a_line(self, tmp_path: Path, name: str) -> None:
        lines = [json.loads(line) for line in written(tmp_path / name).splitlines()]
        assert [(line["time"], line["value"]) for line in lines] == ROWS

    @pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.feather"])
    def test_columnar_files_keep_types_and_the_stream(self, tmp_path: Path, name: str) -> None:
        pa = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        path = tmp_path / name
        written(path)
        table = (
            parquet.read_table(path) if name == "x.parquet" else pa.ipc.open_file(path).read_all()
        )
        assert table["time"].type == pa.timestamp("us", tz="UTC")
        assert table["time"].cast(pa.int64()).to_pylist() == [T0_US, T0_US + 1, T0_US + 10**6]
        assert table["value"].to_pylist() == [0.1, -0.0, 1e300]
        assert table.schema.metadata[b"unit"].decode() == "µV"
        assert table.schema.metadata[b"kind"] == b"gauge"

    def test_without_pyarrow_it_is_said_what_to_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(InvalidInputError, match=r"pip install .aetherops\[columnar\]"):
            form_of(tmp_path / "x.parquet", as_csv=False, as_json=False)

    def test_a_name_that_says_nothing_is_refused_unless_an_option_does(self) -> None:
        with pytest.raises(InvalidInputError, match=r"\.parquet"):
            form_of(Path("x.dat"), as_csv=False, as_json=False)
        assert form_of(Path("x.dat"), as_csv=True, as_json=False) == "csv"

    def test_a_file_bears_its_name_only_once_it_is_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "x.csv"
        path.write_text("before")

        def fail() -> None:
            with opener("csv", path)(RECORD) as writer:
                writer.write(PARTS[0])
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert [entry.name for entry in tmp_path.iterdir()] == ["x.csv"]
        assert path.read_text() == "before"

    def test_a_place_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "nowhere" / "x.csv"
        with pytest.raises(InvalidInputError, match="--output"), opener("csv", path)(RECORD):
            pass
