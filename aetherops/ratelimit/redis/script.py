"""The Lua scripts of the limiters, what they are asked and what they answer."""

from __future__ import annotations

import asyncio
import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.resources import files

from aetherops.core.counter_input import MAX_EXACT_DOUBLE
from aetherops.errors import InvalidInputError
from aetherops.ratelimit.limits import BucketLimit, WindowLimit, WindowMode
from aetherops.ratelimit.shared.limiter import Grant
from aetherops.ratelimit.state import Limit

__all__ = ["Ask", "Script"]

_SERVERS_CLOCK = -1
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
        self._answers: list[asyncio.Future[Grant]] = []

    def open(self) -> asyncio.Future[Grant]:
        """A future of the answer, or of the share of it that was joined last."""
        answer: asyncio.Future[Grant] = asyncio.get_running_loop().create_future()
        self._answers.append(answer)
        return answer

    def takes(self, least: int, most: int, replicas: int) -> bool:
        """Whether a decision of such a cost can be part of this one."""
        return (
            self.operation == b"take"
            and least == most == self.least
            and replicas == self.replicas == 0
        )

    def join(self, cost: int) -> asyncio.Future[Grant]:
        """Ask for the same cost once more."""
        self.most += cost
        return self.open()

    def answer(self, reply: Sequence[int]) -> None:
        """Give each its share, first come first served."""
        if len(self._answers) == 1:
            [answer] = self._answers
            if not answer.done():
                answer.set_result(tuple.__new__(Grant, reply))  # half the time of Grant(...)
            return
        granted, *reading = reply
        for i, answer in enumerate(self._answers, 1):
            if not answer.done():
                share = self.least if i * self.least <= granted else 0
                answer.set_result(Grant(share, *reading))

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
        self._kind, self._numbers = _numbers(limits)
        self.name = name
        self.limits = tuple(limits)
        self.source = _source("clock") + _source(self._kind)
        self._clock_us = clock_us
        self._digest = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()
        # The words before the key, as the server reads them.
        words = (b"EVALSHA", self._digest.encode(), b"1")
        self._head = b"*6\r\n" + b"".join(map(_bulk, words))
        self._layout = struct.Struct(f">{4 + len(self._numbers)}d")

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

    def packed(self, asks: Iterable[Ask]) -> bytes:
        """Their commands as the server reads them."""
        head = self._head
        packed, last, tail = [], None, b""
        for ask in asks:
            key = self.key(ask.key)
            asked = (ask.operation, ask.least, ask.most, ask.replicas)
            if asked != last or self._clock_us is not None:
                tail = b"".join(map(_bulk, self._arguments(ask)))
                last = asked
            packed.append(b"%b$%d\r\n%b\r\n%b" % (head, len(key), key, tail))
        return b"".join(packed)

    def commands(self, asks: Iterable[Ask]) -> Iterator[tuple[bytes | str, ...]]:
        """The words of their commands."""
        for ask in asks:
            yield "EVALSHA", self._digest, b"1", self.key(ask.key), *self._arguments(ask)

    def _arguments(self, ask: Ask) -> tuple[bytes, bytes]:
        """The operation, and the numbers that it works with."""
        now_us = _SERVERS_CLOCK if self._clock_us is None else self._clock_us()
        numbers = (now_us, ask.least, ask.most, ask.replicas, *self._numbers)
        return ask.operation, self._layout.pack(*numbers)


def _bulk(word: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(word), word)


def _source(name: str) -> str:
    return files("aetherops.ratelimit.redis").joinpath("lua", f"{name}.lua").read_text("utf-8")


def _numbers(limits: Sequence[Limit]) -> tuple[str, list[int]]:
    """The script for such limits, and the numbers of theirs that it takes."""
    first, *others = limits or (None,)
    if isinstance(first, WindowLimit) and not others:
        return _window_numbers(first)
    numbers: list[int] = []
    for limit in limits:
        if not isinstance(limit, BucketLimit):
            raise InvalidInputError("limits", list(limits), "one window, or one or more buckets")
        gain, price, capacity = limit.tier
        if capacity + gain > MAX_EXACT_DOUBLE:
            raise InvalidInputError(
                "limits", limit, f"capacity times period up to {MAX_EXACT_DOUBLE}"
            )
        numbers += [gain, price, capacity]
    if not numbers:
        raise InvalidInputError("limits", list(limits), "one window, or one or more buckets")
    return "bucket", numbers


def _window_numbers(limit: WindowLimit) -> tuple[str, list[int]]:
    cell_us = -(-limit.window_us // limit.window_count)
    if 2 * limit.quota * cell_us > MAX_EXACT_DOUBLE:
        raise InvalidInputError(
            "limits", limit, f"quota times sub-window up to {MAX_EXACT_DOUBLE // 2}"
        )
    if limit.mode is WindowMode.FIXED:
        return "fixed", [limit.quota, limit.window_us]
    return str(limit.mode), [limit.quota, limit.window_us, limit.window_count]
