"""Send a batch over HTTP, wait until it is stored, and ask about it over GraphQL.

Run it beside a platform: `aetherops up`, then `python examples/ingest_and_ask.py`.
Both need `pip install -e ".[server,embedded]"`. Of AetherOps the program reads the address and the
token of the platform on this machine; the requests are plain HTTP with JSON, so any language can
make them.
"""

from __future__ import annotations

import argparse
import math
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx

from aetherops.runtime.data_dir.instance import read_instance
from aetherops.runtime.settings import Settings

STREAM = "example/wave/amplitude"
QUESTION = """
query ($stream: String!, $range: TimeRange!) {
  telemetry(stream: $stream, range: $range, downsample: {buckets: 12}) {
    columns { times values }
    statistics { count mean stddev min max }
    anomalies(threshold: 3) { total times values }
  }
}
"""


def main() -> None:
    """Ingest ten minutes of a wave with one spike, and print what the platform says of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Settings().data_dir)
    instance = read_instance(parser.parse_args().data_dir)
    end = datetime.now(UTC).replace(microsecond=0)
    start = end - timedelta(minutes=10)

    headers = {"Authorization": f"Bearer {instance.token}"}
    with httpx.Client(base_url=instance.url, headers=headers, timeout=30) as client:
        send(client, start)
        variables = {
            "stream": STREAM,
            "range": {"start": start.isoformat(), "end": end.isoformat()},
        }
        answer = client.post("/graphql", json={"query": QUESTION, "variables": variables}).json()
    telemetry = answer["data"]["telemetry"]
    print(telemetry["statistics"])
    print(telemetry["anomalies"])
    for instant, value in zip(*telemetry["columns"].values(), strict=True):
        print(instant, round(value, 4))


def send(client: httpx.Client, start: datetime) -> None:
    """One batch of 600 samples; the same id may be sent again and is stored once."""
    batch_id = str(uuid4())
    times = [(start + timedelta(seconds=i)).isoformat() for i in range(600)]
    values = [math.sin(i / 60) + (20.0 if i == 300 else 0.0) for i in range(600)]
    series = {"stream": STREAM, "unit": "V", "times": times, "values": values}
    client.post("/v1/telemetry", json={"batch": batch_id, "series": [series]}).raise_for_status()
    while not client.post("/v1/receipts", json={"batches": [batch_id]}).json()["receipts"]:
        time.sleep(0.05)


if __name__ == "__main__":
    main()
