"""Measures live ingest of small batches, end to end, beside another version of the platform.

    python tests/benchmarks/small_batch_figures.py [--against CHECKOUT] [--rounds 3]

Starts `aetherops up` with its embedded servers on a new data directory, and sends batches of 100
streams of 10 samples over eight connections, in each format, until every batch has its receipt.
The other version (a checkout with its compiled core) takes turns with this one. Prints samples a
second, accepted and stored, the ratio of both versions, and what processor time each process took
for a batch.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from platform_figures import platform

from aetherops.archive.codec import MEDIA_TYPE, encode_batch
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.instants import to_iso
from aetherops.runtime.data_dir.instance import Instance

STREAMS, SAMPLES, CONNECTIONS = 100, 10, 8
START_US, STEP_US = 1_767_225_600_000_000, 100_000  # 2026, 10 Hz
CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Body:
    batch_id: UUID
    data: bytes


@dataclass(frozen=True)
class Run:
    accepted_per_s: float
    stored_per_s: float
    cpu_ms_a_batch: dict[str, float]


def main() -> None:
    options = _options()
    versions = {"this": CHECKOUT}
    if options.against:
        versions["other"] = options.against.resolve()
    formats = {name: FORMATS[name] for name in options.formats}
    runs: dict[tuple[str, str], list[Run]] = {}
    for round_ in range(options.rounds):
        for version, checkout in versions.items():
            with tempfile.TemporaryDirectory(prefix="aetherops-figures-") as name:
                os.chdir(checkout)  # where `python -m aetherops.cli` looks first
                with platform(Path(name)) as (instance, _):
                    for format_, encode in formats.items():
                        batches = list(generate(options.batches, f"{format_}-{round_}"))
                        bodies = [Body(one.batch_id, encode(one)) for one in batches]
                        run = measure(instance, bodies, MEDIA_TYPES[format_])
                        runs.setdefault((format_, version), []).append(run)
                        show(format_, version, run)
    for format_ in formats:
        for version in versions:
            show(format_, f"{version}, median", median(runs[format_, version]))
        if options.against:
            ratio = [
                a.stored_per_s / b.stored_per_s
                for a, b in zip(runs[format_, "this"], runs[format_, "other"], strict=True)
            ]
            print(f"{format_:<14} stored, this ÷ other: " + ", ".join(f"{r:.2f}" for r in ratio))


def generate(batches: int, source: str) -> Iterator[SampleBatch]:
    rng = np.random.default_rng(0)
    streams = [Stream(StreamName("bench", f"{source}-{i}", "walk"), "V") for i in range(STREAMS)]
    values = np.cumsum(rng.normal(size=(STREAMS, batches * SAMPLES)), axis=1).round(3)
    for i in range(batches):
        block = slice(i * SAMPLES, (i + 1) * SAMPLES)
        times = START_US + np.arange(block.start, block.stop) * STEP_US
        series = [
            Series(stream, Samples(times, np.ascontiguousarray(values[j, block])))
            for j, stream in enumerate(streams)
        ]
        yield SampleBatch(uuid4(), tuple(series))


def as_json(batch: SampleBatch, time_of: Callable[[int], object] = int) -> bytes:
    series = [
        {
            "stream": str(one.stream.name),
            "unit": one.stream.unit,
            "times": [time_of(t) for t in one.samples.times_us.tolist()],
            "values": one.samples.values.tolist(),
        }
        for one in batch.series
    ]
    return json.dumps({"batch": str(batch.batch_id), "series": series}).encode()


FORMATS: dict[str, Callable[[SampleBatch], bytes]] = {
    "binary": encode_batch,
    "json": as_json,
    "json-iso": lambda batch: as_json(batch, to_iso),
}
MEDIA_TYPES = {"binary": MEDIA_TYPE, "json": "application/json", "json-iso": "application/json"}


def measure(instance: Instance, bodies: list[Body], media_type: str) -> Run:
    cpu_before, begin = cpu_s(instance.pid), time.perf_counter()
    send(instance, bodies, media_type)
    accepted_s = time.perf_counter() - begin
    wait_until_stored(instance, [body.batch_id for body in bodies])
    stored_s = time.perf_counter() - begin
    cpu = {
        name: (after - cpu_before.get(name, 0)) * 1e3 / len(bodies)
        for name, after in cpu_s(instance.pid).items()
    }
    total = len(bodies) * STREAMS * SAMPLES
    return Run(total / accepted_s, total / stored_s, cpu)


def send(instance: Instance, bodies: list[Body], media_type: str) -> None:
    waiting = iter(bodies)
    lock = threading.Lock()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with closing(connect(instance)) as connection:
                while True:
                    with lock:
                        body = next(waiting, None)
                    if body is None:
                        return
                    post(connection, instance, body, media_type)
        except BaseException as error:  # told by the main thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def connect(instance: Instance) -> socket.socket:
    url = httpx.URL(instance.url)
    connection = socket.create_connection((url.host, url.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def post(connection: socket.socket, instance: Instance, body: Body, media_type: str) -> None:
    head = (
        f"POST /v1/telemetry HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {instance.token}"
        f"\r\nContent-Type: {media_type}\r\nContent-Length: {len(body.data)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body.data)
    answer = b""
    while b"}" not in answer:
        part = connection.recv(65_536)
        if not part:
            raise ConnectionError("the platform closed the connection")
        answer += part
    if not answer.startswith(b"HTTP/1.1 202"):
        raise RuntimeError(answer.decode())


def wait_until_stored(instance: Instance, ids: list[UUID]) -> None:
    headers = {"Authorization": f"Bearer {instance.token}"}
    with httpx.Client(base_url=instance.url, headers=headers, timeout=60) as client:
        for first in range(len(ids) // 500 * 500, -1, -500):
            asked = [str(one) for one in ids[first : first + 500]]
            while asked:
                answer = client.post("/v1/receipts", json={"batches": asked}).json()
                if len(answer["receipts"]) == len(asked):
                    break
                time.sleep(0.05)


def cpu_s(pid: int) -> dict[str, float]:
    """Processor time so far of the platform and its servers, by program, and of this process."""
    programs, parents, ticks = {}, {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                head, _, tail = (entry / "stat").read_text().rpartition(")")
            except OSError:
                continue
            one, fields = int(entry.name), tail.split()
            programs[one], parents[one] = head.partition("(")[2], int(fields[1])
            # What ended children took too: it was waited for.
            ticks[one] = sum(map(int, fields[11:15]))
    found = {"client": sum(resource.getrusage(resource.RUSAGE_SELF)[:2])}
    for one, program in programs.items():
        above = one
        while above not in (0, pid):
            above = parents.get(above, 0)
        if above == pid:
            name = "aetherops" if one == pid else program
            found[name] = found.get(name, 0) + ticks[one] / os.sysconf("SC_CLK_TCK")
    return found


def median(runs: list[Run]) -> Run:
    return sorted(runs, key=lambda run: run.stored_per_s)[len(runs) // 2]


def show(format_: str, version: str, run: Run) -> None:
    cpu = ", ".join(f"{k} {v:.2f}" for k, v in sorted(run.cpu_ms_a_batch.items()) if v >= 0.005)
    print(
        f"{format_:<14} {version:<14} accepted {run.accepted_per_s / 1e3:7.0f} k/s, "
        f"stored {run.stored_per_s / 1e3:7.0f} k/s; ms of processor a batch: {cpu}",
        flush=True,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, help="a checkout of another version")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batches", type=int, default=1_500)
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("AETHEROPS_LOG_LEVEL", "warning")
    main()
