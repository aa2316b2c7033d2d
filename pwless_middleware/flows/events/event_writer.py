"""Events to the database: collected on the path of requests, written in batches behind it.

What can be lost: with a process that is killed, what it recorded in its last half second, and what
waits while the database is down. That is bounded too, and so are the refusals of an hour; what is
beyond is dropped, counted, and told by an event `event.dropped` with what is written next. An
orderly shutdown writes everything. Audit events do not come here: they are in the database before
they are told.

Who is erased is erased once more a little later, as another process may just have been writing
something about them.

A batch that failed stays first, and may have been written for all we know: the database takes each
event once (`database.events.events`).
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_search import HOUR, StoredEvent
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.flows.events.events import Events
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.tracebacks import traceback_without_text

if TYPE_CHECKING:  # and not loaded where there is no database
    from pwless_middleware.database.events.events import EventRepository

logger = logging.getLogger("pwless.events")

Erase = Callable[[], Awaitable[None]]
"""Leaves nothing of a person in what is made of events."""

PAUSE: Final = 0.5
"""Seconds between two looks at what has been recorded: who follows is a second behind, at most."""
BATCH: Final = 200
"""Events of one transaction."""
LARGEST_BATCH: Final = 2_000
"""Events of one transaction while many wait: about 150 ms of SQLite's one writer."""
_SHARE: Final = 5
"""While many wait, a batch is this part of them. A batch costs some rounds of the event loop, and
in a storm of logins a round takes long and records much: batches of one size would fall behind."""
_AT_ONCE: Final = 50
"""Events that are made ready before the event loop goes on with something else: about 1 ms. Of a
batch that is larger than others all are, since the loop is busy then anyway."""
REFUSALS: Final = frozenset({"caller.refused", "limit.reached", "sso.failed"})
"""What anybody can have recorded at will, at no cost and counted by no limit."""
REFUSALS_PER_HOUR: Final = 10_000
"""Of those, how many of an hour a process writes: a few MB. Else a stranger could fill the disk, on
which logins may stand too (security rule 23)."""
ERASED_AGAIN: Final = 3.0
"""Seconds after which a person is erased once more: two pauses, and time to write."""
FLUSH_SECONDS: Final = 3.0
"""How long a shutdown waits for the database."""


class EventWriter:
    """Write what is recorded to a repository.

    Args:
        events: records; has the queue.
        repository: takes the events.
        keep_addresses: write the address in clear beside its digest.
        pause: sleeps.
    """

    def __init__(
        self,
        events: Events,
        repository: EventRepository,
        *,
        keep_addresses: bool,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._events = events
        self._repository = repository
        self._keep_addresses = keep_addresses
        self._pause = pause
        self._is_out = False
        self._hour = 0
        self._refusals = 0
        self._erasures: list[tuple[float, Erase]] = []
        self._writing: PerLoop[asyncio.Lock] = PerLoop(asyncio.Lock)
        events.collect()

    async def run(self) -> None:
        """Write what is recorded until cancelled."""
        while True:
            await self._pause(PAUSE)
            if await self.write(with_newcomers=False):
                await self._erase(due=asyncio.get_running_loop().time())

    async def flush(self) -> None:
        """Write everything that was recorded, as the process ends; at most `FLUSH_SECONDS`."""
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                is_written = await self.write()
                await self._erase(due=math.inf)
        except TimeoutError:
            is_written = False
        if not is_written:
            logger.error(
                "the last events were not written to the database",
                extra={"event": "events_lost"},
            )

    def erase_again(self, erase: Erase) -> None:
        """Erase a person once more, when other processes have written what they had.

        Args:
            erase: does so; raises `StoreError` where the database cannot be asked.
        """
        self._erasures.append((asyncio.get_running_loop().time() + ERASED_AGAIN, erase))

    async def _erase(self, *, due: float) -> None:
        while self._erasures and self._erasures[0][0] <= due:
            erasure = self._erasures.pop(0)
            try:
                await erasure[1]()
            except StoreError:
                self._erasures.insert(0, erasure)
                return  # tried again in a second

    async def write(self, batches: int | None = None, *, with_newcomers: bool = True) -> bool:
        """Write what was recorded; return whether all of it is in the database now.

        Args:
            batches: how many at most, for who cannot wait; `None` for all.
            with_newcomers: whether also what is recorded meanwhile (default). On a busy site there
                always is some, and each would have a commit of its own.
        """
        while batches is None or batches > 0:
            size = BATCH if batches is not None else self._batch_size()
            batches = None if batches is None else batches - 1
            batch: list[StoredEvent] = []
            try:
                # Another's batch under way is in neither queue nor database: who looks at the
                # database next, to erase a person from it, must not miss what is in it.
                async with self._writing.here():
                    await self._take(batch, size)
                    if not batch:
                        return True
                    await self._repository.write(batch)
            except (StoreError, ConfigError) as error:
                self._put_back(batch)
                self._note_outage(error)
                return False
            except asyncio.CancelledError:
                self._put_back(batch)
                raise
            except Exception as error:  # a mistake; what comes behind must not wait for it
                logger.error(
                    "%d events could not be written:\n%s",
                    len(batch),
                    traceback_without_text(error),
                    extra={"event": "events_lost"},
                )
                self._events.drop_taken(len(batch))
                continue
            self._note_success()
            if not with_newcomers and len(batch) < size:
                return True
        return False

    def _batch_size(self) -> int:
        return max(BATCH, min(LARGEST_BATCH, self._events.unwritten // _SHARE))

    async def _take(self, batch: list[StoredEvent], size: int) -> None:
        at_once = _AT_ONCE if size <= BATCH else size
        while len(batch) < size:
            taken = self._events.take(at_once, keep_addresses=self._keep_addresses)
            admitted = [stored for stored in taken if self._admits(stored.event)]
            batch += admitted
            self._events.drop_taken(len(taken) - len(admitted))
            if len(taken) < at_once:
                break
            await asyncio.sleep(0)

    def _admits(self, event: Event) -> bool:
        """Whether an event is to be written: not a refusal beyond those of an hour."""
        if event.kind not in REFUSALS:
            return True
        hour = event.at // HOUR
        if hour > self._hour:
            self._hour, self._refusals = hour, 0
        self._refusals += 1
        return self._refusals <= REFUSALS_PER_HOUR

    def _put_back(self, batch: list[StoredEvent]) -> None:
        self._refusals -= sum(stored.event.kind in REFUSALS for stored in batch)
        self._events.put_back(batch)

    def _note_outage(self, error: Exception) -> None:
        if not self._is_out:
            self._is_out = True
            logger.warning(
                "events wait, since they cannot be written: %s",
                error,
                extra={"event": "store_down"},
            )

    def _note_success(self) -> None:
        if self._is_out:
            self._is_out = False
            logger.warning("events are written again", extra={"event": "events_written"})
        dropped = self._events.count_unwritten()
        if dropped:
            self._events.record("event.dropped", details={"count": dropped})
