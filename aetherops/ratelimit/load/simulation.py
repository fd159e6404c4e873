"""A queue behind adaptive limits, simulated: see what a policy does before it does it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from aetherops.ratelimit.load.controller import LoadController, LoadPolicy, LoadReading

__all__ = ["LoadTrace", "simulate_load"]

_STEPS_A_TICK = 20


@dataclass(frozen=True, slots=True)
class LoadTrace:
    """What happened, one value a tick of a second."""

    utilization: tuple[float, ...]
    factor: tuple[float, ...]
    admitted_per_s: tuple[float, ...]
    served_per_s: tuple[float, ...]
    possible_per_s: tuple[float, ...]

    def share_above(self, utilization: float) -> float:
        """The share of ticks in which the queue was fuller than that."""
        return sum(u > utilization for u in self.utilization) / len(self.utilization)

    @property
    def goodput(self) -> float:
        """What was served, of what a consumer that is never idle without need could have served."""
        return sum(self.served_per_s) / sum(self.possible_per_s)

    def swings(self, least: float) -> int:
        """How often the factor turned round after moving by at least that much."""
        turns, extreme, direction = 0, self.factor[0], 0
        for factor in self.factor:
            moved = factor - extreme
            if direction * moved >= 0:
                if direction or abs(moved) >= least:
                    direction, extreme = (1 if moved > 0 else -1 if moved else direction), factor
            elif abs(moved) >= least:
                turns, direction, extreme = turns + 1, -direction, factor
        return turns


def simulate_load(
    policy: LoadPolicy,
    demand_per_s: Callable[[int], float],
    capacity_per_s: Callable[[int], float],
    seconds: int,
    queue_limit: int = 5000,
    seed: int = 1,
) -> LoadTrace:
    """Run a controller over a queue with a noisy consumer.

    Parameters
    ----------
    policy : its ``base_rate_per_s`` is what the limits admit at a factor of 1.
    demand_per_s, capacity_per_s : what callers ask and what the consumer can do, by second.
    seconds : the length of the run.
    queue_limit : the queue's size; what finds it full is lost.
    seed : of the noise: each step's capacity varies by a tenth.
    """
    base = policy.base_rate_per_s or 1.0
    controller = LoadController(policy)
    noise = random.Random(seed)  # noqa: S311 - a simulation, not a secret
    queue = 0.0
    rows = []
    for second in range(seconds):
        admitted = served = 0.0
        factor = controller.factor_permille / 1000
        for _ in range(_STEPS_A_TICK):
            arriving = min(demand_per_s(second), base * factor) / _STEPS_A_TICK
            able = capacity_per_s(second) / _STEPS_A_TICK * noise.uniform(0.9, 1.1)
            leaving = min(queue + arriving, able)
            queue = min(queue + arriving - leaving, queue_limit)
            admitted += arriving
            served += leaving
        possible = min(demand_per_s(second), capacity_per_s(second), base)
        now_us = (second + 1) * 1_000_000
        controller.observe(LoadReading(now_us, queue / queue_limit, queue, served), now_us)
        rows.append((queue / queue_limit, factor, admitted, served, possible))
    return LoadTrace(*zip(*rows, strict=True))
