"""Where the demonstration fleet is, with no server running: `python examples/fleet_now.py`.

Needs NumPy and sgp4, which `pip install -e ".[server]"` brings.

The elements are real, their epoch is moved to the beginning of this month: true orbits, not
true places. See docs/cli.md.
"""

from __future__ import annotations

import time

from aetherops.demo.constellation import Constellation


def main() -> None:
    """Print altitude, place, speed and sunlight of each satellite at this moment."""
    now_us = time.time_ns() // 1_000_000_000 * 1_000_000
    for batch in Constellation.default().batches(now_us, now_us + 1, 1_000_000):
        satellite = batch.series[0].stream.name.source
        values = {s.stream.name.parameter: float(s.samples.values[0]) for s in batch.series}
        light = "in shadow" if values["eclipse"] else "in sunlight"
        print(
            f"{satellite:16} {values['altitude_km']:10,.1f} km  "
            f"{values['latitude_deg']:7.2f}° {values['longitude_deg']:8.2f}°  "
            f"{values['speed_km_s']:6.3f} km/s  {light}"
        )


if __name__ == "__main__":
    main()
