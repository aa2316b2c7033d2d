"""Events on their way out: collected as they happen, and put to the database for each webhook.

    event ──note──▶ memory ──a moment later, many at once──▶ rows ──▶ a job ──▶ `sender`

The rows are the truth: whatever happens to the job, a row that waits is looked at again. What waits
in memory is bounded; while the database is away it stays there, and what finds no room is counted,
logged, and told by an event. Of refused requests, which anybody can send, an hour has so many as
are kept of them (security rule 23).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_search import HOUR
from pwless_middleware.core.operators.webhook import NextTry, WebhookDelivery
from pwless_middleware.database.operators.webhook_deliveries import (
    AT_ONCE,
    WebhookDeliveryRepository,
)
from pwless_middleware.errors import StoreError, Unavailable
from pwless_middleware.features.webhooks.events import OWN
from pwless_middleware.features.webhooks.held import HeldWebhooks
from pwless_middleware.features.webhooks.messages import make_delivery
from pwless_middleware.flows.events.event_writer import REFUSALS, REFUSALS_PER_HOUR
from pwless_middleware.flows.events.flood_log import FloodLog
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.tracebacks import traceback_without_text
from pwless_middleware.web.kit import Kit

logger = logging.getLogger("pwless.webhooks")

TRY: Final = "webhook_try"
"""The topic of the jobs."""
MOST_WAITING: Final = 10_000
"""Events that may wait in memory for the database."""
LOOK_SECONDS: Final = 30
"""After which what waits is looked at again, should its job be lost."""
CLOSE_SECONDS: Final = 2.0
"""For what waits as the process ends."""
_GATHER: Final = 0.05  # seconds, so that the events of a login go together
_OUTAGE: Final = 1.0  # seconds until a database that could not be asked is asked again
_TRIES_PER_JOB: Final = 50


class OutgoingEvents:
    """Collect events, and put them to the database and into the queue.

    Args:
        kit: the feature's.
        webhooks: where events go.
        deliveries: keeps what is on its way.
        pause: sleeps.
    """

    def __init__(
        self,
        kit: Kit,
        webhooks: HeldWebhooks,
        deliveries: WebhookDeliveryRepository,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._kit = kit
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._pause = pause
        self._waiting: deque[Event] = deque()
        self._woken: PerLoop[asyncio.Event] = PerLoop(asyncio.Event)
        self._floods = FloodLog(logger)
        self._dropped = 0
        self._hour = self._refusals = 0
        self._is_out = False

    def note(self, event: Event) -> None:
        """Collect an event; a subscriber of `flows.events`."""
        if event.id is None or event.kind.startswith(OWN):
            return
        if event.kind in REFUSALS and not self._has_room_for_refusal(event.at):
            self._floods.warning(
                "refused requests are sent to no webhook: so many come", event="webhook_dropped"
            )
            return
        if len(self._waiting) >= MOST_WAITING:
            self._dropped += 1
            self._floods.warning(
                "an event was sent to no webhook: too many wait", event="webhook_dropped"
            )
            return
        self._waiting.append(event)
        self._woken.here().set()

    def _has_room_for_refusal(self, at: int) -> bool:
        """Whether one more may be sent: anybody can bring them about at will, at no cost."""
        hour = at // HOUR
        if hour > self._hour:
            self._hour, self._refusals = hour, 0
        self._refusals += 1
        return self._refusals <= REFUSALS_PER_HOUR

    async def run(self) -> None:
        """Put what is collected to the database until cancelled."""
        woken = self._woken.here()
        while True:
            await woken.wait()
            woken.clear()
            await self._pause(_GATHER)
            if not await self.flush():
                woken.set()
                await self._pause(_OUTAGE)

    async def flush(self) -> bool:
        """Put what is collected to the database; return whether all of it is there."""
        while self._waiting:
            events = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            try:
                await self._send(events)
            except (StoreError, asyncio.CancelledError) as error:
                self._waiting.extendleft(reversed(events))
                if isinstance(error, asyncio.CancelledError):
                    raise
                self._note_outage(error)
                return False
            except Exception as error:  # a mistake; what comes behind must not wait for it
                logger.error(
                    "%d events were sent to no webhook:\n%s",
                    len(events),
                    traceback_without_text(error),
                    extra={"event": "webhook_crashed"},
                )
                self._dropped += len(events)
        self._is_out = False
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._kit.events.record("webhook.dropped", details={"count": dropped})
        return True

    async def close(self) -> None:
        """Put what is collected to the database, as the process ends; at most `CLOSE_SECONDS`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.flush()
        if self._waiting:
            logger.error("the last events were sent to no webhook", extra={"event": "events_lost"})

    async def _send(self, events: Sequence[Event]) -> None:
        webhooks = await self._webhooks.list()
        look_at = self._kit.clock() + LOOK_SECONDS
        rows = [
            make_delivery(event, webhook.id, look_at=look_at)
            for event in events
            for webhook in webhooks
            if webhook.wants(event.kind)
        ]
        for start in range(0, len(rows), AT_ONCE):
            await self.put(rows[start : start + AT_ONCE])

    async def put(self, rows: Sequence[WebhookDelivery]) -> None:
        """Put up to `AT_ONCE` deliveries to the database, and have them tried.

        Raises:
            StoreError: the database cannot take them.
        """
        await self._deliveries.add(rows)
        with suppress(Unavailable):  # the rows are looked at again; the queue's health tells it
            await self.queue([NextTry(row.webhook_id, row.event_id, row.tries) for row in rows])

    async def queue(self, tries: Sequence[NextTry]) -> None:
        """Queue tries of what is in the database.

        Raises:
            Unavailable: the store or the queue cannot take them.
        """
        for start in range(0, len(tries), _TRIES_PER_JOB):
            batch = tries[start : start + _TRIES_PER_JOB]
            body = json.dumps([[one.webhook_id, one.event_id, one.tries] for one in batch])
            await self._kit.jobs.put(TRY, body.encode(), ttl=3600)

    async def queue_due(self) -> None:
        """Queue what is to be tried now; called every few seconds, on one process of all.

        Raises:
            StoreError, Unavailable: the database or the store cannot be asked.
        """
        now = self._kit.clock()
        while due := await self._deliveries.due(
            now=now, again_at=now + 2 * LOOK_SECONDS, limit=AT_ONCE
        ):
            await self.queue(due)

    def _note_outage(self, error: Exception) -> None:
        if not self._is_out:
            logger.warning(
                "events for webhooks wait, since the database cannot take them: %s",
                error,
                extra={"event": "store_down"},
            )
        self._is_out = True


def read_tries(body: bytes) -> list[NextTry]:
    """Return the tries of a job."""
    return [NextTry(*fields) for fields in json.loads(body)]
