"""Trusted browsers in the database (security rule 45).

    is_trusted = await browsers.trust(browser, generation=state.generation, audit=event)
    found = await browsers.find(id)

Whatever ends the trust in all browsers of a user raises a number, the user's generation. A browser
is trusted only under the number that was read when its user was asked for the second factor, so
that none is trusted behind the back of a removal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.factor import TrustedBrowser
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import insert_event
from pwless_middleware.database.factors.factor_lock import lock_factors
from pwless_middleware.database.people.people import IS_DISABLED
from pwless_middleware.database.statement import Row, Statement, Steps

_AT_ONCE: Final = 500
"""Rows that one statement sweeps, so that nobody waits for it long."""


class TrustedBrowserRepository(Protocol):
    """Keep trusted browsers. Every verb is atomic, and raises `StoreError` where it cannot be
    asked. `audit` is the event of a change, written with it or not at all; `None` writes none.
    """

    async def trust(
        self,
        browser: TrustedBrowser,
        *,
        generation: int,
        most: int = 20,
        audit: Event | None = None,
    ) -> bool:
        """Trust a browser; where its user has `most` of them, the oldest is trusted no more.

        Args:
            browser: the browser.
            generation: the user's, as it was when they proved the second factor.
            most: how many one user may have; default 20.
            audit: what the change is told by.

        Returns:
            Whether it is trusted; false where the generation is another one by now, the person is
            disabled or being deleted, or there is a browser with this id.
        """
        ...

    async def find(self, id: bytes) -> TrustedBrowser | None:
        """Return the browser with this id, whoever's, ended or not; or `None`."""
        ...

    async def list(self, user_id: str, *, now: int) -> Sequence[TrustedBrowser]:
        """Return the browsers of a user that are trusted at `now`, the newest first."""
        ...

    async def note_use(self, id: bytes, at: int) -> None:
        """Note when a browser was trusted, in unix seconds; the time never goes back."""
        ...

    async def distrust(self, user_id: str, id: bytes, *, audit: Event | None = None) -> bool:
        """Trust a browser of a user no more; false where the user has none of this id."""
        ...

    async def distrust_all(self, user_id: str, *, audit: Event | None = None) -> int:
        """Trust no browser of a user any more, nor one that is just being trusted; returns how
        many were.
        """
        ...

    async def sweep(self, now: int) -> int:
        """Delete the browsers whose trust has ended by `now`; returns how many."""
        ...

    async def erase(self, user_id: str) -> None:
        """Forget all browsers of a user."""
        ...


class SQLTrustedBrowsers:
    """Keep trusted browsers in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def trust(
        self,
        browser: TrustedBrowser,
        *,
        generation: int,
        most: int = 20,
        audit: Event | None = None,
    ) -> bool:
        """Trust a browser, if the generation is still this one."""
        return await self._database.transact(
            lambda: _trust(browser, generation, most, audit), locks=lock_factors(browser.user_id)
        )

    async def find(self, id: bytes) -> TrustedBrowser | None:
        """Return the browser with this id, or `None`."""
        rows = await self._database.fetch(_FIND(id))
        return _browser(rows[0]) if rows else None

    async def list(self, user_id: str, *, now: int) -> Sequence[TrustedBrowser]:
        """Return the browsers of a user that are trusted at `now`, the newest first."""
        return [_browser(row) for row in await self._database.fetch(_LIST(user_id, now))]

    async def note_use(self, id: bytes, at: int) -> None:
        """Note when a browser was trusted."""
        await self._database.execute(_NOTE_USE(id, at))

    async def distrust(self, user_id: str, id: bytes, *, audit: Event | None = None) -> bool:
        """Trust a browser of a user no more."""
        return await self._database.transact(lambda: _distrust(user_id, id, audit), locks=())

    async def distrust_all(self, user_id: str, *, audit: Event | None = None) -> int:
        """Trust no browser of a user any more; returns how many were."""
        return await self._database.transact(
            lambda: _distrust_all(user_id, audit), locks=lock_factors(user_id)
        )

    async def sweep(self, now: int) -> int:
        """Delete the browsers whose trust has ended; returns how many."""
        count = 0
        while rows := await self._database.execute(_SWEEP(now, _AT_ONCE)):
            count += len(rows)
        return count

    async def erase(self, user_id: str) -> None:
        """Forget all browsers of a user."""
        await self._database.transact(
            lambda: forget_trusted_browsers(user_id), locks=lock_factors(user_id)
        )


def end_trust(user_id: str) -> Steps[int]:
    """Trust no browser of a user any more, under the lock; returns how many were."""
    # Who is disabled, or being deleted, is trusted nowhere, and no row is made for them.
    if not (yield _RAISE(user_id)) and not (yield IS_DISABLED(user_id)):
        yield _BEGIN(user_id)
    return (yield from forget_trusted_browsers(user_id))


def forget_trusted_browsers(user_id: str, since: int | None = None) -> Steps[int]:
    """Forget a user's browsers, under the lock; returns how many there were.

    Args:
        user_id: of whom.
        since: only those trusted in this unix second or later; `None` (default) all.
    """
    query = _FORGET(user_id) if since is None else _FORGET_SINCE(user_id, since)
    return len((yield query))


def _trust(browser: TrustedBrowser, generation: int, most: int, audit: Event | None) -> Steps[bool]:
    user_id = browser.user_id
    rows = yield _GENERATION(user_id)
    if generation != (rows[0][0] if rows else 0):
        return False
    if (yield IS_DISABLED(user_id)):
        return False
    added = yield _ADD(
        *(browser.id, user_id, browser.address, browser.device),
        *(browser.created_at, browser.expires_at, browser.used_at),
    )
    if not added:
        return False
    yield _MAKE_ROOM(user_id, browser.id, most - 1)
    if audit is not None:
        yield from insert_event(audit)
    return True


def _distrust(user_id: str, id: bytes, audit: Event | None) -> Steps[bool]:
    is_gone = bool((yield _DISTRUST(user_id, id)))
    if is_gone and audit is not None:
        yield from insert_event(audit)
    return is_gone


def _distrust_all(user_id: str, audit: Event | None) -> Steps[int]:
    count = yield from end_trust(user_id)
    if count and audit is not None:
        yield from insert_event(audit)
    return count


def _browser(row: Row) -> TrustedBrowser:
    id, user_id, address, device, created_at, expires_at, used_at = row
    return TrustedBrowser(
        id=bytes(id),
        user_id=user_id,
        address=bytes(address),
        device=device,
        created_at=created_at,
        expires_at=expires_at,
        used_at=used_at,
    )


_GENERATION = Statement("SELECT generation FROM pwless_factor_generations WHERE user_id = $1")
_RAISE = Statement(
    """
    UPDATE pwless_factor_generations SET generation = generation + 1
    WHERE user_id = $1 RETURNING generation
    """
)
_BEGIN = Statement("INSERT INTO pwless_factor_generations (user_id, generation) VALUES ($1, 1)")
_FIND = Statement(
    """
    SELECT id, user_id, address, device, created_at, expires_at, used_at
    FROM pwless_trusted_browsers WHERE id = $1
    """
)
_LIST = Statement(
    """
    SELECT id, user_id, address, device, created_at, expires_at, used_at
    FROM pwless_trusted_browsers WHERE user_id = $1 AND expires_at > $2
    ORDER BY created_at DESC, id DESC
    """
)
_MAKE_ROOM = Statement(
    """
    DELETE FROM pwless_trusted_browsers WHERE user_id = $1 AND id <> $2 AND id NOT IN (
        SELECT id FROM pwless_trusted_browsers WHERE user_id = $1 AND id <> $2
        ORDER BY created_at DESC, id DESC LIMIT $3
    )
    """
)
_ADD = Statement(
    """
    INSERT INTO pwless_trusted_browsers
    (id, user_id, address, device, created_at, expires_at, used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id
    """
)
_NOTE_USE = Statement(
    """
    UPDATE pwless_trusted_browsers
    SET used_at = CASE WHEN used_at > $2 THEN used_at ELSE $2 END WHERE id = $1
    """
)
_DISTRUST = Statement(
    "DELETE FROM pwless_trusted_browsers WHERE user_id = $1 AND id = $2 RETURNING id"
)
_FORGET = Statement("DELETE FROM pwless_trusted_browsers WHERE user_id = $1 RETURNING id")
_FORGET_SINCE = Statement(
    "DELETE FROM pwless_trusted_browsers WHERE user_id = $1 AND created_at >= $2 RETURNING id"
)
_SWEEP = Statement(
    """
    DELETE FROM pwless_trusted_browsers WHERE id IN (
        SELECT id FROM pwless_trusted_browsers WHERE expires_at <= $1 LIMIT $2
    ) RETURNING id
    """
)
