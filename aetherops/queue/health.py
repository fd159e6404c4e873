"""What a queue's length and rates tell about it."""

from __future__ import annotations

import math
from typing import TypedDict

__all__ = ["QueueHealth", "estimate_wait_time", "predict_queue_saturation", "queue_health"]

_HEALTHY_BELOW_UTILIZATION = 0.8
_HEALTHY_BELOW_WAIT_S = 300


class QueueHealth(TypedDict):
    """One reading of a queue.

    ``utilization`` is a share of the room, rounded to 4, and above 1 for an overfull queue;
    ``avg_wait_s`` is in seconds.
    """

    utilization: float
    healthy: bool
    queue_size: int
    avg_wait_s: float


def queue_health(queue_size: int, max_size: int, avg_wait_s: float) -> QueueHealth:
    """How full a queue is, and whether that is healthy.

    Parameters
    ----------
    queue_size : items waiting.
    max_size : items there is room for; 0 (and less) counts as 1.
    avg_wait_s : seconds that an item waits on average.

    Returns
    -------
    A reading; ``healthy`` where its ``utilization``, as rounded, is below 0.8 and the wait is
    below 300 s.
    """
    utilization = round(queue_size / max(max_size, 1), 4)
    return {
        "utilization": utilization,
        "healthy": utilization < _HEALTHY_BELOW_UTILIZATION and avg_wait_s < _HEALTHY_BELOW_WAIT_S,
        "queue_size": queue_size,
        "avg_wait_s": avg_wait_s,
    }


def estimate_wait_time(queue_size: int, processing_rate_per_s: float) -> float:
    """Seconds until the last item in the queue is taken, rounded to 2.

    Infinity where nothing is processed (a rate of 0 or less).
    """
    if processing_rate_per_s <= 0:
        return math.inf
    return round(queue_size / processing_rate_per_s, 2)


def predict_queue_saturation(
    current_size: int, max_size: int, arrival_rate: float, processing_rate: float
) -> float:
    """Seconds until the queue is full, rounded to 2.

    Parameters
    ----------
    current_size, max_size : items waiting, and items there is room for.
    arrival_rate, processing_rate : items per second that come and go.

    Returns
    -------
    The missing items over the net rate. A full queue gives 0.0 whatever its rates; one that is
    not full and does not grow gives infinity.
    """
    if current_size >= max_size:
        return 0.0
    net_rate = arrival_rate - processing_rate
    if net_rate <= 0:
        return math.inf
    return round((max_size - current_size) / net_rate, 2)
