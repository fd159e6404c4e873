"""Questions about telemetry, answered from a store within a budget."""

from aetherops.services.telemetry.answer import TelemetryAnswer
from aetherops.services.telemetry.budget import QueryBudget
from aetherops.services.telemetry.queries import StreamPage, TelemetryQueries
from aetherops.services.telemetry.question import TelemetryQuestion, TimeWindow
from aetherops.services.telemetry.room import SampleRoom

__all__ = [
    "QueryBudget",
    "SampleRoom",
    "StreamPage",
    "TelemetryAnswer",
    "TelemetryQueries",
    "TelemetryQuestion",
    "TimeWindow",
]
