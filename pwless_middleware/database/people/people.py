"""People in the database: who exists where the host has no user table.

A person has one id for ever and one address at a time, which is nobody else's and is changed by
`database.people.address_changes` alone. The id of somebody who was deleted is never given again: a
digest of it stays, under a random pepper of this database, so that it names nobody, and whoever has
the address next is another person.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.person import Person, Place
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.event_counters import note_active
from pwless_middleware.database.events.events import insert_event
from pwless_middleware.database.statement import Query, Row, Statement, Steps


class PersonRepository(Protocol):
    """Keep people. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it, or not where nothing is changed; `None`
    writes none.
    """

    async def find(self, user_id: str) -> Person | None:
        """Return the person with this id, or `None`."""
        ...

    async def find_several(self, user_ids: Sequence[str]) -> Mapping[str, Person]:
        """Return the people with these ids, by id; who is not there is left out."""
        ...

    async def find_by_email(self, email: Address) -> Person | None:
        """Return the person who has this address now, or `None`."""
        ...

    async def list(
        self,
        *,
        prefix: str = "",
        after: str = "",
        before: str = "",
        limit: int = 50,
        disabled: bool = False,
    ) -> Sequence[Person]:
        """Return people in the order of their addresses.

        Args:
            prefix: how their addresses begin, lower-case; empty takes all.
            after: the address of the last one of the page before; empty begins.
            before: the address of the first one of the page behind: those right before it are
                returned, in the same order; empty takes `after`.
            limit: how many at most.
            disabled: whether only those as whom nobody can sign in.
        """
        ...

    async def newest(
        self, *, after: Place | None = None, before: Place | None = None, limit: int = 50
    ) -> Sequence[Person]:
        """Return people as they came, the last one first.

        Args:
            after: the place of the last one of the page before; `None` begins.
            before: the place of the first one of the page behind: those right before it are
                returned, in the same order; `None` takes `after`.
            limit: how many at most.
        """
        ...

    async def add(self, person: Person, *, audit: Event | None = None) -> tuple[Person, bool]:
        """Keep a new person, once however many try at the same time.

        Returns:
            The person who has the address now, and whether they are new: the one given; or with a
            random id, where theirs is another's or was a deleted person's; or whoever had the
            address before.
        """
        ...

    async def set_profile(
        self,
        user_id: str,
        *,
        name: str | None = None,
        language: str | None = None,
        audit: Event | None = None,
    ) -> Person | None:
        """Set what the person may choose; `None` leaves it, empty takes it away.

        Returns:
            The person, or `None` if there is none with this id.
        """
        ...

    async def disable(self, user_id: str, *, at: int, audit: Event | None = None) -> Person | None:
        """Let nobody sign in as this person, from `at` on; who is disabled already stays as it is.

        Returns:
            The person, or `None` if there is none with this id.
        """
        ...

    async def enable(self, user_id: str, *, audit: Event | None = None) -> Person | None:
        """Let the person sign in again.

        Returns:
            The person, or `None` if there is none with this id.
        """
        ...

    async def delete(
        self, user_id: str, *, retired: Sequence[str] = (), audit: Event | None = None
    ) -> bool:
        """Forget a person, and never give their id again; false if there was none with this id.

        Args:
            user_id: of whom; it is retired even if there is no row.
            retired: further ids that are never given.
            audit: must not name the person; written whether or not there was a row.
        """
        ...

    async def was_deleted(self, user_id: str) -> bool:
        """Whether an id is one that is never given again."""
        ...

    async def touch(self, seen: Mapping[str, int]) -> None:
        """Note when people were seen last: id to unix seconds; never goes back in time.

        They count as active then.
        """
        ...


_FIRST_PLACE: Final = Place(2**62, "")
PEPPER_BYTES: Final = 32
_PEPPER: Final = "deleted_people"


class SQLPeople:
    """Keep people in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pepper: bytes | None = None

    async def find(self, user_id: str) -> Person | None:
        """Return the person with this id, or `None`."""
        return _one(await self._database.fetch(_FIND(user_id)))

    async def find_several(self, user_ids: Sequence[str]) -> Mapping[str, Person]:
        """Return the people with these ids, by id; who is not there is left out."""
        rows = await self._database.fetch(_FIND_SEVERAL(json.dumps(list(user_ids))))
        return {row[0]: _person(row) for row in rows}

    async def find_by_email(self, email: Address) -> Person | None:
        """Return the person who has this address now, or `None`."""
        return _one(await self._database.fetch(_FIND_BY_EMAIL(email)))

    async def list(
        self,
        *,
        prefix: str = "",
        after: str = "",
        before: str = "",
        limit: int = 50,
        disabled: bool = False,
    ) -> Sequence[Person]:
        """Return people in the order of their addresses."""
        # One bound on each side, so that a page deep in the list begins there and not at its begin.
        # An address is printable ASCII: nothing is between it and it with U+0001 behind, and DELETE
        # comes behind all that goes on.
        first, end = max(prefix, after + "\x01" if after else ""), prefix + "\x7f"
        if before:
            query = (_LIST_DISABLED_BACK if disabled else _LIST_BACK)(
                prefix, min(end, before), limit
            )
            return [_person(row) for row in reversed(await self._database.fetch(query))]
        query = (_LIST_DISABLED if disabled else _LIST)(first, end, limit)
        return [_person(row) for row in await self._database.fetch(query)]

    async def newest(
        self, *, after: Place | None = None, before: Place | None = None, limit: int = 50
    ) -> Sequence[Person]:
        """Return people as they came, the last one first."""
        if before is not None:
            rows = await self._database.fetch(_NEWEST_BACK(before.created_at, before.id, limit))
            return [_person(row) for row in reversed(rows)]
        after = after or _FIRST_PLACE
        rows = await self._database.fetch(_NEWEST(after.created_at, after.id, limit))
        return [_person(row) for row in rows]

    async def add(self, person: Person, *, audit: Event | None = None) -> tuple[Person, bool]:
        """Keep a new person, or return who has the address."""
        return await self._database.transact(lambda: _add(person, audit))

    async def set_profile(
        self,
        user_id: str,
        *,
        name: str | None = None,
        language: str | None = None,
        audit: Event | None = None,
    ) -> Person | None:
        """Set what the person may choose; `None` leaves it, empty takes it away."""
        return await self._change(_SET_PROFILE(user_id, name, language), audit)

    async def disable(self, user_id: str, *, at: int, audit: Event | None = None) -> Person | None:
        """Let nobody sign in as this person."""
        return await self._change(_DISABLE(user_id, at), audit)

    async def enable(self, user_id: str, *, audit: Event | None = None) -> Person | None:
        """Let the person sign in again."""
        return await self._change(_ENABLE(user_id), audit)

    async def delete(
        self, user_id: str, *, retired: Sequence[str] = (), audit: Event | None = None
    ) -> bool:
        """Forget a person, and never give their id again."""
        return await self._database.transact(lambda: _delete(user_id, (user_id, *retired), audit))

    async def was_deleted(self, user_id: str) -> bool:
        """Whether an id is one that is never given again."""
        if self._pepper is None:
            rows = await self._database.fetch(_FIND_PEPPER(_PEPPER))
            if not rows:
                return False  # it comes with the first one who is deleted
            self._pepper = rows[0][0]
        return bool(await self._database.fetch(_FIND_DELETED(digest_of(user_id, self._pepper))))

    async def touch(self, seen: Mapping[str, int]) -> None:
        """Note when people were seen last."""
        await self._database.transact(lambda: _touch(seen))

    async def _change(self, query: Query, audit: Event | None) -> Person | None:
        return await self._database.transact(lambda: _change(query, audit))


def digest_of(user_id: str, pepper: bytes) -> bytes:
    """Return what stays of a deleted person's id: without the pepper it can be told of nobody."""
    return hmac.digest(pepper, user_id.encode(), "sha256")


def random_id() -> str:
    """Return a new user id: 128 random bits, as long as those that are made of addresses."""
    return secrets.token_urlsafe(16)


def _add(person: Person, audit: Event | None) -> Steps[tuple[Person, bool]]:
    id = person.id
    while True:
        found = _one((yield _FIND_BY_EMAIL(person.email)))
        if found is not None:
            return found, False
        rows = yield _ADD(*_values(person, id))
        if rows:
            break
        id = random_id()  # theirs is another's, or the address was given to somebody just now
    # Asked after the row is there: whoever deletes the id at the same time is before us or after.
    pepper = yield _FIND_PEPPER(_PEPPER)
    if pepper and (yield _FIND_DELETED(digest_of(id, pepper[0][0]))):
        rows = yield _CHANGE_ID(id, random_id())
    person = _person(rows[0])
    if audit is not None:
        yield from insert_event(replace(audit, user_id=person.id))
    return person, True


def _change(query: Query, audit: Event | None) -> Steps[Person | None]:
    person = _one((yield query))
    if person is not None and audit is not None:
        yield from insert_event(audit)
    return person


def _delete(user_id: str, retired: Sequence[str], audit: Event | None) -> Steps[bool]:
    yield _ADD_PEPPER(_PEPPER, secrets.token_bytes(PEPPER_BYTES))
    [(pepper,)] = yield _FIND_PEPPER(_PEPPER)
    for id in retired:
        yield _ADD_DELETED(digest_of(id, pepper))
    is_gone = bool((yield _DELETE(user_id)))
    if audit is not None:
        yield from insert_event(audit)
    return is_gone


def _touch(seen: Mapping[str, int]) -> Steps[None]:
    there = []
    for user_id, at in seen.items():
        if (yield _TOUCH(user_id, at)):  # else deleted meanwhile
            there.append((user_id, at))
    yield from note_active(there)


def _values(person: Person, id: str) -> tuple[str | int | None, ...]:
    return (
        *(id, person.email or None, person.name, person.language),
        *(person.created_at, person.seen_at, person.disabled_at),
    )


def _one(rows: Sequence[Row]) -> Person | None:
    return _person(rows[0]) if rows else None


def _person(row: Row) -> Person:
    id, email, *others = row
    return Person(id, email or "", *others)


_FIND = Statement(
    "SELECT id, email, name, language, created_at, seen_at, disabled_at "
    "FROM pwless_people WHERE id = $1"
)
_FIND_SEVERAL = Statement(
    "SELECT id, email, name, language, created_at, seen_at, disabled_at FROM pwless_people "
    "WHERE id IN (SELECT value FROM json_each($1))",
    postgres="SELECT id, email, name, language, created_at, seen_at, disabled_at "
    "FROM pwless_people "
    "WHERE id IN (SELECT json_array_elements_text(CAST(CAST($1 AS TEXT) AS JSON)))",
)
_FIND_BY_EMAIL = Statement(
    "SELECT id, email, name, language, created_at, seen_at, disabled_at "
    "FROM pwless_people WHERE email = $1"
)
_LIST = Statement(
    "SELECT id, email, name, language, created_at, seen_at, disabled_at FROM pwless_people "
    "WHERE email >= $1 AND email < $2 ORDER BY email LIMIT $3"
)
_LIST_BACK = Statement(
    "SELECT id, email, name, language, created_at, seen_at, disabled_at FROM pwless_people "
    "WHERE email >= $1 AND email < $2 ORDER BY email DESC LIMIT $3"
)
# SQLite counts no rows, and would read all people in search of the few who are disabled.
_LIST_DISABLED = Statement(
    "SELECT id, email, name, language, created_at, seen_at, disabled_at FROM pwless_people "
    "INDEXED BY pwless_people_disabled WHERE disabled_at IS NOT NULL "
    "AND email >= $1 AND email < $2 ORDER BY email LIMIT $3",
    postgres="SELECT id, email, name, language, created_at, seen_at, disabled_at "
    "FROM pwless_people WHERE disabled_at IS NOT NULL "
    "AND email >= $1 AND email < $2 ORDER BY email LIMIT $3",
)
_LIST_DISABLED_BACK = Statement(
    "SELECT id, email, name, language, created_at, seen_at, disabled_at FROM pwless_people "
    "INDEXED BY pwless_people_disabled WHERE disabled_at IS NOT NULL "
    "AND email >= $1 AND email < $2 ORDER BY email DESC LIMIT $3",
    postgres="SELECT id, email, name, language, created_at, seen_at, disabled_at "
    "FROM pwless_people WHERE disabled_at IS NOT NULL "
    "AND email >= $1 AND email < $2 ORDER BY email DESC LIMIT $3",
)
_NEWEST = Statement(
    "SELECT id, email, name, language, created_at, seen_at, disabled_at FROM pwless_people "
    "WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT $3"
)
_NEWEST_BACK = Statement(
    "SELECT id, email, name, language, created_at, seen_at, disabled_at FROM pwless_people "
    "WHERE (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3"
)
_ADD = Statement(
    "INSERT INTO pwless_people (id, email, name, language, created_at, seen_at, disabled_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING "
    "RETURNING id, email, name, language, created_at, seen_at, disabled_at"
)
_CHANGE_ID = Statement(
    "UPDATE pwless_people SET id = $2 WHERE id = $1 "
    "RETURNING id, email, name, language, created_at, seen_at, disabled_at"
)
_SET_PROFILE = Statement(
    "UPDATE pwless_people SET name = COALESCE($2, name), language = COALESCE($3, language) "
    "WHERE id = $1 RETURNING id, email, name, language, created_at, seen_at, disabled_at"
)
_DISABLE = Statement(
    "UPDATE pwless_people SET disabled_at = COALESCE(disabled_at, $2) WHERE id = $1 "
    "RETURNING id, email, name, language, created_at, seen_at, disabled_at"
)
_ENABLE = Statement(
    "UPDATE pwless_people SET disabled_at = NULL WHERE id = $1 "
    "RETURNING id, email, name, language, created_at, seen_at, disabled_at"
)
IS_DISABLED = Statement("SELECT 1 FROM pwless_people WHERE id = $1 AND disabled_at IS NOT NULL")
"""A row where a person is disabled, or being deleted; for what is not to be added to them then."""
_DELETE = Statement("DELETE FROM pwless_people WHERE id = $1 RETURNING id")
_TOUCH = Statement(
    "UPDATE pwless_people SET seen_at = CASE WHEN seen_at > $2 THEN seen_at ELSE $2 END"
    " WHERE id = $1 RETURNING id"
)
_ADD_PEPPER = Statement(
    "INSERT INTO pwless_peppers (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING"
)
_FIND_PEPPER = Statement("SELECT value FROM pwless_peppers WHERE name = $1")
_ADD_DELETED = Statement(
    "INSERT INTO pwless_deleted_people (digest) VALUES ($1) ON CONFLICT DO NOTHING"
)
_FIND_DELETED = Statement("SELECT 1 FROM pwless_deleted_people WHERE digest = $1")
