"""Draws how adaptive limits follow a load: ``python examples/plot_load_control.py``.

Simulates a queue behind a ``LoadController`` under a step, a ramp and a burst, and writes
docs/images/load-control.svg. Needs `pip install matplotlib` beside AetherOps.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

from aetherops.ratelimit.load.controller import LoadPolicy
from aetherops.ratelimit.load.simulation import LoadTrace, simulate_load

SECONDS = 600
BASE_PER_S = 1000
POLICY = LoadPolicy(base_rate_per_s=BASE_PER_S)
Course = Callable[[int], float]


def step_capacity(second: int) -> float:
    return 1000 if second < 120 else 400 if second < 300 else 150 if second < 480 else 800


def ramp_capacity(second: int) -> float:
    return max(1000 - 3 * second, 200) if second < 400 else min(200 + 2 * (second - 400), 1000)


def burst_demand(second: int) -> float:
    return 2000 if 100 <= second < 160 or 300 <= second < 310 else 300


CASES: dict[str, tuple[Course, Course]] = {
    "a consumer that loses its strength in steps": (lambda second: 2000, step_capacity),
    "one that weakens and recovers slowly": (lambda second: 2000, ramp_capacity),
    "callers that ask for too much for a while": (burst_demand, lambda second: 500),
}


def draw(axes: tuple[plt.Axes, plt.Axes], title: str, trace: LoadTrace, capacity: Course) -> None:
    """One case: rates above, the queue below."""
    rates, queue = axes
    seconds = range(SECONDS)
    rates.plot(seconds, [capacity(s) for s in seconds], color="#999999", label="capacity")
    rates.plot(seconds, [f * BASE_PER_S for f in trace.factor], color="#1f5fa8", label="limit")
    rates.plot(seconds, trace.served_per_s, color="#2f8f4e", linewidth=0.8, label="served")
    rates.set_title(title, fontsize=9)
    rates.set_ylim(0, 1100)
    queue.plot(seconds, [100 * u for u in trace.utilization], color="#b3402c")
    for level in (40, 80):
        queue.axhline(level, color="#cccccc", linewidth=0.8, linestyle="dashed")
    queue.set_ylim(0, 100)
    queue.set_xlabel("seconds", fontsize=8)
    for axis in axes:
        axis.tick_params(labelsize=7)


def main() -> None:
    mpl.rcParams["svg.hashsalt"] = "load-control"  # the same bytes for the same figures
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/images/load-control.svg")
    figure, grid = plt.subplots(
        2, len(CASES), figsize=(11, 4.2), sharex=True, height_ratios=(2, 1), layout="constrained"
    )
    for column, (title, (demand, capacity)) in enumerate(CASES.items()):
        trace = simulate_load(POLICY, demand, capacity, SECONDS)
        draw((grid[0][column], grid[1][column]), title, trace, capacity)
        print(
            f"{title}: {trace.share_above(0.8):.1%} of the time above 80 %, "
            f"goodput {trace.goodput:.3f}, {trace.swings(0.1)} turns of a tenth or more"
        )
    grid[0][0].set_ylabel("per second", fontsize=8)
    grid[1][0].set_ylabel("queue, %", fontsize=8)
    grid[0][0].legend(fontsize=7, loc="upper right")
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main()
