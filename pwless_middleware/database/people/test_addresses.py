"""Test addresses in the database: each one nobody's, with a fixed code (security rule 67)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, Protocol

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.addresses.test_address import TestAddress
from pwless_middleware.core.events.event import Event
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event, new_stand_in
from pwless_middleware.database.statement import Row, Statement, Steps

MOST: Final = 50
"""Test addresses that there can be, so that every process can hold all of them."""

Addition = Literal["added", "taken", "person", "full"]
"""What became of a new one: it is kept; the address is one already; it is a person's; or there are
`MOST` of them."""


class TestAddressRepository(Protocol):
    """Keep test addresses. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it or not at all.
    """

    async def list(self) -> Sequence[TestAddress]:
        """Return all of them, at most `MOST`, by address; those that have ended too."""
        ...

    async def find(self, email: Address) -> TestAddress | None:
        """Return the one with this address, or `None`."""
        ...

    async def add(self, address: TestAddress, *, audit: Event | None = None) -> Addition:
        """Keep a new one, if it is nobody's."""
        ...

    async def replace(
        self, id: str, *, secret: bytes | None, ends_at: int | None, audit: Event | None = None
    ) -> bool:
        """Give one another secret or another end; `None` leaves it. Whether there is such a one."""
        ...

    async def bind(self, id: str, user_id: str) -> bool:
        """Have one belong to the user whom its login made; false where it is another's by now."""
        ...

    async def note_use(self, id: str, *, at: int) -> None:
        """Note when one was used; never goes back in time."""
        ...

    async def remove(self, id: str, *, audit: Event | None = None) -> TestAddress | None:
        """Forget one, and return it; `None` if there was none."""
        ...

    async def erase(self, user_id: str, emails: Sequence[str]) -> None:
        """Forget those of a user, those with an address, and that a user has made others."""
        ...


class SQLTestAddresses:
    """Keep test addresses in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self) -> Sequence[TestAddress]:
        """Return all of them, by address."""
        return [_address(row) for row in await self._database.fetch(_LIST(MOST))]

    async def find(self, email: Address) -> TestAddress | None:
        """Return the one with this address, or `None`."""
        rows = await self._database.fetch(_FIND(email))
        return _address(rows[0]) if rows else None

    async def add(self, address: TestAddress, *, audit: Event | None = None) -> Addition:
        """Keep a new one, if it is nobody's."""
        return await self._database.transact(lambda: _add(address, audit))

    async def replace(
        self, id: str, *, secret: bytes | None, ends_at: int | None, audit: Event | None = None
    ) -> bool:
        """Give one another secret or another end."""
        return await self._database.transact(lambda: _replace(id, secret, ends_at, audit))

    async def bind(self, id: str, user_id: str) -> bool:
        """Have one belong to the user whom its login made."""
        return await self._database.transact(lambda: _bind(id, user_id))

    async def note_use(self, id: str, *, at: int) -> None:
        """Note when one was used; never goes back in time."""
        await self._database.transact(lambda: _note_use(id, at))

    async def remove(self, id: str, *, audit: Event | None = None) -> TestAddress | None:
        """Forget one, and return it."""
        return await self._database.transact(lambda: _remove(id, audit))

    async def erase(self, user_id: str, emails: Sequence[str]) -> None:
        """Forget those of a user, those with an address, and that a user has made others."""
        await self._database.transact(lambda: _erase(user_id, emails))


def _add(address: TestAddress, audit: Event | None) -> Steps[Addition]:
    if len((yield _LIST(MOST))) >= MOST:
        return "full"
    if (yield _FIND_PERSON(address.email)):
        return "person"
    added = yield _ADD(
        *(address.id, address.email, address.secret, " ".join(address.networks), address.note),
        *(address.made_at, address.by, address.ends_at, address.user_id, address.used_at),
    )
    if not added:
        return "taken"
    if audit is not None:
        yield from insert_event(audit)
    return "added"


def _replace(
    id: str, secret: bytes | None, ends_at: int | None, audit: Event | None
) -> Steps[bool]:
    done = yield _REPLACE(id, secret, ends_at)
    if done and audit is not None:
        yield from insert_event(audit)
    return bool(done)


def _bind(id: str, user_id: str) -> Steps[bool]:
    return bool((yield _BIND(id, user_id)))


def _note_use(id: str, at: int) -> Steps[None]:
    yield _NOTE_USE(id, at)


def _remove(id: str, audit: Event | None) -> Steps[TestAddress | None]:
    rows = yield _REMOVE(id)
    if rows and audit is not None:
        yield from insert_event(audit)
    return _address(rows[0]) if rows else None


def _erase(user_id: str, emails: Sequence[str]) -> Steps[None]:
    yield _ERASE_OF_USER(user_id)
    for email in emails:
        yield _ERASE_OF_EMAIL(email)
    yield _SCRUB(f"operator:{user_id}", f"operator:{new_stand_in()}")


def _address(row: Row) -> TestAddress:
    id, email, secret, networks, note, made_at, by, ends_at, user_id, used_at = row
    return TestAddress(
        id=id,
        email=Address(email),
        secret=bytes(secret),
        networks=tuple(networks.split()),
        note=note,
        made_at=made_at,
        by=by,
        ends_at=ends_at,
        user_id=user_id,
        used_at=used_at,
    )


_LIST = Statement(
    "SELECT id, email, secret, networks, note, made_at, made_by, ends_at, user_id, used_at "
    "FROM pwless_test_addresses ORDER BY email LIMIT $1"
)
_FIND = Statement(
    "SELECT id, email, secret, networks, note, made_at, made_by, ends_at, user_id, used_at "
    "FROM pwless_test_addresses WHERE email = $1"
)
_FIND_PERSON = Statement("SELECT 1 FROM pwless_people WHERE email = $1")
_ADD = Statement(
    "INSERT INTO pwless_test_addresses (id, email, secret, networks, note, made_at, made_by, "
    "ends_at, user_id, used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
    "ON CONFLICT DO NOTHING RETURNING id"
)
_REPLACE = Statement(
    "UPDATE pwless_test_addresses SET secret = COALESCE($2, secret), "
    "ends_at = COALESCE($3, ends_at) WHERE id = $1 RETURNING id"
)
_BIND = Statement(
    "UPDATE pwless_test_addresses SET user_id = $2 "
    "WHERE id = $1 AND (user_id IS NULL OR user_id = $2) RETURNING id"
)
_NOTE_USE = Statement(
    "UPDATE pwless_test_addresses SET used_at = $2 "
    "WHERE id = $1 AND (used_at IS NULL OR used_at < $2)"
)
_REMOVE = Statement(
    "DELETE FROM pwless_test_addresses WHERE id = $1 RETURNING id, email, secret, networks, note, "
    "made_at, made_by, ends_at, user_id, used_at"
)
_ERASE_OF_USER = Statement("DELETE FROM pwless_test_addresses WHERE user_id = $1")
_ERASE_OF_EMAIL = Statement("DELETE FROM pwless_test_addresses WHERE email = $1")
_SCRUB = Statement("UPDATE pwless_test_addresses SET made_by = $2 WHERE made_by = $1")
