"""Find people for the list, wherever they are kept: page by page, never by counting.

Our own are found by the beginning of their address, by id, by when they came, or as disabled; each
by an index. The host's own table is asked by its `search`, if it has one, and else for one address
or id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, Protocol

from pwless_middleware.core.addresses.address import parse_address, parse_prefix
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.core.people.person import Person
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import InvalidArgument, LoginDenied
from pwless_middleware.features.dashboard.people.places import (
    bad_cursor,
    read_address,
    read_place,
    write_place,
)
from pwless_middleware.flows.people.people import People
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

PAGE: Final = 50
"""People of one page."""
SEARCH_CURSOR: Final = "people_search"
"""What a cursor of the host's own search is sealed for."""

View = Literal["all", "newest", "disabled"]
_LONGEST: Final = 240  # bytes beside the digest that a handle holds
VIEWS: Final[tuple[View, ...]] = ("all", "newest", "disabled")
"""What can be listed, and in which order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleQuery:
    """What an operator looks for.

    Attributes:
        text: the beginning of an address, or an id; empty for all.
        view: what is listed.
        after, before: cursors; empty for none.
    """

    text: str = ""
    view: View = "all"
    after: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPeople:
    """A page of people.

    Attributes:
        people: in order; users of the host's own table are people without times.
        before, after: cursors of the pages before and behind; empty where there is none.
    """

    people: Sequence[Person] = ()
    before: str = ""
    after: str = ""


class PeopleSearch(Protocol):
    """Find people."""

    async def find(self, query: PeopleQuery) -> FoundPeople:
        """Return a page.

        Raises:
            InvalidArgument: a cursor is none of ours, or the parts do not go together.
            StoreError, UsersUnavailable: it cannot be known now.
        """
        ...


class OwnSearch:
    """Find the people of the database.

    Args:
        people: finds them.
    """

    def __init__(self, people: People) -> None:
        self._people = people

    async def find(self, query: PeopleQuery) -> FoundPeople:
        """Return a page."""
        if query.after and query.before:
            raise bad_cursor("before")
        if query.view == "newest":
            return await self._newest(query)
        return await self._by_address(query, is_disabled=query.view == "disabled")

    async def _newest(self, query: PeopleQuery) -> FoundPeople:
        if query.text:
            raise InvalidArgument.of("view", _ALL_ONLY, "alone")
        after, before = read_place("after", query.after), read_place("before", query.before)
        found = await self._people.newest(after=after, before=before, limit=PAGE + 1)
        page = found[-PAGE:] if before is not None else found[:PAGE]
        first, last = (
            (write_place(page[0].place), write_place(page[-1].place)) if page else ("", "")
        )
        return _page(page, first, last, query, has_more=len(found) > PAGE)

    async def _by_address(self, query: PeopleQuery, *, is_disabled: bool) -> FoundPeople:
        after, before = read_address("after", query.after), read_address("before", query.before)
        prefix = parse_prefix(query.text)
        found: Sequence[Person] = ()
        if prefix is not None:
            found = await self._people.list(
                prefix=prefix,
                after=after,
                before=before,
                limit=PAGE + 1,
                disabled=is_disabled,
            )
        page = list(found[-PAGE:] if before else found[:PAGE])
        first, last = (page[0].email, page[-1].email) if page else ("", "")
        shown = _page(page, first, last, query, has_more=len(found) > PAGE)
        if query.text and not after and not before and "@" not in query.text:
            person = await self._people.find(query.text)
            if (
                person is not None
                and person not in page
                and (person.is_disabled or not is_disabled)
            ):
                return FoundPeople(people=[person, *page], before=shown.before, after=shown.after)
        return shown


class TableSearch:
    """Find users of the host's own table.

    Args:
        kit: everything below.
    """

    def __init__(self, kit: Kit) -> None:
        self._users = kit.users
        self._secrets = kit.secrets

    async def find(self, query: PeopleQuery) -> FoundPeople:
        """Return a page: of its search, if it has one, and of the one address or id."""
        if query.view != "all" or query.before:
            raise InvalidArgument.of("view", _NOT_HERE, "table")
        text = query.text.strip()
        users: list[User] = []
        after = self._open(query.after, text)
        if text and not after:
            users = await self._one(text)
        if not self._users.can_search:
            return FoundPeople(people=[_as_person(user) for user in users])
        prefix = parse_prefix(text)
        found = [] if prefix is None else await self._users.search(prefix, after)
        known = {user.id for user in users}
        users += [user for user in found if user.id not in known]
        following = ""
        if found and await self._users.search(prefix or "", found[-1].email):
            following = self._seal(found[-1].email, text)
        return FoundPeople(people=[_as_person(user) for user in users], after=following)

    async def _one(self, text: str) -> list[User]:
        address = parse_address(text)
        if address is not None:
            try:
                user = await self._users.find(address)
            except LoginDenied:  # one with another address: the search may say which
                user = None
            if user is not None:
                return [user]
        by_id = await self._users.load(text)
        return [] if by_id is None else [by_id]

    def _seal(self, cursor: str, text: str) -> str:
        """Return an address of the table under our seal: its search is given no other text."""
        return self._secrets.seal(SEARCH_CURSOR, _bind(text) + cursor.encode()[:_LONGEST])

    def _open(self, handle: str, text: str) -> str:
        if not handle:
            return ""
        opened = self._secrets.open(SEARCH_CURSOR, handle)
        bound = _bind(text)
        if opened is None or not opened.startswith(bound):
            raise bad_cursor("after")
        return opened.removeprefix(bound).decode()


def _bind(text: str) -> bytes:
    """Return what ties a cursor to what was looked for."""
    return digest(SEARCH_CURSOR, parse_prefix(text) or "")


def _page(
    page: Sequence[Person], first: str, last: str, query: PeopleQuery, *, has_more: bool
) -> FoundPeople:
    if query.before:
        return FoundPeople(people=page, before=first if has_more else "", after=last)
    before = first if query.after else ""
    return FoundPeople(people=page, before=before, after=last if has_more else "")


def _as_person(user: User) -> Person:
    name = user.display_name if user.display_name != user.email else ""
    return Person(user.id, user.email, name=name, language=user.language)


_ALL_ONLY = Text("The newest are listed of all people: leave the search empty.")
_NOT_HERE = Text("Your own table has the people, and is listed in its own order alone.")
