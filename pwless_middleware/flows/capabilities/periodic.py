"""What a feature does every so often, on one process of all.

One record in the store stands for each: while it stands, it is nobody's turn. Who finds none writes
it, for `LEASE` seconds, and of any number of processes one succeeds and runs. The holder renews its
lease while it runs, and when it has ended lets the record stand until it is due again. A holder
that dies renews nothing: the record goes by itself, and another process takes the turn. A holder
that cannot renew in time stops, since another one may have begun.

So a run may be cut off and begun again, and has to bear that.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import ConfigError, StoreError, Unavailable
from pwless_middleware.flows.capabilities.records import Record, Records
from pwless_middleware.tracebacks import traceback_without_text

logger = logging.getLogger("pwless.periodic")

LEASE: Final = 30
"""Seconds after which a holder that does not renew its lease has lost it."""
_RENEWED: Final = 10.0  # seconds between renewals: two may fail
_OUTAGE: Final = 5.0  # seconds until the store is asked again
_LONGEST: Final = 31 * 86400
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Periodic:
    """Something to do every so often, on one process of all that share a store.

    Not where nothing runs between requests (`delivery="inline"`).

    Attributes:
        name: which; no two of one feature have the same.
        every: whole seconds from one begin to the next, 1 to 31 days. The first is at once, unless
            another process has done it in that time.
        run: does it. What it raises is logged, and it is tried again when it is due again.

    Raises:
        ConfigError: one of them is no such thing.
    """

    name: str
    every: int
    run: Callable[[], Awaitable[None]]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ConfigError("features", f"Periodic {self.name!r}: set 1 to 40 of a-z, 0-9 and _")
        if type(self.every) is not int or not 1 <= self.every <= _LONGEST:
            raise ConfigError("features", f"Periodic {self.name!r}: every={self.every!r} seconds")
        if not callable(self.run):
            raise ConfigError("features", f"Periodic {self.name!r}: run is no function")


class Periodics:
    """Run what is due, in one task of each event loop.

    Args:
        clock: gives unix seconds.
        pause: sleeps.
    """

    def __init__(
        self,
        clock: Callable[[], int],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._pause = pause
        self._all: list[_Turn] = []

    def add(self, feature: str, periodic: Periodic, records: Records) -> None:
        """Have a feature's periodic run.

        Args:
            feature: its name, for the log.
            periodic: what to do, and how often.
            records: the feature's own, for the lease.
        """
        self._all.append(_Turn(feature, periodic, records, self._clock))

    async def run(self) -> None:
        """Run what is due until cancelled."""
        outages: dict[_Turn, str] = {}
        async with asyncio.TaskGroup() as group:
            for turn in self._all:
                group.create_task(self._keep(turn, outages))

    async def _keep(self, turn: _Turn, outages: dict[_Turn, str]) -> None:
        """Run it whenever it is due.

        Args:
            turn: whose.
            outages: who cannot ask the store now, and why: one line is enough for all of them.
        """
        while True:
            try:
                wait = await turn.take()
                outages.pop(turn, None)
            except (StoreError, Unavailable) as error:
                is_news = turn not in outages and str(error) not in outages.values()
                outages.setdefault(turn, str(error))
                if is_news:
                    logger.warning(
                        "%s cannot look whether it is due: %s",
                        turn.title,
                        error,
                        extra={"event": "store_down"},
                    )
                wait = _OUTAGE
            await self._pause(wait)


class _Turn:
    """One periodic, and the lease that one process has of it."""

    def __init__(
        self, feature: str, periodic: Periodic, records: Records, clock: Callable[[], int]
    ) -> None:
        self.title = f"{feature}.{periodic.name}"
        self._periodic = periodic
        self._records = records
        self._clock = clock

    async def take(self) -> float:
        """Run it if it is due and nobody else does; return the seconds until it is to be asked.

        Raises:
            StoreError: the store could not be asked.
        """
        key, every, begun = self._periodic.name, self._periodic.every, self._clock()
        held = await self._records.read(key)
        if held is not None:
            return max(1, min(int.from_bytes(held.value, "big") - begun, every))
        if not await self._records.add(key, _end(begun + LEASE), ttl=LEASE):
            return 1
        lease = await self._records.read(key)
        lease = await self._run(lease) if lease is not None else None
        left = begun + every - self._clock()
        if lease is not None:
            if left < 1:
                await self._records.drop(key)
            else:
                await self._records.swap(lease, _end(begun + every), ttl=left)
        return max(1, left)

    async def _run(self, lease: Record) -> Record | None:
        """Run it under the lease, and return the lease, or `None` if it was lost."""
        task = asyncio.get_running_loop().create_task(self._run_once(), context=Context())
        renewed = self._clock()
        try:
            while not (await asyncio.wait((task,), timeout=_RENEWED))[0]:
                now = self._clock()
                found = await self._renew(lease, now)
                if found is not None:
                    lease, renewed = found, now
                elif now >= renewed + LEASE - _RENEWED:
                    logger.error(
                        "%s was stopped: its lease could not be renewed",
                        self.title,
                        extra={"event": "lease_lost"},
                    )
                    return None
        finally:
            task.cancel()
            await asyncio.wait((task,))
        return lease

    async def _renew(self, lease: Record, now: int) -> Record | None:
        try:
            return await self._records.swap(lease, _end(now + LEASE), ttl=LEASE)
        except StoreError:
            return None

    async def _run_once(self) -> None:
        try:
            await self._periodic.run()
        except Exception as error:
            logger.error(
                "%s failed, and is tried again in %d s:\n%s",
                self.title,
                self._periodic.every,
                traceback_without_text(error),
                extra={"event": "periodic_failed"},
            )


def _end(at: int) -> bytes:
    return at.to_bytes(8, "big")
