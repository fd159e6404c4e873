"""Keeps an identity provider's keys fresh, so that no request waits for the provider."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import structlog

from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.runtime.part import Part, wait_for_event
from aetherops.runtime.repeats import Repeats
from aetherops.runtime.unforeseen import keep_going

if TYPE_CHECKING:
    from aetherops.identity.provider_keys import ProviderKeys

__all__ = ["KeyWatch", "PublishesKeys"]

_log = structlog.get_logger(__name__)


class PublishesKeys(Protocol):
    """Where a provider's key set is read."""

    async def read(self) -> bytes:
        """The document as it is now; raises `UnavailableError`."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class KeyWatch(Part):
    """A part of an instance that reads a key set regularly, and when a key is wanted.

    Reading that fails changes nothing until the keys are too old to be trusted.

    Parameters
    ----------
    endpoint : where the set is read.
    keys : replaced by what is read.
    period_s : between readings.
    least_s : from one reading to the next, however much a key is wanted.
    """

    def __init__(
        self, endpoint: PublishesKeys, keys: ProviderKeys, period_s: float, least_s: float = 1.0
    ) -> None:
        super().__init__()
        self._endpoint = endpoint
        self._keys = keys
        self._period_s = period_s
        self._least_s = least_s
        self._wanted = asyncio.Event()
        self._failures = Repeats()
        keys.on_wanted = self._wanted.set

    async def run(self) -> None:
        """Watch until `stop`."""
        try:
            await keep_going(
                "key-watch", self._watch, pause=self.pause, stopping=lambda: self.stopping
            )
        finally:
            await self._endpoint.aclose()

    def stop(self) -> None:
        """Ask `run` to return."""
        super().stop()
        self._wanted.set()

    async def _watch(self) -> None:
        while not self.stopping:
            self._wanted.clear()
            await self._read()
            await self.pause(self._least_s)
            await wait_for_event(self._wanted, self._period_s - self._least_s)

    async def _read(self) -> None:
        try:
            count = self._keys.replace(await self._endpoint.read())
        except (UnavailableError, InvalidInputError) as error:
            if Repeats.is_told(failures := self._failures.count("read")):
                _log.warning("provider_keys_not_read", error=str(error), failures=failures)
        else:
            if failures := self._failures.forget("read"):
                _log.warning("provider_keys_recovered", failures=failures)
            _log.debug("provider_keys_read", keys=count)
