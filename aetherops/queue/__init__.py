"""Queues, buffers and counters of one process, and what a queue's length tells."""

from aetherops._lazy import public_names
from aetherops.queue.counters import BatchAccumulator, SharedCounter
from aetherops.queue.events import EventBuffer
from aetherops.queue.health import estimate_wait_time, predict_queue_saturation, queue_health
from aetherops.queue.ordered import DrainableQueue, PriorityQueue, QueueItem, WeightedQueue
from aetherops.queue.rebalance import priority_rebalance, rebalance_with_history
from aetherops.ratelimit import RateLimiter

__all__ = [
    "BatchAccumulator",
    "DrainableQueue",
    "EventBuffer",
    "PriorityQueue",
    "QueueItem",
    "RateLimiter",
    "SharedCounter",
    "WeightedQueue",
    "estimate_wait_time",
    "predict_queue_saturation",
    "priority_rebalance",
    "queue_health",
    "rebalance_with_history",
]

__dir__ = public_names(__name__)
