"""Mail domains in the database: which organization says that one is its own, and whose it is.

Any number of organizations may claim a domain, so that nobody can keep it from its owner by asking
first; one at most has it verified (security rule 54).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.organization import Domain
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import change_with_event, insert_event
from pwless_middleware.database.organizations.organization_steps import IS_ORGANIZATION
from pwless_middleware.database.statement import Row, Statement, Steps

MOST: Final = 500
"""Domains of one organization, at most."""

DomainAdded = Literal["added", "known", "full", "gone"]
"""What became of a claim: it is kept; the organization has made it already; it has `MOST` domains;
or there is no such organization."""
DomainVerified = Literal["verified", "taken", "gone"]
"""What became of a verification: it is kept; another organization has the domain; or there is no
such claim."""


class DomainRepository(Protocol):
    """Keep domains. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it or not at all; `None` writes none.
    """

    async def find(self, organization: str, name: str) -> Domain | None:
        """Return what an organization has of a domain, or `None`."""
        ...

    async def owner_of(self, name: str) -> Domain | None:
        """Return the verified domain of this name, or `None` where nobody has it."""
        ...

    async def list(self, organization: str) -> Sequence[Domain]:
        """Return all domains of an organization, by name."""
        ...

    async def list_claims(self, prefix: str, *, limit: int = 50) -> Sequence[Domain]:
        """Return domains whose names begin so, verified or not, by name and organization.

        Args:
            prefix: lower-case ASCII.
            limit: how many at most.
        """
        ...

    async def list_verified(self, *, after: str = "", limit: int = 100) -> Sequence[Domain]:
        """Return the verified domains of all organizations, by name.

        Args:
            after: the name of the last one of the page before; empty begins.
            limit: how many at most.
        """
        ...

    async def list_failing(self, *, limit: int) -> Sequence[Domain]:
        """Return verified domains whose records are not found, the longest missing first.

        Args:
            limit: how many at most.
        """
        ...

    async def add(self, domain: Domain, *, audit: Event | None = None) -> DomainAdded:
        """Keep a claim; it binds nobody."""
        ...

    async def verify(
        self,
        organization: str,
        name: str,
        *,
        at: int,
        has_record: bool = True,
        audit: Event | None = None,
    ) -> DomainVerified:
        """Have a domain be an organization's own since `at`, or since before if it is already.

        Args:
            organization, name: which.
            at: unix seconds.
            has_record: whether its record was found; else a person knows it, and it is as if nobody
                had looked for the record yet.
            audit: written where nobody has verified it before.
        """
        ...

    async def note_check(
        self, organization: str, name: str, *, at: int, is_there: bool, audit: Event | None = None
    ) -> Domain | None:
        """Note that the record of a domain was looked for, and return the domain as it is then.

        A domain whose record is not found stays verified: only a person takes it away. Of one that
        a person has verified nothing is noted until its record is there: it may never have one.

        Args:
            organization, name: which.
            at: unix seconds.
            is_there: whether it was found.
            audit: written where a verified domain begins to fail, or ends.
        """
        ...

    async def remove(self, organization: str, name: str, *, audit: Event | None = None) -> bool:
        """Forget a domain; false if the organization has none of this name."""
        ...


class SQLDomains:
    """Keep domains in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, organization: str, name: str) -> Domain | None:
        """Return what an organization has of a domain, or `None`."""
        rows = await self._database.fetch(_FIND(organization, name))
        return _domain(rows[0]) if rows else None

    async def owner_of(self, name: str) -> Domain | None:
        """Return the verified domain of this name, or `None`."""
        rows = await self._database.fetch(_OWNER(name))
        return _domain(rows[0]) if rows else None

    async def list(self, organization: str) -> Sequence[Domain]:
        """Return all domains of an organization, by name."""
        return [_domain(row) for row in await self._database.fetch(_LIST(organization, MOST))]

    async def list_claims(self, prefix: str, *, limit: int = 50) -> Sequence[Domain]:
        """Return domains whose names begin so."""
        query = _CLAIMS(prefix, prefix + "\x7f", limit)
        return [_domain(row) for row in await self._database.fetch(query)]

    async def list_verified(self, *, after: str = "", limit: int = 100) -> Sequence[Domain]:
        """Return the verified domains of all organizations, by name."""
        return [_domain(row) for row in await self._database.fetch(_VERIFIED(after, limit))]

    async def list_failing(self, *, limit: int) -> Sequence[Domain]:
        """Return verified domains whose records are not found, the longest missing first."""
        return [_domain(row) for row in await self._database.fetch(_FAILING(limit))]

    async def add(self, domain: Domain, *, audit: Event | None = None) -> DomainAdded:
        """Keep a claim."""
        return await self._database.transact(lambda: _add(domain, audit))

    async def verify(
        self,
        organization: str,
        name: str,
        *,
        at: int,
        has_record: bool = True,
        audit: Event | None = None,
    ) -> DomainVerified:
        """Have a domain be an organization's own."""
        return await self._database.transact(
            lambda: _verify(organization, name, at, has_record, audit)
        )

    async def note_check(
        self, organization: str, name: str, *, at: int, is_there: bool, audit: Event | None = None
    ) -> Domain | None:
        """Note that the record of a domain was looked for."""
        return await self._database.transact(
            lambda: _note_check(organization, name, at, is_there, audit)
        )

    async def remove(self, organization: str, name: str, *, audit: Event | None = None) -> bool:
        """Forget a domain."""
        query = _REMOVE(organization, name)
        return await self._database.transact(lambda: change_with_event(query, audit))


def _add(domain: Domain, audit: Event | None) -> Steps[DomainAdded]:
    if not (yield IS_ORGANIZATION(domain.organization)):
        return "gone"
    if (yield _FIND(domain.organization, domain.name)):
        return "known"
    if len((yield _LIST(domain.organization, MOST))) >= MOST:
        return "full"
    yield _ADD(
        *(domain.organization, domain.name, domain.token, domain.created_at),
        *(domain.verified_at, domain.checked_at, domain.failing_since),
    )
    if audit is not None:
        yield from insert_event(audit)
    return "added"


def _verify(
    organization: str, name: str, at: int, has_record: bool, audit: Event | None
) -> Steps[DomainVerified]:
    rows = yield _FIND(organization, name)
    if not rows:
        return "gone"
    owner = yield _OWNER(name)
    if owner and _domain(owner[0]).organization != organization:
        return "taken"
    yield _VERIFY(organization, name, at, at if has_record else None)
    if audit is not None and not owner:
        yield from insert_event(audit)
    return "verified"


def _note_check(
    organization: str, name: str, at: int, is_there: bool, audit: Event | None
) -> Steps[Domain | None]:
    rows = yield _FIND(organization, name)
    if not rows:
        return None
    before = _domain(rows[0])
    after = with_check(before, at=at, is_there=is_there)
    yield _NOTE_CHECK(organization, name, after.checked_at, after.failing_since)
    has_changed = (before.failing_since is None) != (after.failing_since is None)
    if audit is not None and has_changed:
        yield from insert_event(audit)
    return after


def with_check(domain: Domain, *, at: int, is_there: bool) -> Domain:
    """Return a domain as it is after its record was looked for.

    One that a person has verified stays as it is until its record is there.
    """
    if domain.verified_at is not None and domain.checked_at is None and not is_there:
        return domain
    failing_since = None
    if domain.verified_at is not None and not is_there:
        failing_since = at if domain.failing_since is None else domain.failing_since
    return Domain(
        name=domain.name,
        organization=domain.organization,
        token=domain.token,
        created_at=domain.created_at,
        verified_at=domain.verified_at,
        checked_at=at,
        failing_since=failing_since,
    )


def _domain(row: Row) -> Domain:
    organization, name, token, created_at, verified_at, checked_at, failing_since = row
    return Domain(
        name=name,
        organization=organization,
        token=token,
        created_at=created_at,
        verified_at=verified_at,
        checked_at=checked_at,
        failing_since=failing_since,
    )


_FIND = Statement(
    "SELECT organization, name, token, created_at, verified_at, checked_at, failing_since "
    "FROM pwless_domains WHERE organization = $1 AND name = $2"
)
_OWNER = Statement(
    "SELECT organization, name, token, created_at, verified_at, checked_at, failing_since "
    "FROM pwless_domains WHERE name = $1 AND verified_at IS NOT NULL"
)
_LIST = Statement(
    "SELECT organization, name, token, created_at, verified_at, checked_at, failing_since "
    "FROM pwless_domains WHERE organization = $1 ORDER BY name LIMIT $2"
)
_CLAIMS = Statement(
    "SELECT organization, name, token, created_at, verified_at, checked_at, failing_since "
    "FROM pwless_domains WHERE name >= $1 AND name < $2 ORDER BY name, organization LIMIT $3"
)
_VERIFIED = Statement(
    "SELECT organization, name, token, created_at, verified_at, checked_at, failing_since "
    "FROM pwless_domains WHERE name > $1 AND verified_at IS NOT NULL ORDER BY name LIMIT $2"
)
_FAILING = Statement(
    "SELECT organization, name, token, created_at, verified_at, checked_at, failing_since "
    "FROM pwless_domains WHERE failing_since IS NOT NULL "
    "ORDER BY failing_since, name, organization LIMIT $1"
)
_ADD = Statement(
    "INSERT INTO pwless_domains (organization, name, token, created_at, verified_at, checked_at, "
    "failing_since) VALUES ($1, $2, $3, $4, $5, $6, $7)"
)
_VERIFY = Statement(
    "UPDATE pwless_domains SET verified_at = COALESCE(verified_at, $3), checked_at = $4, "
    "failing_since = NULL WHERE organization = $1 AND name = $2"
)
_NOTE_CHECK = Statement(
    "UPDATE pwless_domains SET checked_at = $3, failing_since = $4 "
    "WHERE organization = $1 AND name = $2"
)
_REMOVE = Statement(
    "DELETE FROM pwless_domains WHERE organization = $1 AND name = $2 RETURNING name"
)
