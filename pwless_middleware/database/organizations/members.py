"""Members in the database: who is in which organization, and in which role."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.organization import Member
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event
from pwless_middleware.database.organizations.organization_steps import IS_ORGANIZATION
from pwless_middleware.database.people.people import IS_DISABLED
from pwless_middleware.database.statement import Row, Statement, Steps

MOST: Final = 1_000
"""Organizations of one person, at most: each process can hold those of everybody whom it serves."""

MemberChange = Literal["done", "stale", "taken", "full", "disabled", "gone"]
"""What became of a change: it is made; somebody else has changed the row first; another member has
its external id; the person is in `MOST` organizations; nobody can sign in as this person, who may
be about to be deleted; or there is no such organization."""


class MemberRepository(Protocol):
    """Keep members. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it or not at all; `None` writes none.
    """

    async def find(self, organization: str, user_id: str) -> Member | None:
        """Return a person as a member, active or not, or `None`."""
        ...

    async def find_by_external_id(self, organization: str, external_id: str) -> Member | None:
        """Return the member whom a directory knows by this id, or `None`."""
        ...

    async def list(
        self, organization: str, *, after: str = "", limit: int = 50
    ) -> Sequence[Member]:
        """Return members of an organization, active or not, by user id.

        Args:
            organization: which.
            after: the user id of the last one of the page before; empty begins.
            limit: how many at most.
        """
        ...

    async def list_of(self, user_id: str) -> Sequence[Member]:
        """Return a person as a member of all organizations, active or not, by organization."""
        ...

    async def count(self, organization: str) -> int:
        """Return how many members an organization has, active or not."""
        ...

    async def put(
        self, member: Member, *, seen: Member | None, audit: Event | None = None
    ) -> MemberChange:
        """Keep a member in the place of what was seen.

        Args:
            member: the whole row.
            seen: what stood there; `None` for nothing. Where something else does, nothing happens.
            audit: see above.
        """
        ...

    async def remove(self, organization: str, user_id: str, *, audit: Event | None = None) -> bool:
        """Forget a member; false if the person is none."""
        ...

    async def erase(self, user_id: str) -> None:
        """Forget a person as a member of all organizations."""
        ...


class SQLMembers:
    """Keep members in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, organization: str, user_id: str) -> Member | None:
        """Return a person as a member, or `None`."""
        rows = await self._database.fetch(_FIND(organization, user_id))
        return _member(rows[0]) if rows else None

    async def find_by_external_id(self, organization: str, external_id: str) -> Member | None:
        """Return the member whom a directory knows by this id, or `None`."""
        rows = await self._database.fetch(_FIND_EXTERNAL(organization, external_id))
        return _member(rows[0]) if rows else None

    async def list(
        self, organization: str, *, after: str = "", limit: int = 50
    ) -> Sequence[Member]:
        """Return members of an organization, by user id."""
        rows = await self._database.fetch(_LIST(organization, after, limit))
        return [_member(row) for row in rows]

    async def list_of(self, user_id: str) -> Sequence[Member]:
        """Return a person as a member of all organizations."""
        return [_member(row) for row in await self._database.fetch(_LIST_OF(user_id, MOST))]

    async def count(self, organization: str) -> int:
        """Return how many members an organization has."""
        [(count,)] = await self._database.fetch(_COUNT(organization))
        return int(count)

    async def put(
        self, member: Member, *, seen: Member | None, audit: Event | None = None
    ) -> MemberChange:
        """Keep a member in the place of what was seen."""
        return await self._database.transact(lambda: put_member(member, seen, audit))

    async def remove(self, organization: str, user_id: str, *, audit: Event | None = None) -> bool:
        """Forget a member."""
        return await self._database.transact(lambda: _remove(organization, user_id, audit))

    async def erase(self, user_id: str) -> None:
        """Forget a person as a member of all organizations."""
        await self._database.transact(lambda: _erase(user_id))


def put_member(member: Member, seen: Member | None, audit: Event | None) -> Steps[MemberChange]:
    """Keep a member in the place of what was seen (`MemberRepository.put`)."""
    rows = yield _FIND(member.organization, member.user_id)
    if (_member(rows[0]) if rows else None) != seen:
        return "stale"
    if seen is None:
        if not (yield IS_ORGANIZATION(member.organization)):
            return "gone"
        # Who deletes a person disables them first.
        if (yield IS_DISABLED(member.user_id)):
            return "disabled"
        if len((yield _LIST_OF(member.user_id, MOST))) >= MOST:
            return "full"
    if member.external_id is not None and (
        yield _IS_TAKEN(member.organization, member.external_id, member.user_id)
    ):
        return "taken"
    yield _PUT(
        *(member.organization, member.user_id, member.role, member.origin, member.external_id),
        *(int(member.is_active), member.created_at),
    )
    if audit is not None:
        yield from insert_event(audit)
    return "done"


def find_member(organization: str, user_id: str) -> Steps[Member | None]:
    """Return a person as a member, in a transaction."""
    rows = yield _FIND(organization, user_id)
    return _member(rows[0]) if rows else None


def _remove(organization: str, user_id: str, audit: Event | None) -> Steps[bool]:
    is_gone = bool((yield _REMOVE(organization, user_id)))
    if is_gone and audit is not None:
        yield from insert_event(audit)
    return is_gone


def _erase(user_id: str) -> Steps[None]:
    yield _ERASE(user_id)


def _member(row: Row) -> Member:
    organization, user_id, role, origin, external_id, is_active, created_at = row
    return Member(
        organization=organization,
        user_id=user_id,
        role=role,
        origin=origin,
        external_id=external_id,
        is_active=bool(is_active),
        created_at=created_at,
    )


_FIND = Statement(
    "SELECT organization, user_id, role, origin, external_id, is_active, created_at "
    "FROM pwless_members WHERE organization = $1 AND user_id = $2"
)
_FIND_EXTERNAL = Statement(
    "SELECT organization, user_id, role, origin, external_id, is_active, created_at "
    "FROM pwless_members WHERE organization = $1 AND external_id = $2"
)
_LIST = Statement(
    "SELECT organization, user_id, role, origin, external_id, is_active, created_at "
    "FROM pwless_members WHERE organization = $1 AND user_id > $2 ORDER BY user_id LIMIT $3"
)
_LIST_OF = Statement(
    "SELECT organization, user_id, role, origin, external_id, is_active, created_at "
    "FROM pwless_members WHERE user_id = $1 ORDER BY organization LIMIT $2"
)
_COUNT = Statement("SELECT count(*) FROM pwless_members WHERE organization = $1")
_IS_TAKEN = Statement(
    "SELECT 1 FROM pwless_members WHERE organization = $1 AND external_id = $2 AND user_id <> $3"
)
_PUT = Statement(
    "INSERT INTO pwless_members (organization, user_id, role, origin, external_id, is_active, "
    "created_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (organization, user_id) DO UPDATE "
    "SET role = excluded.role, origin = excluded.origin, external_id = excluded.external_id, "
    "is_active = excluded.is_active, created_at = excluded.created_at"
)
_REMOVE = Statement(
    "DELETE FROM pwless_members WHERE organization = $1 AND user_id = $2 RETURNING user_id"
)
_ERASE = Statement("DELETE FROM pwless_members WHERE user_id = $1")
