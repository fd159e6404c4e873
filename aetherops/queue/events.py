"""Events kept with their distance from a baseline until they are drained."""

from __future__ import annotations

from collections import deque
from numbers import Real
from typing import TYPE_CHECKING, Any

from aetherops.errors import InvalidInputError
from aetherops.statistics.averages import plain_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["EventBuffer"]


class EventBuffer:
    """The newest `max_size` calibrated events.

    Parameters
    ----------
    max_size : how many events are kept, at least 1; when it is full, the oldest make room.

    Raises
    ------
    InvalidInputError
        `max_size` is below 1.
    """

    def __init__(self, max_size: int = 500) -> None:
        if max_size < 1:
            raise InvalidInputError("max_size", max_size, "room for at least one event")
        self._events: deque[dict[str, Any]] = deque(maxlen=max_size)

    def ingest(
        self,
        events: Iterable[Mapping[str, Any]],
        calibration: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Store a copy of each event with ``calibrated = value - baseline``, rounded to 4.

        Parameters
        ----------
        events : mappings with a number under ``"value"``.
        calibration : has the ``"baseline"`` to subtract, in the values' unit. Without one (or
            without a baseline in it) the baseline is the mean of this call's values alone.

        Returns
        -------
        The calibration that was used: a copy of the one given, or ``{"baseline", "count"}`` with
        the unrounded mean (0.0 for no events) and the number of events. Nothing of it is
        remembered for the next call.

        Raises
        ------
        InvalidInputError
            An event has no value; none of the call's events is stored then.
        """
        arrived = list(events)
        values = [_value(event, f"events[{i}].value") for i, event in enumerate(arrived)]
        used = dict(calibration or {})
        if "baseline" not in used:
            used |= {"baseline": plain_mean(values), "count": len(values)}
        for event, value in zip(arrived, values, strict=True):
            self._events.append({**event, "calibrated": round(float(value - used["baseline"]), 4)})
        return used

    def drain(self) -> list[dict[str, Any]]:
        """Take every stored event, oldest first."""
        drained = list(self._events)
        self._events.clear()
        return drained

    def size(self) -> int:
        """How many events are stored."""
        return len(self._events)


def _value(event: Mapping[str, Any], field: str) -> float:
    value = event.get("value")
    if not isinstance(value, Real):
        raise InvalidInputError(field, value, "a number")
    return float(value)
