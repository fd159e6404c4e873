"""Recordings of the International Space Station, sent as JSON and asked about."""

import csv
import json

import pytest

# S0000004 repeats an instant, of which only one value is kept: its count is another.
CHANNELS = [
    "P4000001",
    "P4000002",
    "P4000007",
    "S1000001",
    "S1000002",
    "S1000003",
    "Z1000001",
    "Z1000005",
    "Z1000009",
    "Z1000013",
]
QUESTION = """query ($stream: String!) {
  telemetry(stream: $stream, range: {start: "2022-05-20T00:00:00Z", end: "2022-05-22T00:00:00Z"},
            downsample: {buckets: 500}) {
    scanned returned columns { counts }
    statistics { count mean stddev min max } } }"""


def read_channel(path):
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["utc"] for row in rows], [float(row["value"]) for row in rows]


@pytest.mark.parametrize("channel", CHANNELS)
async def test_statistics_agree_with_exact_arithmetic(client, ask, shared_data, channel):
    expected = json.loads((shared_data / "reference_stats.json").read_text())["series"]
    expected = next(value for key, value in expected.items() if f"OFT2_{channel}" in key)
    times, values = read_channel(shared_data / "iss" / f"OFT2_{channel}.csv")
    stream = f"iss/station/{channel}"
    response = await client.post(
        "/v1/telemetry", json={"stream": stream, "times": times, "values": values}
    )
    assert response.json()["samples"] == expected["n"]

    telemetry = (await ask(QUESTION, stream=stream))["data"]["telemetry"]
    found = telemetry["statistics"]
    assert telemetry["scanned"] == found["count"] == expected["n"]
    assert sum(telemetry["columns"]["counts"]) == expected["n"]
    assert telemetry["returned"] <= 500
    assert found["mean"] == pytest.approx(float(expected["mean"]), rel=1e-14)
    assert found["stddev"] == pytest.approx(float(expected["sample_std"]), rel=1e-13)
    assert (found["min"], found["max"]) == (expected["min"], expected["max"])
