"""Changes of address that wait to be confirmed from the new one."""

from __future__ import annotations

from typing import Protocol

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.addresses.address_request import CONFIRM_SECONDS, AddressRequest
from pwless_middleware.core.events.event import Event
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event, new_stand_in
from pwless_middleware.database.statement import Row, Statement, Steps


class AddressRequestRepository(Protocol):
    """Keep what was asked for. Every verb is atomic, and raises `StoreError` where it cannot be
    asked. `audit` is the event of a change, written with it or not at all; `None` writes none.
    """

    async def put(self, request: AddressRequest, *, audit: Event | None = None) -> None:
        """Keep a request in the place of whatever the person had, and forget those of long ago."""
        ...

    async def find(self, id: bytes) -> AddressRequest | None:
        """Return a request, or `None` if it is not there any more."""
        ...

    async def find_of(self, user_id: str) -> AddressRequest | None:
        """Return the request of a person, or `None`; it may be too old."""
        ...

    async def take(self, id: bytes, *, audit: Event | None = None) -> bool:
        """Forget a request; of several who do, one is told that it was there."""
        ...

    async def erase(self, user_id: str) -> None:
        """Forget the request of a person, and that they have asked for those of others."""
        ...


class SQLAddressRequests:
    """Keep requests in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, request: AddressRequest, *, audit: Event | None = None) -> None:
        """Keep a request in the place of whatever the person had."""
        await self._database.transact(lambda: _put(request, audit))

    async def find(self, id: bytes) -> AddressRequest | None:
        """Return a request, or `None`."""
        rows = await self._database.fetch(_FIND(id))
        return _request_of(rows[0]) if rows else None

    async def find_of(self, user_id: str) -> AddressRequest | None:
        """Return the request of a person, or `None`."""
        rows = await self._database.fetch(_FIND_OF(user_id))
        return _request_of(rows[0]) if rows else None

    async def take(self, id: bytes, *, audit: Event | None = None) -> bool:
        """Forget a request; of several who do, one is told that it was there."""
        return await self._database.transact(lambda: _take(id, audit))

    async def erase(self, user_id: str) -> None:
        """Forget the request of a person, and that they have asked for those of others."""
        await self._database.transact(lambda: _erase(user_id))


def _put(request: AddressRequest, audit: Event | None) -> Steps[None]:
    yield _PURGE(request.asked_at - CONFIRM_SECONDS)
    yield _PUT(
        *(request.id, request.user_id, request.old, request.new),
        *(request.by, request.asked_at, request.language),
    )
    if audit is not None:
        yield from insert_event(audit)


def _take(id: bytes, audit: Event | None) -> Steps[bool]:
    if not (yield _TAKE(id)):
        return False
    if audit is not None:
        yield from insert_event(audit)
    return True


def _erase(user_id: str) -> Steps[None]:
    yield _ERASE(user_id)
    yield _SCRUB(f"operator:{user_id}", f"operator:{new_stand_in()}")


def _request_of(row: Row) -> AddressRequest:
    id, user_id, old, new, by, asked_at, language = row
    return AddressRequest(
        id=bytes(id),
        user_id=user_id,
        old=Address(old),
        new=Address(new),
        by=by,
        asked_at=asked_at,
        language=language,
    )


_PUT = Statement(
    """
    INSERT INTO pwless_address_requests
    (id, user_id, old_email, new_email, asked_by, asked_at, language)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (user_id) DO UPDATE SET
    id = excluded.id, old_email = excluded.old_email, new_email = excluded.new_email,
    asked_by = excluded.asked_by, asked_at = excluded.asked_at, language = excluded.language
    """
)
_FIND = Statement(
    """
    SELECT id, user_id, old_email, new_email, asked_by, asked_at, language
    FROM pwless_address_requests WHERE id = $1
    """
)
_FIND_OF = Statement(
    """
    SELECT id, user_id, old_email, new_email, asked_by, asked_at, language
    FROM pwless_address_requests WHERE user_id = $1
    """
)
_TAKE = Statement("DELETE FROM pwless_address_requests WHERE id = $1 RETURNING id")
_PURGE = Statement("DELETE FROM pwless_address_requests WHERE asked_at <= $1")
_ERASE = Statement("DELETE FROM pwless_address_requests WHERE user_id = $1")
_SCRUB = Statement("UPDATE pwless_address_requests SET asked_by = $2 WHERE asked_by = $1")
