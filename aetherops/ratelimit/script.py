"""The Lua scripts of the limiters, what they are asked and what they answer."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Sequence
from importlib.resources import files

from aetherops.errors import InvalidInputError
from aetherops.ratelimit.limits import BucketLimit, WindowLimit, WindowMode
from aetherops.ratelimit.shared import Taken
from aetherops.ratelimit.state import Limit

__all__ = ["Ask", "Script"]

_LARGEST = 2**53  # whole numbers up to here are exact in Lua
_EXPIRY_JITTER_MS = 1000  # spreads the expiry of keys that were written together
_NAME_LENGTH = 64


class Ask:
    """A question for the server, and who waits for its answer."""

    __slots__ = ("_answers", "key", "least", "most", "operation", "replicas")

    def __init__(
        self, key: str | int, operation: bytes, least: int, most: int, replicas: int
    ) -> None:
        self.key = key
        self.operation = operation
        self.least = least
        self.most = most
        self.replicas = replicas
        self._answers: list[asyncio.Future[Taken]] = []

    def open(self) -> asyncio.Future[Taken]:
        """A future of the answer, or of the share of it that was joined last."""
        answer: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._answers.append(answer)
        return answer

    def takes(self, least: int, most: int, replicas: int) -> bool:
        """Whether a decision of such a cost can be part of this one."""
        return (
            self.operation == b"take"
            and least == most == self.least
            and replicas == self.replicas == 0
        )

    def join(self, cost: int) -> asyncio.Future[Taken]:
        """Ask for the same cost once more."""
        self.most += cost
        return self.open()

    def answer(self, reply: bytes) -> None:
        """Give each its share, first come first served."""
        granted, *reading = map(int, reply.split())
        if len(self._answers) == 1:
            shares = [granted]
        else:
            shares = [
                self.least if (i + 1) * self.least <= granted else 0
                for i in range(len(self._answers))
            ]
        for answer, share in zip(self._answers, shares, strict=True):
            if not answer.done():
                answer.set_result(Taken(share, *reading))

    def fail(self, error: BaseException) -> None:
        """Tell each that there is no answer."""
        for answer in self._answers:
            if not answer.done():
                answer.set_exception(error)


class Script:
    """The script of one set of limits, with the constant parts of its commands.

    Parameters
    ----------
    name : of the limits; part of their keys.
    limits : one window, or one or more buckets.
    clock_us : gives the time in place of the server; None leaves it to the server.

    Raises
    ------
    InvalidInputError
        Limits of mixed kinds, too large for Lua, or a name that is empty or too long.
    """

    def __init__(
        self, name: str, limits: Sequence[Limit], clock_us: Callable[[], int] | None = None
    ) -> None:
        if not 1 <= len(name) <= _NAME_LENGTH:
            raise InvalidInputError("name", name, f"1 to {_NAME_LENGTH} characters")
        kind, numbers = _arguments(limits)
        self.name = name
        self.limits = tuple(limits)
        self.source = _source("clock") + _source(kind)
        self._kind = kind
        self._clock_us = clock_us
        self._digest = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()
        self._numbers = [b"%d" % n if isinstance(n, int) else n.encode() for n in numbers]
        # The command in the protocol's form, with room for the seven words that vary.
        fixed = [_bulk(word) for word in (b"EVALSHA", self._digest.encode(), b"1")]
        self._template = b"".join(
            (
                b"*%d\r\n" % (len(fixed) + 7 + len(self._numbers)),
                *fixed,
                b"$%d\r\n%b\r\n" * 7,
                *map(_bulk, self._numbers),
            )
        )

    def changed(self, limits: Sequence[Limit]) -> Script:
        """The script of other limits of the same kinds.

        Raises
        ------
        InvalidInputError
            Another kind or number of limits, or another length or cut of a window.
        """
        other = Script(self.name, limits, self._clock_us)
        same = other._kind == self._kind and len(limits) == len(self.limits)
        if not same or (self._kind != "bucket" and other._numbers[1:] != self._numbers[1:]):
            raise InvalidInputError("limits", list(limits), f"limits such as {list(self.limits)}")
        return other

    def key(self, key: str | int) -> bytes:
        """The server's key: the limited one is its hash tag; integers are told from texts."""
        mark = "#" if isinstance(key, int) else ""
        text = f"aetherops:limit:{self.name}:{mark}{{{key}}}"
        return text.encode("utf-8", "surrogatepass")

    def arguments(self, ask: Ask) -> tuple[bytes, ...]:
        """The variable arguments: key, now, operation, least, most, replicas, jitter."""
        return (
            self.key(ask.key),
            b"" if self._clock_us is None else b"%d" % self._clock_us(),
            ask.operation,
            b"%d" % ask.least,
            b"%d" % ask.most,
            b"%d" % ask.replicas,
            b"%d" % (random.random() * _EXPIRY_JITTER_MS),  # noqa: S311 - no secret
        )

    def packed(self, ask: Ask) -> bytes:
        """The command as the server reads it."""
        key, now, operation, least, most, replicas, jitter = self.arguments(ask)
        return self._template % (
            *(len(key), key, len(now), now, len(operation), operation),
            *(len(least), least, len(most), most, len(replicas), replicas, len(jitter), jitter),
        )

    def command(self, ask: Ask) -> tuple[bytes | str, ...]:
        """The command's words."""
        return "EVALSHA", self._digest, b"1", *self.arguments(ask), *self._numbers


def _bulk(word: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(word), word)


def _source(name: str) -> str:
    return files("aetherops.ratelimit").joinpath("lua", f"{name}.lua").read_text("utf-8")


def _arguments(limits: Sequence[Limit]) -> tuple[str, list[int | str]]:
    """The script for such limits, and the constant arguments that it takes."""
    first, *others = limits or (None,)
    if isinstance(first, WindowLimit) and not others:
        return _window_arguments(first)
    numbers: list[int | str] = []
    for limit in limits:
        if not isinstance(limit, BucketLimit):
            raise InvalidInputError("limits", list(limits), "one window, or one or more buckets")
        gain, price, capacity = limit.tier
        if capacity + gain > _LARGEST:
            raise InvalidInputError("limits", limit, f"capacity times period up to {_LARGEST}")
        numbers += [gain, price, capacity]
    if not numbers:
        raise InvalidInputError("limits", list(limits), "one window, or one or more buckets")
    return "bucket", numbers


def _window_arguments(limit: WindowLimit) -> tuple[str, list[int | str]]:
    cell_us = -(-limit.window_us // limit.window_count)
    if 2 * limit.quota * cell_us > _LARGEST:
        raise InvalidInputError("limits", limit, f"quota times sub-window up to {_LARGEST // 2}")
    if limit.mode is WindowMode.FIXED:
        return "fixed", [limit.quota, limit.window_us]
    return "sliding", [limit.quota, limit.window_us, limit.window_count, str(limit.mode)]
