"""Organizations in the database: their names, brands and policies."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final, Literal, NamedTuple, Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event
from pwless_middleware.database.organizations.organization_steps import (
    delete_rows_of,
    has_working_connection,
)
from pwless_middleware.database.organizations.policy_column import pack_policy, unpack_policy
from pwless_middleware.database.statement import Row, Statement, Steps

OrganizationChange = Literal["done", "stale", "taken", "no_connection"]
"""What became of a change: it is made; somebody else has changed the row first, or it is gone;
another organization has its external id; or nobody could sign in any more, since the policy asks
for the company's login and no enabled connection has worked yet (security rule 54)."""


class OrganizationPlace(NamedTuple):
    """Where an organization stands among all, by name; what a page of them begins behind.

    Attributes:
        sort_name: the name as it is sorted.
        id: the organization's, since several may have one name.
    """

    sort_name: str = ""
    id: str = ""


def sort_name_of(name: str) -> str:
    """Return a name as organizations are sorted and searched by it."""
    return name.casefold()


def place_of(organization: Organization) -> OrganizationPlace:
    """Return where an organization stands among all."""
    return OrganizationPlace(sort_name_of(organization.name), organization.id)


_FIRST: Final = OrganizationPlace()


class OrganizationRepository(Protocol):
    """Keep organizations. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it or not at all; `None` writes none.
    """

    async def find(self, id: str) -> Organization | None:
        """Return the organization with this id, or `None`."""
        ...

    async def find_by_external_id(self, external_id: str) -> Organization | None:
        """Return the organization that the host knows by this key, or `None`."""
        ...

    async def find_several(self, ids: Collection[str]) -> Sequence[Organization]:
        """Return the organizations with these ids, by name; those that are gone are left out."""
        ...

    async def list(
        self, *, search: str = "", after: OrganizationPlace = _FIRST, limit: int = 50
    ) -> Sequence[Organization]:
        """Return organizations by name.

        Args:
            search: what their names contain, in whichever case; empty takes all.
            after: the place of the last one of the page before; the default begins.
            limit: how many at most.
        """
        ...

    async def count(self) -> int:
        """Return how many there are."""
        ...

    async def put(
        self, organization: Organization, *, seen: int | None, audit: Event | None = None
    ) -> OrganizationChange:
        """Keep an organization.

        Args:
            organization: the whole row; of one that is there, `created_at` stays.
            seen: the version that stood there; `None` for a new one.
            audit: see above.
        """
        ...

    async def delete(self, id: str, *, audit: Event | None = None) -> bool:
        """Forget an organization, its domains, connections, identities, members, invitations and
        set-up links; false if there is none with this id.
        """
        ...

    async def list_break_glass(self, addresses: Collection[str]) -> Sequence[Organization]:
        """Return the organizations in whose policies one of these addresses stands, by id."""
        ...

    async def list_requiring_sso(self, *, limit: int = 200) -> Sequence[Organization]:
        """Return organizations whose policies require the company's login, by id.

        Args:
            limit: how many at most.
        """
        ...

    async def erase_break_glass(self, addresses: Collection[str]) -> Sequence[str]:
        """Take addresses out of all policies; return the ids of the organizations that had one."""
        ...


class SQLOrganizations:
    """Keep organizations in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, id: str) -> Organization | None:
        """Return the organization with this id, or `None`."""
        rows = await self._database.fetch(_FIND(id))
        return _organization(rows[0]) if rows else None

    async def find_by_external_id(self, external_id: str) -> Organization | None:
        """Return the organization that the host knows by this key, or `None`."""
        rows = await self._database.fetch(_FIND_EXTERNAL(external_id))
        return _organization(rows[0]) if rows else None

    async def find_several(self, ids: Collection[str]) -> Sequence[Organization]:
        """Return the organizations with these ids, by name."""
        rows = await self._database.fetch(_FIND_SEVERAL(json.dumps(sorted(ids))))
        return [_organization(row) for row in rows]

    async def list(
        self, *, search: str = "", after: OrganizationPlace = _FIRST, limit: int = 50
    ) -> Sequence[Organization]:
        """Return organizations by name."""
        if search:
            query = _SEARCH(after.sort_name, after.id, sort_name_of(search), limit)
        else:
            query = _LIST(after.sort_name, after.id, limit)
        return [_organization(row) for row in await self._database.fetch(query)]

    async def count(self) -> int:
        """Return how many there are."""
        [(count,)] = await self._database.fetch(_COUNT())
        return int(count)

    async def put(
        self, organization: Organization, *, seen: int | None, audit: Event | None = None
    ) -> OrganizationChange:
        """Keep an organization."""
        return await self._database.transact(lambda: _put(organization, seen, audit))

    async def delete(self, id: str, *, audit: Event | None = None) -> bool:
        """Forget an organization, and all that is its own."""
        return await self._database.transact(lambda: _delete(id, audit), is_long=True)

    async def list_break_glass(self, addresses: Collection[str]) -> Sequence[Organization]:
        """Return the organizations in whose policies one of these addresses stands, by id."""
        found = {}
        for address in addresses:
            for row in await self._database.fetch(_NAMING(json.dumps(address))):
                organization = _organization(row)
                found[organization.id] = organization
        return [found[id] for id in sorted(found)]

    async def list_requiring_sso(self, *, limit: int = 200) -> Sequence[Organization]:
        """Return organizations whose policies require the company's login, by id."""
        return [_organization(row) for row in await self._database.fetch(_REQUIRING_SSO(limit))]

    async def erase_break_glass(self, addresses: Collection[str]) -> Sequence[str]:
        """Take addresses out of all policies."""
        return await self._database.transact(lambda: _erase_break_glass(addresses))


def _put(
    organization: Organization, seen: int | None, audit: Event | None
) -> Steps[OrganizationChange]:
    rows = yield _FIND(organization.id)
    there = _organization(rows[0]) if rows else None
    if (there.version if there is not None else None) != seen:
        return "stale"
    external_id = organization.external_id
    if external_id is not None and (yield _IS_TAKEN(external_id, organization.id)):
        return "taken"
    if begins_to_require_sso(organization, there) and not (
        yield from has_working_connection(organization.id)
    ):
        return "no_connection"
    yield _PUT(
        *(organization.id, organization.name, sort_name_of(organization.name), external_id),
        *(pack_policy(organization.policy), organization.logo, organization.color),
        *(organization.language, organization.created_at, organization.version),
        organization.enforced_at,
    )
    if audit is not None:
        yield from insert_event(audit)
    return "done"


def begins_to_require_sso(organization: Organization, there: Organization | None) -> bool:
    """Whether the company's login becomes required with a change."""
    was_required = there is not None and there.policy.sso == "required"
    return organization.policy.sso == "required" and not was_required


def _delete(id: str, audit: Event | None) -> Steps[bool]:
    if not (yield _DELETE(id)):
        return False
    yield from delete_rows_of(id)
    if audit is not None:
        yield from insert_event(audit)
    return True


def _erase_break_glass(addresses: Collection[str]) -> Steps[list[str]]:
    changed = set()
    for address in addresses:
        rows = yield _NAMING(json.dumps(address))
        for row in rows:
            organization = _organization(row)
            policy = without_break_glass(organization, address)
            yield _SET_POLICY(organization.id, pack_policy(policy.policy))
            changed.add(organization.id)
    return sorted(changed)


def without_break_glass(organization: Organization, address: str) -> Organization:
    """Return an organization in whose policy an address stands no more."""
    kept = frozenset(one for one in organization.policy.break_glass or () if one != address)
    policy = replace(organization.policy, break_glass=kept)
    return replace(organization, policy=policy, version=organization.version + 1)


def _organization(row: Row) -> Organization:
    id, name, external_id, policy, logo, color, language, created_at, version, enforced_at = row
    return Organization(
        id=id,
        name=name,
        external_id=external_id,
        policy=unpack_policy(policy),
        logo=logo,
        color=color,
        language=language,
        created_at=created_at,
        version=version,
        enforced_at=enforced_at,
    )


_FIND = Statement(
    "SELECT id, name, external_id, policy, logo, color, language, created_at, version, "
    "enforced_at FROM pwless_organizations WHERE id = $1"
)
_FIND_EXTERNAL = Statement(
    "SELECT id, name, external_id, policy, logo, color, language, created_at, version, "
    "enforced_at FROM pwless_organizations WHERE external_id = $1"
)
_FIND_SEVERAL = Statement(
    "SELECT id, name, external_id, policy, logo, color, language, created_at, version, "
    "enforced_at FROM pwless_organizations WHERE id IN (SELECT value FROM json_each($1)) "
    "ORDER BY sort_name, id",
    postgres="SELECT id, name, external_id, policy, logo, color, language, created_at, version, "
    "enforced_at FROM pwless_organizations "
    "WHERE id IN (SELECT json_array_elements_text(CAST(CAST($1 AS TEXT) AS JSON))) "
    "ORDER BY sort_name, id",
)
_LIST = Statement(
    "SELECT id, name, external_id, policy, logo, color, language, created_at, version, "
    "enforced_at FROM pwless_organizations WHERE (sort_name, id) > ($1, $2) "
    "ORDER BY sort_name, id LIMIT $3"
)
_SEARCH = Statement(
    "SELECT id, name, external_id, policy, logo, color, language, created_at, version, "
    "enforced_at FROM pwless_organizations WHERE (sort_name, id) > ($1, $2) "
    "AND instr(sort_name, $3) > 0 ORDER BY sort_name, id LIMIT $4",
    postgres="SELECT id, name, external_id, policy, logo, color, language, created_at, version, "
    "enforced_at FROM pwless_organizations WHERE (sort_name, id) > ($1, $2) "
    "AND strpos(sort_name, $3) > 0 ORDER BY sort_name, id LIMIT $4",
)
_COUNT = Statement("SELECT count(*) FROM pwless_organizations")
_IS_TAKEN = Statement("SELECT 1 FROM pwless_organizations WHERE external_id = $1 AND id <> $2")
_PUT = Statement(
    "INSERT INTO pwless_organizations (id, name, sort_name, external_id, policy, logo, color, "
    "language, created_at, version, enforced_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO UPDATE SET "
    "name = excluded.name, sort_name = excluded.sort_name, external_id = excluded.external_id, "
    "policy = excluded.policy, logo = excluded.logo, color = excluded.color, "
    "language = excluded.language, version = excluded.version, enforced_at = excluded.enforced_at"
)
_SET_POLICY = Statement(
    "UPDATE pwless_organizations SET policy = $2, version = version + 1 WHERE id = $1"
)
_DELETE = Statement("DELETE FROM pwless_organizations WHERE id = $1 RETURNING id")
# Addresses stand in policies as JSON texts; they hold nothing that would be written otherwise there
# than here, and are asked for only as people are erased.
_NAMING = Statement(
    "SELECT id, name, external_id, policy, logo, color, language, created_at, version, "
    "enforced_at FROM pwless_organizations WHERE instr(policy, $1) > 0 ORDER BY id",
    postgres="SELECT id, name, external_id, policy, logo, color, language, created_at, version, "
    "enforced_at FROM pwless_organizations WHERE strpos(policy, $1) > 0 ORDER BY id",
)
# As `pack_policy` writes it.
_REQUIRING_SSO = Statement(
    "SELECT id, name, external_id, policy, logo, color, language, created_at, version, "
    'enforced_at FROM pwless_organizations WHERE instr(policy, \'"sso":"required"\') > 0 '
    "ORDER BY id LIMIT $1",
    postgres="SELECT id, name, external_id, policy, logo, color, language, created_at, version, "
    'enforced_at FROM pwless_organizations WHERE strpos(policy, \'"sso":"required"\') > 0 '
    "ORDER BY id LIMIT $1",
)
