"""A breaker at one instant: to look at, to keep, and to go on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aetherops.errors import InvalidInputError
from aetherops.resilience.breakers.events import Counts
from aetherops.resilience.breakers.states import Override, State

__all__ = ["BreakerSnapshot", "Totals"]

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Totals:
    """Calls since the breaker was made: of each kind, and (among the counted) slow ones."""

    success: int
    failure: int
    neutral: int
    late: int
    refused: int
    slow: int


@dataclass(frozen=True, slots=True)
class BreakerSnapshot:
    """A breaker's state in ages and waits, so that it holds on any other clock.

    Parameters
    ----------
    breaker : its name.
    state, override : where it stands.
    generation : transitions so far.
    age_ns : time since the last of them.
    wait_ns : time to the next probe (open) or to the end of probing (half-open), 0 where closed;
        None where it is forced open.
    reopenings : openings since it was last closed.
    counts : failures in a row, and the calls of its window.
    window : the shape of its window (``"count 100"``), empty where it keeps none.
    rows : the window's contents, ``(calls, failures, slow)`` a call (oldest first) or a bucket
        (newest first).
    totals : calls since it was made.
    """

    breaker: str
    state: State
    override: Override
    generation: int
    age_ns: int
    wait_ns: int | None
    reopenings: int
    counts: Counts
    window: str
    rows: tuple[tuple[int, int, int], ...]
    totals: Totals

    def to_dict(self) -> dict[str, Any]:
        """The snapshot as plain data for JSON, with its ``version``."""
        return {"version": _VERSION, **asdict(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BreakerSnapshot:
        """Read what :meth:`to_dict` wrote.

        Raises
        ------
        InvalidInputError
            Another version, or a field that is missing or has no meaning.
        """
        if not isinstance(data, Mapping):
            raise InvalidInputError("snapshot", data, "what BreakerSnapshot.to_dict wrote")
        if data.get("version") != _VERSION:
            raise InvalidInputError("snapshot.version", data.get("version"), str(_VERSION))
        try:
            return cls._read(data)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(
                "snapshot", error, "what BreakerSnapshot.to_dict wrote"
            ) from error

    @classmethod
    def _read(cls, data: Mapping[str, Any]) -> BreakerSnapshot:
        wait_ns = data["wait_ns"]
        _check_hold(State(data["state"]), Override(data["override"]), wait_ns)
        return cls(
            breaker=str(data["breaker"]),
            state=State(data["state"]),
            override=Override(data["override"]),
            generation=_count(data["generation"]),
            age_ns=_count(data["age_ns"]),
            wait_ns=None if wait_ns is None else _count(wait_ns),
            reopenings=_count(data["reopenings"]),
            counts=Counts(**{name: _count(n) for name, n in data["counts"].items()}),
            window=str(data["window"]),
            rows=tuple(_row(row) for row in data["rows"]),
            totals=Totals(**{name: _count(n) for name, n in data["totals"].items()}),
        )


def _check_hold(state: State, override: Override, wait_ns: int | None) -> None:
    held = State.OPEN if override is Override.FORCED_OPEN else State.CLOSED
    if override is not Override.NONE and state is not held:
        raise ValueError(f"a breaker that is {state} cannot be held {override}")
    if (wait_ns is None) != (override is Override.FORCED_OPEN):
        raise ValueError("a breaker waits for ever exactly where it is forced open")


def _count(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**61:
        raise ValueError(f"no count: {value!r}")
    return value


def _row(row: list[int]) -> tuple[int, int, int]:
    calls, failures, slow = (_count(n) for n in row)
    if max(failures, slow) > calls:
        raise ValueError(f"more failures or slow calls than calls: {row!r}")
    return calls, failures, slow
