"""What a host sees of the events: `Passwordless.events`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import Event, EventKind
from pwless_middleware.core.events.event_id import parse_event_id
from pwless_middleware.errors import ConfigError, InvalidArgument
from pwless_middleware.flows.events.events import Events
from pwless_middleware.text import Text

if TYPE_CHECKING:  # and not loaded where there is no database
    from pwless_middleware.core.events.event_search import EventCount, StoredEvent
    from pwless_middleware.database.events.events import EventRepository
    from pwless_middleware.flows.events.event_writer import Erase, EventWriter

MOST: Final = 1_000
"""Events of one page."""
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some of the events that were looked for.

    Attributes:
        events: the newest first, or with `after` the oldest first.
        next: for `before`, or `after`, of the next page; `None` where there are no more.
    """

    events: Sequence[StoredEvent]
    next: str | None


class EventHistory:
    """Read what happened: in this process, and with a database everywhere and for long.

        for event in passwordless.events.recent(kind="code.wrong"):
            ...
        async for event in passwordless.events.follow():
            ...
        page = await passwordless.events.find(address="jo@example.com")

    Args:
        events: the last 5,000 of this process.
        repository: those of the database; `None` where there is none.
        writer: brings them there.
    """

    def __init__(
        self,
        events: Events,
        repository: EventRepository | None = None,
        writer: EventWriter | None = None,
    ) -> None:
        self._events = events
        self.repository = repository
        self._writer = writer

    # --- of this process -----------------------------------------------------------------------

    def recent(
        self,
        *,
        attempt: str | None = None,
        kind: str | None = None,
        user_id: str | None = None,
        limit: int = 100,
    ) -> list[Event]:
        """Return the last events of this process, the newest first.

        Args:
            attempt: of one login; `None` takes all.
            kind: of one kind; `None` takes all.
            user_id: of one user; `None` takes all.
            limit: how many at most; default 100.
        """
        found = (
            event
            for event in self._events.newest()
            if (attempt is None or event.attempt == attempt)
            and (kind is None or event.kind == kind)
            and (user_id is None or event.user_id == user_id)
        )
        return list(islice(found, limit))

    def follow(self) -> AsyncIterator[Event]:
        """Go through all events of this process from now on, as they come; never ends.

        Who is slower than events come misses those that are not kept any more.
        """
        return self._events.follow()

    @property
    def kinds(self) -> Mapping[str, EventKind]:
        """Every kind of event, those of features included, by name."""
        return self._events.kinds

    @property
    def dropped(self) -> int:
        """How many events were told to nobody, since too many were waiting."""
        return self._events.dropped

    # --- of the database -----------------------------------------------------------------------

    async def find(
        self,
        *,
        kind: str | Sequence[str] = (),
        attempt: str | None = None,
        user_id: str | None = None,
        address: str | None = None,
        organization: str | None = None,
        method: str | None = None,
        country: str | None = None,
        since: int | None = None,
        until: int | None = None,
        before: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> EventPage:
        """Return events of the database, of all processes, the newest first.

        What other processes have recorded in the last second or two may come later.

        Args:
            kind: of one kind, or of one of several; empty (default) takes all.
            attempt: of one login; `None` takes all.
            user_id: of one user; `None` takes all. With `address`: of the user or the address.
            address: of one address, as somebody types it; `None` takes all. It is found under each
                key of `secret_key`; events from under a key that is not there any more are not.
            organization: of one organization; `None` takes all.
            method: that name one method, e.g. `passkey`; `None` takes all.
            country: of clients in one country, ISO 3166-1; `None` takes all.
            since: from this unix second on; `None` takes all.
            until: before this unix second; `None` takes all.
            before: older than the event with this id; `None` begins with the newest.
            after: newer than the event with this id, the oldest first; `""` begins with the oldest.
            limit: how many at most; 1 to 1,000, default 100.

        Raises:
            InvalidArgument: the address, an id or the limit is none.
            StoreError: the database cannot be asked.
            ConfigError: there is no database, or no key to find an address by.
        """
        repository = await self._current()
        if type(limit) is not int or not 1 <= limit <= MOST:
            raise InvalidArgument.of(
                "limit", Text("Send %(least)s to %(most)s.", least=1, most=MOST), "range"
            )
        from pwless_middleware.core.events.event_search import EventFilter

        wanted = EventFilter(
            kinds=(kind,) if isinstance(kind, str) else tuple(kind),
            attempt=attempt,
            user_id=user_id,
            addresses=self._digests(address) if address is not None else (),
            organization=organization,
            method=method,
            country=country,
            since=since,
            until=until,
        )
        found = await repository.find(
            wanted, before=_number("before", before), after=_number("after", after), limit=limit + 1
        )
        page = found[:limit]
        return EventPage(page, page[-1].event.id if len(found) > limit else None)

    async def count(
        self, since: int, until: int, *, step: int = _HOUR, organization: str | None = None
    ) -> list[EventCount]:
        """Return how many events there were: a count for each hour, kind and method.

        It reads counts, not events, so that a month is a matter of milliseconds.

        Args:
            since: from the hour that begins at this unix second, or next after it.
            until: before this unix second.
            step: seconds that are counted together, whole hours; default one hour.
            organization: of one organization, by its id; `None` counts those of all together.

        Raises:
            InvalidArgument: the step is no such thing.
            StoreError: the database cannot be asked.
            ConfigError: there is no database.
        """
        if type(step) is not int or step < _HOUR or step % _HOUR:
            raise InvalidArgument.of("step", Text("This must be an integer."), "hours")
        repository = await self._current()
        return await repository.count(since, until, step=step, organization=organization)

    async def erase(self, user_id: str, addresses: Sequence[str] = ()) -> None:
        """Leave nothing in the database's events that names a person; what happened stays.

        End the person's sessions first: what is recorded later names the person again. What other
        processes were just about to write is erased some seconds later.

        Args:
            user_id: the person's.
            addresses: the person's, of now and before, for the events of failed logins.

        Raises:
            InvalidArgument: an address is none.
            StoreError: the database cannot be asked; do it again.
            ConfigError: there is no database.
        """
        repository = await self._current(batches=None)
        digests = [digest for address in addresses for digest in self._digests(address)]
        await repository.erase(user_id, digests)
        self.erase_again(partial(repository.erase, user_id, digests))

    def erase_again(self, erase: Erase) -> None:
        """Erase a person once more in some seconds, from what is made of events.

        Args:
            erase: does so; raises `StoreError` where the database cannot be asked.
        """
        if self._writer is not None:
            self._writer.erase_again(erase)

    async def export(
        self, user_id: str, addresses: Sequence[str] = ()
    ) -> AsyncIterator[StoredEvent]:
        """Go through all of the database's events about a person, the oldest first.

        The arguments, and what is raised, are as for `erase`.
        """
        repository = await self._current(batches=None)
        digests = [digest for address in addresses for digest in self._digests(address)]
        async for stored in repository.export(user_id, digests):
            yield stored

    async def _current(self, batches: int | None = 1) -> EventRepository:
        """Return the repository, with what this process has just recorded.

        Args:
            batches: of that, at most: after an outage all may take seconds; `None` for all.
        """
        if self.repository is None:
            raise ConfigError(
                "database", 'events are kept in one: add database="sqlite:///pwless.db"'
            )
        await self.catch_up(batches)
        return self.repository

    async def catch_up(self, batches: int | None = 1) -> None:
        """Write what this process has just recorded, for who asks a repository of events.

        Args:
            batches: of 200 events, at most: after an outage all may take seconds; `None` for all.
        """
        if self._writer is not None:
            await self._writer.write(batches)

    def _digests(self, address: str) -> tuple[str, ...]:
        parsed: Address | None = parse_address(address)
        if parsed is None:
            raise InvalidArgument.of(
                "address", Text("Enter one email address, like jo@example.com."), "email"
            )
        digests = self._events.digests_of(parsed)
        if not digests:  # or everybody's events would be found
            raise ConfigError(
                "secret_key", "an address is found by its digest, which needs the keys"
            )
        return digests


def _number(field: str, cursor: str | None) -> int | None:
    if cursor is None:
        return None
    number = parse_event_id(cursor) if cursor else -1
    if number is None:
        raise InvalidArgument.of(field, Text("This is not the id of an event."), "cursor")
    return number
