"""GraphQL types of an answer about telemetry. Their source is a `TelemetryAnswer`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import graphene
import numpy as np

from aetherops.api.graphql.schema.scalars import BigInt, DateTime, Duration
from aetherops.api.graphql.schema.streams import Stream
from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.instants import parse_us

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from numpy.typing import NDArray

    from aetherops.archive.reductions import Anomalies as FoundAnomalies, Points
    from aetherops.archive.store import StreamRecord
    from aetherops.services.telemetry import TelemetryAnswer

__all__ = ["Telemetry"]

_DEFAULT_RANKS = [5.0, 25.0, 50.0, 75.0, 95.0, 99.0]
_MAX_RANKS = 100
_MAX_ANOMALIES = 10_000
# The encoder's last instant leaves every offset within year 9999.
_LAST_ENCODED_US = parse_us("9999-12-30T22:00:00Z")


def _instants(times_us: NDArray[np.int64]) -> NDArray[Any]:
    """The same memory read as instants, which the encoder writes as ISO 8601.

    Microseconds, which are written one by one, where it cannot.
    """
    if len(times_us) and times_us[-1] > _LAST_ENCODED_US:
        return times_us
    return times_us.view("datetime64[us]")


class Columns(graphene.ObjectType):
    """The points of an answer as columns of equal length, in order of time."""

    times = graphene.List(
        graphene.NonNull(DateTime),
        required=True,
        description="Instant of each sample, or start of each bucket.",
    )
    epoch_us = graphene.List(
        graphene.NonNull(BigInt),
        required=True,
        description="The same instants in microseconds since 1970: cheaper to write and read.",
    )
    values = graphene.List(
        graphene.Float, required=True, description="Value of each point; null for an empty bucket."
    )
    counts = graphene.List(
        graphene.NonNull(BigInt), required=True, description="Samples that each point stands for."
    )

    @staticmethod
    def resolve_times(points: Points, info: object) -> NDArray[Any]:
        """Instants as a column."""
        return _instants(points.times_us)

    @staticmethod
    def resolve_epoch_us(points: Points, info: object) -> NDArray[np.int64]:
        """Microseconds as a column."""
        return points.times_us


class Anomalies(graphene.ObjectType):
    """Samples far from the mean, as columns of equal length, in order of time."""

    total = BigInt(required=True, description="How many there are, whether listed or not.")
    times = graphene.List(graphene.NonNull(DateTime), required=True)
    epoch_us = graphene.List(graphene.NonNull(BigInt), required=True)
    values = graphene.List(graphene.NonNull(graphene.Float), required=True)
    scores = graphene.List(
        graphene.NonNull(graphene.Float),
        required=True,
        description="Distance from the mean in standard deviations.",
    )

    @staticmethod
    def resolve_times(found: FoundAnomalies, info: object) -> NDArray[Any]:
        """Instants as a column."""
        return _instants(found.times_us)

    @staticmethod
    def resolve_epoch_us(found: FoundAnomalies, info: object) -> NDArray[np.int64]:
        """Microseconds as a column."""
        return found.times_us


class RankedValue(NamedTuple):
    """The source of a `Percentile`."""

    rank: float
    value: float | None


class Percentile(graphene.ObjectType):
    """A value that `rank` per cent of the samples do not exceed (nearest rank)."""

    rank = graphene.Float(required=True)
    value = graphene.Float(description="Null where there is no sample.")


def _extreme(attribute: str) -> Callable[[TelemetryAnswer, object], Awaitable[Any]]:
    async def resolve(answer: TelemetryAnswer, info: object) -> Any:
        return getattr(await answer.extremes(), attribute)

    return resolve


def _statistic(attribute: str) -> Callable[[TelemetryAnswer, object], Awaitable[Any]]:
    async def resolve(answer: TelemetryAnswer, info: object) -> Any:
        return getattr(await answer.statistics(), attribute)

    return resolve


class Statistics(graphene.ObjectType):
    """Summary of all samples in the range, not of the downsampled points."""

    count = BigInt(required=True, resolver=_extreme("count"))
    mean = graphene.Float(resolver=_statistic("mean"))
    variance = graphene.Float(
        resolver=_statistic("variance"), description="Of a sample: divided by count - 1."
    )
    stddev = graphene.Float(resolver=_statistic("stddev"), description="Root of the variance.")
    min = graphene.Float(resolver=_extreme("minimum"))
    max = graphene.Float(resolver=_extreme("maximum"))
    first = graphene.Float(resolver=_extreme("first"), description="Earliest value.")
    last = graphene.Float(resolver=_extreme("last"), description="Latest value.")
    percentiles = graphene.List(
        graphene.NonNull(Percentile),
        required=True,
        ranks=graphene.List(
            graphene.NonNull(graphene.Float), required=True, default_value=_DEFAULT_RANKS
        ),
    )

    @staticmethod
    async def resolve_percentiles(
        answer: TelemetryAnswer, info: object, ranks: list[float]
    ) -> list[RankedValue]:
        """Values at the ranks."""
        _check_ranks(ranks)
        if len(await answer.samples()) == 0:
            return [RankedValue(rank, None) for rank in ranks]
        values = await answer.percentiles(ranks)
        return [RankedValue(r, v) for r, v in zip(ranks, values, strict=True)]


class Telemetry(graphene.ObjectType):
    """What a stream says about a range of time. Only what is asked for is computed."""

    stream = graphene.NonNull(Stream)
    columns = graphene.NonNull(Columns)
    statistics = graphene.NonNull(Statistics)
    anomalies = graphene.NonNull(
        Anomalies,
        threshold=graphene.Float(
            required=True,
            default_value=3.0,
            description="Standard deviations from the mean beyond which a sample is listed.",
        ),
        first=graphene.Int(
            required=True, default_value=100, description=f"Listed at most; up to {_MAX_ANOMALIES}."
        ),
    )
    scanned = BigInt(required=True, description="Samples in the range.")
    returned = BigInt(required=True, description="Points in the columns.")
    resolution = Duration(description="Width of a bucket; null where points are samples.")

    @staticmethod
    def resolve_stream(answer: TelemetryAnswer, info: object) -> StreamRecord:
        """The stream's record."""
        return answer.record

    @staticmethod
    async def resolve_columns(answer: TelemetryAnswer, info: object) -> Points:
        """Points, downsampled where that was asked."""
        return await answer.points()

    @staticmethod
    def resolve_statistics(answer: TelemetryAnswer, info: object) -> TelemetryAnswer:
        """The answer itself: each statistic asks it for what it needs."""
        return answer

    @staticmethod
    async def resolve_anomalies(
        answer: TelemetryAnswer, info: object, threshold: float, first: int
    ) -> FoundAnomalies:
        """Samples beyond the threshold."""
        if not (math.isfinite(threshold) and threshold >= 0):
            raise InvalidInputError("anomalies.threshold", threshold, "a finite number, 0 or more")
        if first < 0:
            raise InvalidInputError("anomalies.first", first, "0 or more")
        if first > _MAX_ANOMALIES:
            raise LimitExceededError("anomalies in one answer", _MAX_ANOMALIES, first)
        return await answer.anomalies(threshold, first)

    @staticmethod
    async def resolve_scanned(answer: TelemetryAnswer, info: object) -> int:
        """Samples in the range."""
        return await answer.count()

    @staticmethod
    async def resolve_returned(answer: TelemetryAnswer, info: object) -> int:
        """Length of the columns."""
        return len((await answer.points()).times_us)

    @staticmethod
    def resolve_resolution(answer: TelemetryAnswer, info: object) -> int | None:
        """Width of a bucket in microseconds."""
        return answer.resolution_us


def _check_ranks(ranks: list[float]) -> None:
    if len(ranks) > _MAX_RANKS:
        raise LimitExceededError("percentiles in one field", _MAX_RANKS, len(ranks))
    for i, rank in enumerate(ranks):
        if not 0 <= rank <= 100:
            raise InvalidInputError(f"percentiles.ranks[{i}]", rank, "a number from 0 to 100")
