"""What runs beside the requests: the store's connection and the delivery worker.

Where there is a lifespan they start and end with it; inside a `Mount` there is none, so they start
with the first request of an event loop. A store that is down at the start is no reason not to serve
what needs no store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextvars import Context
from typing import TYPE_CHECKING

from pwless_middleware.delivery.base import Mailer, close_mailer, is_inline
from pwless_middleware.delivery.queue.queue import Deliveries
from pwless_middleware.delivery.texts.senders import TextSenders
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.flows.capabilities.lifespans import Lifespans
from pwless_middleware.flows.capabilities.periodic import Periodics
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.settings.current_settings import CurrentSettings
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.stores.base import Store

if TYPE_CHECKING:
    from pwless_middleware.database.database import Database
    from pwless_middleware.flows.events.event_writer import EventWriter
    from pwless_middleware.flows.people.active_users import ActiveUsers
    from pwless_middleware.flows.people.person_directory import PersonDirectory
    from pwless_middleware.flows.settings.current_templates import CurrentTemplates

logger = logging.getLogger("pwless.lifetime")

DRAIN_SECONDS = 5.0
"""How long a shutdown waits for mails that are due."""
INLINE_SECONDS = 2.0
"""After how long a request answers that delivers its own mail, whatever there was to deliver."""
NOT_ASYNCIO = "serve the app on asyncio; trio is not supported"


class Lifetime:
    """Start and end what runs beside the requests, once for each event loop.

    Args:
        store: opened and closed.
        deliveries: its loop is run, unless requests deliver.
        mailer: closed at the end.
        events: told to the last one at the end.
        lifespans: what features hold open; `None` is nothing.
        text_senders: closed at the end; `None` is none.
        writer: writes events to the database, to the last one at the end; `None` writes none.
        people: note when somebody was seen, to the last one at the end; `None` note nothing.
        database: opened before the store, closed after it; `None` is none.
        periodics: what features do every so often, in the loops that have a worker; `None` is
            nothing.
        settings, templates: kept current; `None` is nothing.
        is_serverless: nothing runs between requests, so that each delivers its own mail.
    """

    def __init__(
        self,
        store: Store,
        deliveries: Deliveries,
        mailer: Mailer,
        *,
        events: Events,
        lifespans: Lifespans | None = None,
        text_senders: TextSenders | None = None,
        periodics: Periodics | None = None,
        database: Database | None = None,
        writer: EventWriter | None = None,
        people: PersonDirectory | ActiveUsers | None = None,
        settings: CurrentSettings | None = None,
        templates: CurrentTemplates | None = None,
        is_serverless: bool = False,
    ) -> None:
        self._settings = settings
        self._templates = templates
        self._store = store
        self._database = database
        self._writer = writer
        self._people = people
        self._deliveries = deliveries
        self._mailer = mailer
        self._events = events
        self._lifespans = lifespans or Lifespans()
        self._text_senders = text_senders or TextSenders()
        self._periodics = periodics
        # Under Starlette's TestClient without `with`, a loop lives for one request: a worker would
        # die with it, so the `Outbox` is served by the request itself.
        self._is_inline = is_inline(mailer)
        self._is_serverless = is_serverless
        self.loop: asyncio.AbstractEventLoop | None = None
        """The loop that was started last: one comparison tells most requests that all is well."""
        self.notice: str | None = None
        """What the console is told as this starts, once; `None` for nothing."""
        self._tasks: PerLoop[set[asyncio.Task[None]]] = PerLoop(set)
        self._only_served: asyncio.AbstractEventLoop | None = None
        """The loop in which nothing was started on purpose."""

    def ensure_started(self) -> None:
        """Start in the running event loop, if this is its first request; never waits.

        Raises:
            ConfigError: the server does not run on asyncio.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigError("server", NOT_ASYNCIO) from None
        if self.loop is not loop:
            self.start()

    def start(self) -> None:
        """Start in the running event loop, if that has not been done; never waits."""
        self.loop = loop = asyncio.get_running_loop()
        if self._tasks.find() is not None:
            return
        if self.notice is not None:
            logger.warning("%s", self.notice)
            self.notice = None
        # In a context of their own: the first request's time limit is not theirs.
        self._lifespans.start()
        tasks = self._tasks.here()
        tasks.add(loop.create_task(self._open(), context=Context()))
        if self._writer is not None:
            tasks.add(loop.create_task(self._writer.run(), context=Context()))
        if self._settings is not None:
            tasks.add(loop.create_task(self._settings.run(), context=Context()))
        if self._templates is not None:
            tasks.add(loop.create_task(self._templates.run(), context=Context()))
        if not (self._is_inline or self._is_serverless):
            tasks.add(loop.create_task(self._deliveries.run(), context=Context()))
            if self._periodics is not None:
                tasks.add(loop.create_task(self._periodics.run(), context=Context()))

    def serve_only(self) -> None:
        """Start nothing in the running event loop: `check` must deliver nobody's mail.

        What is queued here is for the app's own process, whose `Outbox` somebody reads; only on a
        serverless host, where none goes on, `wake_delivery` delivers.
        """
        self._tasks.here()
        self._only_served = asyncio.get_running_loop()

    async def open(self) -> None:
        """Start, and wait until the store was reached once, as an app's startup does.

        Raises:
            ConfigError: the store is set up in a way that would break promises, the lifespan of a
                feature has failed, or the server does not run on asyncio.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigError("server", NOT_ASYNCIO) from None
        with contextlib.suppress(StoreError):  # logged where it happened
            await self._connect()
        await self._lifespans.open()
        self.start()

    async def wake_delivery(self) -> None:
        """See that a job which has just been queued is delivered.

        Raises:
            StoreError: the mailer delivers inline, and the queue could not be asked.
        """
        self.start()
        if self._is_serverless:
            await self._deliveries.run_for(INLINE_SECONDS)
        elif self._is_inline and self._only_served is not asyncio.get_running_loop():
            await self._deliveries.run_due()

    async def flush_events(self) -> None:
        """Write the events of this process that wait for the database, if there is one."""
        if self._writer is not None:
            await self._writer.flush()

    async def close(self) -> None:
        """Deliver what is due, then end everything of the running event loop."""
        await self._deliveries.drain(DRAIN_SECONDS)
        self.loop = None
        tasks = self._tasks.pop() or set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._events.flush()
        await self._lifespans.close()
        await self.flush_events()
        if self._people is not None:
            await self._people.flush()
        await close_mailer(self._mailer)
        await self._text_senders.aclose()
        await self._store.aclose()
        if self._database is not None:
            await self._database.aclose()

    async def _connect(self) -> None:
        try:
            if self._database is not None:
                await self._database.open()
            await self._store.open()
            if self._settings is not None:
                await self._settings.load()
        except StoreError as error:
            logger.warning(
                "the store is not there yet: %s",
                error,
                extra={"event": "store_down", "reason": str(error)},
            )
            raise

    async def _open(self) -> None:
        try:
            await self._connect()
        except (StoreError, ConfigError) as error:
            # Every verb that needs the store says so again, to the request that asked for it.
            logger.error(
                "the store cannot be used: %s",
                error,
                extra={"event": "store_down", "reason": str(error)},
            )
