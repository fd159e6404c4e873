"""Arguments of a telemetry query, and what they mean."""

from __future__ import annotations

import graphene

from aetherops.api.graphql.schema.scalars import DateTime, Duration
from aetherops.archive import reductions
from aetherops.errors import InvalidInputError
from aetherops.instants import end_to_iso, range_end, to_iso
from aetherops.services.telemetry import TimeWindow

__all__ = ["Downsample", "TimeRange", "downsample_of", "window_of"]


class TimeRange(graphene.InputObjectType):
    """Instants from `start` up to, and without, `end`; the last instant of year 9999 is within."""

    start = DateTime(required=True)
    end = DateTime(required=True)


class DownsampleFunction(graphene.Enum):
    """What a bucket says of its samples."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    MEDIAN = "median"
    LAST = "last"


class Downsample(graphene.InputObjectType):
    """Reduce samples to buckets: give either how many there may be, or how wide they are."""

    buckets = graphene.Int(description="At most so many, as narrow as a round width allows.")
    width = Duration(description="Width of a bucket; buckets begin at its multiples since 1970.")
    function = DownsampleFunction(
        description="By default the mean; of a state its last value, held until the next change."
    )


def window_of(time_range: TimeRange) -> TimeWindow:
    """The window that a range means; it must not be empty or inverted."""
    start_us, end_us = time_range.start, range_end(time_range.end)
    if end_us <= start_us:
        expected = f"a time after range.start, {to_iso(start_us)}"
        raise InvalidInputError("range.end", end_to_iso(end_us), expected)
    return TimeWindow(start_us, end_us)


def downsample_of(asked: Downsample | None, window: TimeWindow) -> reductions.Downsample | None:
    """The downsampling that was asked for, if any."""
    if asked is None:
        return None
    buckets, width_us = asked.get("buckets"), asked.get("width")
    if (buckets is None) == (width_us is None):
        given = "neither" if buckets is None else "both"
        raise InvalidInputError("downsample", given, "either buckets or width")
    chosen = asked.get("function")
    function = None if chosen is None else chosen.value
    if buckets is None:
        return reductions.Downsample(width_us, function)
    return reductions.Downsample.into(buckets, window.start_us, window.end_us, function)
