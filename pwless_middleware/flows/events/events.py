"""Events: recorded on the path of a request, told to their subscribers behind it.

    events.record("code.wrong", caller, attempt=attempt_of(id), tries_left=3)

Recording appends what was given, and asks the event loop for one callback where somebody listens.
What costs more (digests, the record `Event`, the subscribers) happens in that callback, for all
that was recorded by then, or as somebody reads. So no subscriber can slow, break or fail a login.
What waits is bounded, and so is what is kept: the last ones of this process.

An audit event tells of a change that somebody made, and is written in the transaction of that
change:

    audit = events.make("person.disabled", user_id=id, by="operator:u-1")
    await people.disable(id, audit=audit)
    events.publish(audit)
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from inspect import iscoroutinefunction
from itertools import count
from typing import TYPE_CHECKING, Final, Unpack

from pwless_middleware.core.events.event import Event, EventFields, EventKind
from pwless_middleware.core.events.event_kinds import KINDS
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.flows.events.event_maker import CountryOf, EventMaker, Recorded
from pwless_middleware.flows.events.flood_log import FloodLog
from pwless_middleware.tracebacks import traceback_without_text

if TYPE_CHECKING:
    from pwless_middleware.core.events.event_search import StoredEvent

logger = logging.getLogger("pwless.events")

Subscriber = Callable[[Event], None]
"""Is called with each event, in order, in the event loop; it must not block."""

KEPT: Final = 5_000
"""Events that are kept, and events that may wait: about 2.7 MB, by tracemalloc."""
UNWRITTEN: Final = 20_000
"""Events that may wait for the database: about 11 MB."""
_AT_ONCE: Final = 100
"""Events that are told before the event loop goes on with something else; more while many wait, or
a storm of logins would record more in each round than is told."""
_SHARE: Final = 4
"""While many wait, this part of them is told."""


class Events:
    """Record events, keep the last ones, and tell subscribers.

    Args:
        keyring: makes the digests; `None` leaves them out, for who has a database and no keys.
        clock: returns unix seconds.
        kept: how many events are kept, and how many may wait to be told; default 5,000.
    """

    def __init__(
        self, keyring: Keyring | None, clock: Callable[[], int], *, kept: int = KEPT
    ) -> None:
        self._maker = EventMaker(keyring)
        self._clock = clock
        self._kinds = dict(KINDS)
        self._kept: deque[Recorded | Event] = deque(maxlen=kept)
        self._count = 0
        self._counts = count(1)  # unlike a sum, whole in several threads
        self._subscribers: list[tuple[Subscriber, frozenset[str] | None]] = []
        self._listeners: dict[str, tuple[Subscriber, ...]] = {}
        self._waiting: deque[Recorded | Event] = deque()
        self._most_waiting = kept
        self._unwritten: deque[Recorded | StoredEvent] = deque()
        self._is_collected = False
        self._unwritten_dropped = 0
        self._woken: asyncio.AbstractEventLoop | None = None
        self._sleepers: list[asyncio.Future[None]] = []
        self._floods = FloodLog(logger)
        self.dropped = 0
        """How many events no subscriber was told, since too many were waiting."""

    # --- set-up --------------------------------------------------------------------------------

    def declare(self, kinds: Iterable[EventKind], *, by: str) -> None:
        """Add a feature's own kinds; two features may have the very same one.

        Raises:
            ConfigError: one of them is there already, and is another one.
        """
        for kind in kinds:
            if self._kinds.get(kind.name, kind) is not kind:
                raise ConfigError("features", f"{by} declares events {kind.name!r}, which exist")
            self._kinds[kind.name] = kind

    def subscribe(self, subscriber: Subscriber, *, kinds: Iterable[str] | None = None) -> None:
        """Have a subscriber called with each event from now on.

        An exception of it is logged, and goes no further.

        Args:
            subscriber: is called in the event loop, and must not block.
            kinds: of which it wants to hear; `None` for all.

        Raises:
            ConfigError: it is not callable, or async: nobody would await it.
        """
        is_async = iscoroutinefunction(subscriber) or iscoroutinefunction(
            getattr(subscriber, "__call__", None)  # noqa: B004 # an object whose call is async
        )
        if is_async or not callable(subscriber):
            example = "a plain function; one that has to wait puts the event into an asyncio.Queue"
            raise ConfigError("on_event", f"set {example}")
        self._subscribers.append((subscriber, frozenset(kinds) if kinds is not None else None))
        self._listeners.clear()

    def locate(self, country_of: CountryOf) -> None:
        """Have events of clients say in which country they are; asked behind the requests.

        Args:
            country_of: returns the country of a network; must not wait.
        """
        self._maker.locate(country_of)

    @property
    def kinds(self) -> Mapping[str, EventKind]:
        """Every kind, those of features included, by name."""
        return self._kinds

    # --- recording -----------------------------------------------------------------------------

    def record(
        self, kind: str, caller: Caller | None = None, /, **given: Unpack[EventFields]
    ) -> None:
        """Record an event; returns at once.

        Args:
            kind: one of `core.events.event.KINDS`, or of a feature's own.
            caller: of whom it tells, for the kinds that have the fields of a caller.
            given: the other fields.

        Raises:
            ValueError: a kind, field or reason that is not declared: a mistake of who records.
        """
        recorded = self._take(kind, caller, given)
        if self._is_collected:
            if len(self._unwritten) < UNWRITTEN:
                self._unwritten.append(recorded)
            else:
                self._drop_unwritten()
        self._append(kind, recorded)

    def make(
        self, kind: str, caller: Caller | None = None, /, **given: Unpack[EventFields]
    ) -> Event:
        """Return an audit event, for who writes it in the transaction of its change.

        It is recorded by `publish`, once the change is made. The arguments are those of `record`;
        `by` says who made the change.

        Raises:
            ValueError: as for `record`.
        """
        return self._maker.event(self._take(kind, caller, given))

    def publish(self, event: Event) -> None:
        """Record an event of `make` that is in the database already; returns at once."""
        self._append(event.kind, event)

    def _take(self, kind: str, caller: Caller | None, given: EventFields) -> Recorded:
        declared = self._kinds.get(kind)
        if declared is None or not declared.admits(caller, given):
            raise ValueError(f"no event {kind!r} with {sorted(given)} and these values")
        try:
            at = self._clock()
        except StoreError:  # a time that no record can hold; whoever needs the store says so
            at = 0
        number = next(self._counts)
        if caller is None:
            return at, number, declared, "", None, "", given
        return at, number, declared, caller.name, caller.client, caller.device, given

    def _append(self, kind: str, recorded: Recorded | Event) -> None:
        self._kept.append(recorded)
        self._count += 1
        if self._sleepers:
            self._wake_followers()
        listeners = self._listeners.get(kind)
        if listeners is None:
            listeners = self._listeners[kind] = self._listeners_of(kind)
        if listeners:
            self._tell_later(recorded)

    def _drop_unwritten(self) -> None:
        self._unwritten_dropped += 1
        self._floods.warning(
            "an event was not written: too many wait for the database", event="event_dropped"
        )

    def _listeners_of(self, kind: str) -> tuple[Subscriber, ...]:
        return tuple(
            subscriber for subscriber, kinds in self._subscribers if kinds is None or kind in kinds
        )

    def _tell_later(self, recorded: Recorded | Event) -> None:
        if len(self._waiting) >= self._most_waiting:
            self.dropped += 1
            self._floods.warning("an event was dropped: too many wait", event="event_dropped")
            return
        self._waiting.append(recorded)
        loop = asyncio.get_running_loop()
        if self._woken is not loop:
            self._woken = loop
            loop.call_soon(self._tell_some, context=Context())

    def _tell_some(self) -> None:
        self._woken = None
        waiting = len(self._waiting)
        for _ in range(min(max(_AT_ONCE, waiting // _SHARE), waiting)):
            self._tell()
        if self._waiting:
            self._woken = loop = asyncio.get_running_loop()
            loop.call_soon(self._tell_some, context=Context())

    def flush(self) -> None:
        """Tell the subscribers everything that waits, as the process ends."""
        for _ in range(len(self._waiting)):
            self._tell()

    def _tell(self) -> None:
        try:
            recorded = self._waiting.popleft()
        except IndexError:  # another event loop's thread was faster
            return
        event = self._maker.event(recorded)
        for subscriber in self._listeners_of(event.kind):
            try:
                subscriber(event)
            except Exception as error:
                logger.error(
                    "a subscriber failed at an event %s:\n%s",
                    event.kind,
                    traceback_without_text(error),
                    extra={"event": "subscriber_failed"},
                )

    # --- for the database ----------------------------------------------------------------------

    def collect(self) -> None:
        """Collect what is recorded from now on, for `take`."""
        self._is_collected = True

    @property
    def unwritten(self) -> int:
        """How many events wait for the database."""
        return len(self._unwritten)

    def take(self, limit: int, *, keep_addresses: bool) -> list[StoredEvent]:
        """Return the first of the events that wait for the database, which wait no longer.

        Args:
            limit: how many at most.
            keep_addresses: whether with the address in clear.
        """
        from pwless_middleware.core.events.event_search import StoredEvent

        taken: list[StoredEvent] = []
        while self._unwritten and len(taken) < limit:
            found = self._unwritten.popleft()
            if not isinstance(found, StoredEvent):
                email = found[-1].get("address") if keep_addresses else None
                found = StoredEvent(self._maker.event(found), email)
            taken.append(found)
        return taken

    def put_back(self, taken: Sequence[StoredEvent]) -> None:
        """Let events wait again, before all others."""
        self._unwritten.extendleft(reversed(taken))

    def drop_taken(self, count: int) -> None:
        """Count events that were taken, and can never be written."""
        self._unwritten_dropped += count

    def count_unwritten(self) -> int:
        """Return how many events were dropped, since too many waited, since this was asked."""
        dropped, self._unwritten_dropped = self._unwritten_dropped, 0
        return dropped

    # --- reading -------------------------------------------------------------------------------

    def digests_of(self, address: str) -> tuple[str, ...]:
        """Return what an address may stand as in an event: one digest for each secret key."""
        return self._maker.digests_of(address)

    def attempt_digest(self, attempt: bytes) -> str | None:
        """Return what an attempt stands as in events; `None` where there are no keys."""
        return self._maker.attempt_digest(attempt)

    def newest(self) -> Iterator[Event]:
        """Go through the events that are kept, the newest first."""
        for recorded in reversed(list(self._kept)):
            yield self._maker.event(recorded)

    def follow(self) -> AsyncIterator[Event]:
        """Go through all events from now on, as they come; never ends.

        Who is slower than events come misses those that are not kept any more.
        """
        return self._follow(self._count)

    async def _follow(self, seen: int) -> AsyncIterator[Event]:
        while True:
            kept = list(self._kept)
            new, seen = min(self._count - seen, len(kept)), self._count
            for recorded in kept[len(kept) - new :]:
                yield self._maker.event(recorded)
            if seen == self._count:
                await self._sleep()

    async def _sleep(self) -> None:
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers.append(sleeper)
        await sleeper

    def _wake_followers(self) -> None:
        sleepers, self._sleepers = self._sleepers, []
        for sleeper in sleepers:
            with suppress(RuntimeError):  # its event loop has ended
                sleeper.get_loop().call_soon_threadsafe(_end, sleeper)


def _end(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
