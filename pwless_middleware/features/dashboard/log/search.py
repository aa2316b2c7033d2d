"""Find attempts and events for the pages, the exports and the live tail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.attempt import Attempt, AttemptFilter
from pwless_middleware.core.events.event_id import parse_event_id
from pwless_middleware.core.events.event_search import EventFilter, StoredEvent
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.dashboard.log.filters import LogQuery
from pwless_middleware.features.dashboard.log.organizations import (
    find_organization_id,
    name_organizations,
)
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.events.attempts import FoundAttempts
    from pwless_middleware.database.events.events import FoundEvents
    from pwless_middleware.database.repositories import Repositories

ATTEMPT_NAME: Final = re.compile(r"[A-Za-z0-9_-]{8}")
"""What the name of an attempt looks like (`Keyring.log_name`)."""
MOST_OF_STORY: Final = 1_000
"""Events of one attempt that its page shows; limits see to it that there are few."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a search is about: whoever has the id, or to whom the addresses belong.

    Attributes:
        user_id: the id; `None` for none.
        addresses: keyed digests; empty for none.
        organization: the id of one; `None` for none.
    """

    user_id: str | None = None
    addresses: tuple[str, ...] = ()
    organization: str | None = None


class LogSearch:
    """Find attempts and events.

    Args:
        kit: everything below.
        repositories: what the database keeps.
    """

    def __init__(self, kit: Kit, repositories: Repositories) -> None:
        self._kit = kit
        self._attempts = repositories.attempts
        self._events = repositories.events
        self._organizations = repositories.organizations

    async def find_subject(self, query: LogQuery) -> Subject:
        """Return whom a query is about; nobody where it names nobody.

        An organization is found by its name, too.

        An address is found under each key of `secret_key`, and with it the person who signed in
        with it last.

        Raises:
            InvalidArgument: it looks like an address, and is none, or it names two people.
            StoreError: the database cannot be asked.
        """
        if query.q and query.user_id:
            raise InvalidArgument.of("user_id", Text("Look for one person at a time."), "one")
        organization = None
        if query.organization:
            organization = await find_organization_id(self._organizations, query.organization)
        if "@" not in query.q:
            return Subject(query.user_id or query.q or None, organization=organization)
        address = parse_address(query.q)
        if address is None:
            told = Text("Enter one email address, like jo@example.com.")
            raise InvalidArgument.of("q", told, "email")
        digests = self._kit.events.digests_of(address)
        signed_in = EventFilter(addresses=digests, kinds=("session.created",))
        last = await self._events.look_back(signed_in, limit=1)
        found = last.events[0].event.user_id if last.events else None
        return Subject(found, digests, organization)

    async def find_attempts(self, query: LogQuery, subject: Subject, limit: int) -> FoundAttempts:
        """Return a page of attempts.

        Raises:
            StoreError: the database cannot be asked.
        """
        wanted = AttemptFilter(
            outcome=query.outcome or None,
            user_id=subject.user_id,
            addresses=subject.addresses,
            organization=subject.organization,
            method=query.method or None,
            country=query.country or None,
            since=query.starts(self._kit.clock()),
            until=query.ends,
        )
        return await self._attempts.find(wanted, before=query.cursor, limit=limit)

    async def find_events(self, query: LogQuery, subject: Subject, limit: int) -> FoundEvents:
        """Return a page of events.

        Raises:
            StoreError: the database cannot be asked.
        """
        wanted = self.event_filter(query, subject)
        return await self._events.look_back(wanted, before=query.cursor, limit=limit)

    def event_filter(self, query: LogQuery, subject: Subject) -> EventFilter:
        """Return which events a query is about."""
        return EventFilter(
            kinds=(query.kind,) if query.kind else (),
            user_id=subject.user_id,
            addresses=subject.addresses,
            organization=subject.organization,
            method=query.method or None,
            country=query.country or None,
            since=query.starts(self._kit.clock()),
            until=query.ends,
        )

    async def name_organizations(self, ids: Iterable[str | None]) -> Mapping[str, str]:
        """Return what organizations are called, by id; without those that are gone.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await name_organizations(self._organizations, ids)

    async def load_attempt(self, name: str) -> tuple[Attempt, Sequence[StoredEvent]] | None:
        """Return an attempt and its whole story: what happened to its session, too.

        Args:
            name: of the attempt; whatever stands in a URL.

        Raises:
            StoreError: the database cannot be asked.
        """
        attempt = await self._attempts.load(name) if ATTEMPT_NAME.fullmatch(name) else None
        if attempt is None:
            return None
        story = await self._events.find(EventFilter(attempt=name), after=-1, limit=MOST_OF_STORY)
        sessions = {one.event.session for one in story if one.event.session is not None}
        ids = {one.event.id for one in story}
        for session in sorted(sessions):
            about = await self._events.find(EventFilter(session=session), after=-1, limit=50)
            story += [one for one in about if one.event.id not in ids]
            ids |= {one.event.id for one in about}
        return attempt, sorted(story, key=lambda one: one.event.id or "")

    async def load_event(self, id: str) -> StoredEvent | None:
        """Return one event, or `None` if there is none with this id.

        Raises:
            StoreError: the database cannot be asked.
        """
        number = parse_event_id(id)
        if number is None:
            return None
        found = await self._events.find(EventFilter(), after=number - 1, before=number + 1)
        return found[0] if found else None
