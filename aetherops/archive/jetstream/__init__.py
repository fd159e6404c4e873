"""Accepted batches in NATS JetStream: durable once acknowledged, delivered until stored."""

from aetherops.archive.jetstream.checks import check_server
from aetherops.archive.jetstream.pull import Pull
from aetherops.archive.jetstream.queue import JetStreamQueue
from aetherops.archive.jetstream.rejected import JetStreamRejected
from aetherops.archive.jetstream.source import JetStreamSource
from aetherops.archive.jetstream.streams import prepare_streams

__all__ = [
    "JetStreamQueue",
    "JetStreamRejected",
    "JetStreamSource",
    "Pull",
    "check_server",
    "prepare_streams",
]
