"""Changes of address in the database: made, and undone, each in one transaction.

Two changes within three days, from A to B to C, give two links. Each leads back to where its own
change began, whatever came after it, so that whoever moves an account on, twice, does not shut out
the reader of A; and it takes the links of all later changes with it, so that the reader of B cannot
take the account again. In the order of `number` an undo voids everything from its own place on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.addresses.address_change import UNDO_SECONDS, AddressChange
from pwless_middleware.core.events.event import Event
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event
from pwless_middleware.database.statement import Query, Row, Statement, Steps


class AddressChangeRepository(Protocol):
    """Keep changes of address. Every verb is atomic, and raises `StoreError` where it cannot be
    asked. `audit` is the event of a change, written with it or not at all; `None` writes none.
    """

    async def change(self, change: AddressChange, *, audit: Event | None = None) -> bool:
        """Give a person a new address; false if nothing was changed.

        It is changed if theirs is still the old one, nobody has the new one, and it is not reserved
        for somebody else; and if they are not disabled, or being deleted.
        """
        ...

    async def add(self, change: AddressChange, *, audit: Event | None = None) -> None:
        """Keep a change that is made elsewhere: in the host's own table."""
        ...

    async def forget(self, id: bytes) -> None:
        """Forget a change that was not made after all."""
        ...

    async def find(self, id: bytes) -> AddressChange | None:
        """Return a change, undone or not; `None` if there is none, or its time is long over."""
        ...

    async def undo(
        self, id: bytes, *, now: int, restores: bool, audit: Event | None = None
    ) -> bool:
        """Undo a change and all that came after it; false if it cannot be undone, or was already.

        Args:
            id: of the change.
            now: unix seconds.
            restores: whether the person is given the old address back; false where that is done
                elsewhere.
            audit: what it is told by.
        """
        ...

    async def list(self, user_id: str) -> Sequence[AddressChange]:
        """Return the changes of a person that are kept, the oldest first."""
        ...

    async def erase(self, user_id: str) -> None:
        """Forget all changes of a person."""
        ...

    async def is_reserved(self, address: Address, *, user_id: str, now: int) -> bool:
        """Whether somebody else has given up this address so lately that they may come back.

        Args:
            address: which.
            user_id: who wants it; nobody's reservation is in their own way. Empty is a stranger.
            now: unix seconds.
        """
        ...


class SQLAddressChanges:
    """Keep changes of address in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(self, change: AddressChange, *, audit: Event | None = None) -> bool:
        """Give a person a new address; false if nothing was changed."""
        return await self._database.transact(lambda: _change(change, audit))

    async def add(self, change: AddressChange, *, audit: Event | None = None) -> None:
        """Keep a change that is made elsewhere."""
        await self._database.transact(lambda: _add(change, audit))

    async def forget(self, id: bytes) -> None:
        """Forget a change that was not made after all."""
        await self._database.transact(lambda: _run(_FORGET(id)))

    async def find(self, id: bytes) -> AddressChange | None:
        """Return a change, undone or not."""
        rows = await self._database.fetch(_FIND(id))
        return _change_of(rows[0]) if rows else None

    async def undo(
        self, id: bytes, *, now: int, restores: bool, audit: Event | None = None
    ) -> bool:
        """Undo a change and all that came after it."""
        return await self._database.transact(lambda: _undo(id, now, restores, audit))

    async def list(self, user_id: str) -> Sequence[AddressChange]:
        """Return the changes of a person that are kept, the oldest first."""
        return [_change_of(row) for row in await self._database.fetch(_LIST(user_id))]

    async def erase(self, user_id: str) -> None:
        """Forget all changes of a person."""
        await self._database.transact(lambda: _run(_ERASE(user_id)))

    async def is_reserved(self, address: Address, *, user_id: str, now: int) -> bool:
        """Whether somebody else has given up this address lately."""
        query = _FIND_RESERVED(address, user_id, now - UNDO_SECONDS)
        return bool(await self._database.fetch(query))


def _change(change: AddressChange, audit: Event | None) -> Steps[bool]:
    since = change.changed_at - UNDO_SECONDS
    if not (yield _MOVE(change.user_id, change.old, change.new, since)):
        return False
    yield from _add(change, audit)
    return True


def _add(change: AddressChange, audit: Event | None) -> Steps[None]:
    yield _PURGE(change.changed_at - UNDO_SECONDS)
    yield _ADD(
        *(change.id, change.user_id, change.old, change.new),
        *(change.changed_at, change.device, change.language),
    )
    if audit is not None:
        yield from insert_event(audit)


def _undo(id: bytes, now: int, restores: bool, audit: Event | None) -> Steps[bool]:
    rows = yield _MARK(id, now, now - UNDO_SECONDS)
    if not rows:
        return False
    user_id, number, old = rows[0]
    # Before the later ones are marked: it waits for a change that is being made, which then is one.
    if restores and not (yield _RESTORE(user_id, old)):
        return False
    yield _MARK_LATER(user_id, number, now)
    if audit is not None:
        yield from insert_event(audit)
    return True


def _run(query: Query) -> Steps[None]:
    yield query


def _change_of(row: Row) -> AddressChange:
    id, user_id, old, new, changed_at, device, language, undone_at = row
    return AddressChange(
        id=bytes(id),
        user_id=user_id,
        old=Address(old),
        new=Address(new),
        changed_at=changed_at,
        device=device,
        language=language,
        undone_at=undone_at,
    )


_MOVE = Statement(
    """
    UPDATE pwless_people SET email = $3
    WHERE id = $1 AND email = $2 AND disabled_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM pwless_people WHERE email = $3)
    AND NOT EXISTS (
        SELECT 1 FROM pwless_address_changes
        WHERE old_email = $3 AND user_id <> $1 AND undone_at IS NULL AND changed_at > $4
    )
    RETURNING id
    """
)
_RESTORE = Statement(
    """
    UPDATE pwless_people SET email = $2
    WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM pwless_people WHERE email = $2 AND id <> $1)
    RETURNING id
    """
)
_ADD = Statement(
    """
    INSERT INTO pwless_address_changes
    (id, user_id, number, old_email, new_email, changed_at, device, language)
    VALUES (
        $1, $2,
        (SELECT COALESCE(MAX(number), 0) + 1 FROM pwless_address_changes WHERE user_id = $2),
        $3, $4, $5, $6, $7
    )
    """
)
_FIND = Statement(
    """
    SELECT id, user_id, old_email, new_email, changed_at, device, language, undone_at
    FROM pwless_address_changes WHERE id = $1
    """
)
_LIST = Statement(
    """
    SELECT id, user_id, old_email, new_email, changed_at, device, language, undone_at
    FROM pwless_address_changes WHERE user_id = $1 ORDER BY number
    """
)
_FIND_RESERVED = Statement(
    """
    SELECT 1 FROM pwless_address_changes
    WHERE old_email = $1 AND user_id <> $2 AND undone_at IS NULL AND changed_at > $3
    LIMIT 1
    """
)
_MARK = Statement(
    """
    UPDATE pwless_address_changes SET undone_at = $2
    WHERE id = $1 AND undone_at IS NULL AND changed_at > $3
    AND NOT EXISTS (
        SELECT 1 FROM pwless_address_changes AS earlier
        WHERE earlier.user_id = pwless_address_changes.user_id
        AND earlier.number < pwless_address_changes.number
        AND earlier.undone_at >= pwless_address_changes.changed_at
    )
    RETURNING user_id, number, old_email
    """
)
_MARK_LATER = Statement(
    """
    UPDATE pwless_address_changes SET undone_at = $3
    WHERE user_id = $1 AND number > $2 AND undone_at IS NULL
    """
)
_FORGET = Statement("DELETE FROM pwless_address_changes WHERE id = $1")
_PURGE = Statement("DELETE FROM pwless_address_changes WHERE changed_at <= $1")
_ERASE = Statement("DELETE FROM pwless_address_changes WHERE user_id = $1")
