"""Second factors in the database.

    state = await factors.state(user_id)
    outcome = await factors.add(factor, most=10, may_be_alone=True, audit=event)

Whatever changes a user's factors, recovery codes or trusted browsers is done under one lock for
each user, so that it is exact however many processes do it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.factor import Factor, FactorState
from pwless_middleware.database.database import Database
from pwless_middleware.database.factors.factor_changes import (
    FactorAdded,
    FactorRemoved,
    add_factor,
    end_all_trust,
    erase_factors,
    remove_all_factors,
    remove_factor,
    remove_factors_since,
    rename_factor,
)
from pwless_middleware.database.factors.factor_lock import lock_factors
from pwless_middleware.database.statement import Row, Statement, Steps

T = TypeVar("T")


class FactorRepository(Protocol):
    """Keep second factors. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it, or not where nothing is changed; `None`
    writes none.
    """

    async def state(self, user_id: str) -> FactorState:
        """Return what a login has to know, in one read."""
        ...

    async def find(self, id: str) -> Factor | None:
        """Return the factor with this id, whoever's, or `None`."""
        ...

    async def add(
        self,
        factor: Factor,
        *,
        most: int,
        may_be_alone: bool,
        only_first: bool = False,
        audit: Event | None = None,
    ) -> FactorAdded:
        """Keep a factor that its user has just confirmed.

        Args:
            factor: the factor.
            most: how many one user may have.
            may_be_alone: whether it may be there without an authenticator app. Say no for a phone
                number of somebody without a passkey: an SMS is never the only second factor
                (security rule 47).
            only_first: refuse it where the user has a factor already.
            audit: what the change is told by.

        Returns:
            `added`; or why it is not: the user has this phone number, or somebody this id
            (`known`), the user has one already (`not_first`) or `most` (`full`), it would be
            `alone`, or the person is disabled or being deleted (`disabled`).
        """
        ...

    async def rename(self, user_id: str, id: str, name: str, *, audit: Event | None = None) -> bool:
        """Give a factor of a user another name; false where the user has none of this id."""
        ...

    async def remove(
        self,
        user_id: str,
        id: str,
        *,
        keeps_last: bool,
        has_passkey: bool,
        audit: Event | None = None,
    ) -> FactorRemoved:
        """Remove a factor of a user, and trust none of their browsers any more.

        Without any factor or passkey recovery codes open nothing, and go too.

        Args:
            user_id: of whom.
            id: of the factor.
            keeps_last: whether to leave it where the user has no other factor and no passkey.
            has_passkey: whether the user has a passkey that is a second factor.
            audit: what the change is told by.

        Returns:
            `removed`; or `absent` where the user has none of this id, `last`, or `alone` where it
            is the last authenticator app and phone numbers would be left alone, without a passkey.
        """
        ...

    async def remove_all(self, user_id: str, *, audit: Event | None = None) -> int:
        """Remove all factors, recovery codes and trusted browsers; returns how many factors."""
        ...

    async def remove_since(self, user_id: str, at: int, *, audit: Event | None = None) -> int:
        """Remove what was made at `at` or later; returns how many factors.

        Recovery codes that were made since, and browsers that were trusted since, go too; and all
        browsers, where a factor goes.

        Args:
            user_id: of whom.
            at: unix seconds; what was made in that very second counts as made after it.
            audit: what the change is told by.
        """
        ...

    async def note_use(self, id: str, at: int) -> bool:
        """Note when a factor was used, in unix seconds; false where it is gone.

        The time never goes back.
        """
        ...

    async def list_secrets(self, after: str, limit: int) -> Sequence[Factor]:
        """Return factors with a secret, of all users, in the order of their ids.

        Args:
            after: the id of the last one of the page before; empty begins.
            limit: how many at most.
        """
        ...

    async def count_by_kind(self) -> Mapping[str, int]:
        """Return how many factors there are of each kind, of all users."""
        ...

    async def replace_secret(self, id: str, *, old: bytes, new: bytes) -> bool:
        """Give a factor another secret; false where it has another one than `old` by now."""
        ...

    async def raise_generation(self, user_id: str, *, has_passkey: bool = True) -> None:
        """Trust no browser of a user any more: a factor of another kind is gone.

        Args:
            user_id: of whom.
            has_passkey: whether the user still has one; without any factor or passkey recovery
                codes go too. True (default) leaves them.
        """
        ...

    async def erase(self, user_id: str) -> None:
        """Forget all factors of a user, and the generation."""
        ...


class SQLFactors:
    """Keep second factors in SQL.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def state(self, user_id: str) -> FactorState:
        """Return what a login has to know, in one read."""
        rows = await self._database.fetch(_STATE(user_id))
        generation, made, left, *_ = rows[0]
        factors = tuple(_factor(row[3:]) for row in rows if row[3] is not None)
        counts = {"recovery_codes": made, "recovery_codes_left": left}
        return FactorState(factors=factors, **counts, generation=generation)

    async def find(self, id: str) -> Factor | None:
        """Return the factor with this id, or `None`."""
        rows = await self._database.fetch(_FIND(id))
        return _factor(rows[0]) if rows else None

    async def add(
        self,
        factor: Factor,
        *,
        most: int,
        may_be_alone: bool,
        only_first: bool = False,
        audit: Event | None = None,
    ) -> FactorAdded:
        """Keep a factor that its user has just confirmed."""
        return await self._alone(
            factor.user_id, lambda: add_factor(factor, most, may_be_alone, only_first, audit)
        )

    async def rename(self, user_id: str, id: str, name: str, *, audit: Event | None = None) -> bool:
        """Give a factor of a user another name."""
        return await self._database.transact(
            lambda: rename_factor(user_id, id, name, audit), locks=()
        )

    async def remove(
        self,
        user_id: str,
        id: str,
        *,
        keeps_last: bool,
        has_passkey: bool,
        audit: Event | None = None,
    ) -> FactorRemoved:
        """Remove a factor of a user, and trust none of their browsers any more."""
        return await self._alone(
            user_id, lambda: remove_factor(user_id, id, keeps_last, has_passkey, audit)
        )

    async def remove_all(self, user_id: str, *, audit: Event | None = None) -> int:
        """Remove all factors, recovery codes and trusted browsers; returns how many factors."""
        return await self._alone(user_id, lambda: remove_all_factors(user_id, audit))

    async def remove_since(self, user_id: str, at: int, *, audit: Event | None = None) -> int:
        """Remove what was made at `at` or later; returns how many factors."""
        return await self._alone(user_id, lambda: remove_factors_since(user_id, at, audit))

    async def note_use(self, id: str, at: int) -> bool:
        """Note when a factor was used."""
        return bool(await self._database.execute(_NOTE_USE(id, at)))

    async def list_secrets(self, after: str, limit: int) -> Sequence[Factor]:
        """Return factors with a secret, of all users, in the order of their ids."""
        return [_factor(row) for row in await self._database.fetch(_LIST_SECRETS(after, limit))]

    async def count_by_kind(self) -> Mapping[str, int]:
        """Return how many factors there are of each kind."""
        return dict(await self._database.fetch(_COUNT_BY_KIND()))

    async def replace_secret(self, id: str, *, old: bytes, new: bytes) -> bool:
        """Give a factor another secret, if it is still the old one."""
        return bool(await self._database.execute(_REPLACE_SECRET(id, old, new)))

    async def raise_generation(self, user_id: str, *, has_passkey: bool = True) -> None:
        """Trust no browser of a user any more."""
        await self._alone(user_id, lambda: end_all_trust(user_id, has_passkey))

    async def erase(self, user_id: str) -> None:
        """Forget all factors of a user, and the generation."""
        await self._alone(user_id, lambda: erase_factors(user_id))

    async def _alone(self, user_id: str, make: Callable[[], Steps[T]]) -> T:
        return await self._database.transact(make, locks=lock_factors(user_id))


def _factor(row: Row) -> Factor:
    id, user_id, kind, name, secret, phone, created_at, used_at = row
    return Factor(
        id=id,
        user_id=user_id,
        kind=kind,
        name=name,
        secret=bytes(secret),
        phone=phone,
        created_at=created_at,
        used_at=used_at,
    )


_STATE = Statement(
    """
    SELECT COALESCE(g.generation, 0), c.made, c.remaining,
    f.id, f.user_id, f.kind, f.name, f.secret, f.phone, f.created_at, f.used_at
    FROM (
        SELECT COUNT(*) AS made, COUNT(*) - COUNT(used_at) AS remaining
        FROM pwless_recovery_codes WHERE user_id = $1
    ) AS c
    LEFT JOIN pwless_factor_generations AS g ON g.user_id = $1
    LEFT JOIN pwless_factors AS f ON f.user_id = $1
    ORDER BY f.created_at, f.id
    """
)
_FIND = Statement(
    "SELECT id, user_id, kind, name, secret, phone, created_at, used_at "
    "FROM pwless_factors WHERE id = $1"
)
_NOTE_USE = Statement(
    """
    UPDATE pwless_factors
    SET used_at = CASE WHEN used_at > $2 THEN used_at ELSE $2 END WHERE id = $1 RETURNING id
    """
)
_LIST_SECRETS = Statement(
    "SELECT id, user_id, kind, name, secret, phone, created_at, used_at "
    "FROM pwless_factors WHERE kind = 'totp' AND id > $1 ORDER BY id LIMIT $2"
)
_COUNT_BY_KIND = Statement("SELECT kind, COUNT(*) FROM pwless_factors GROUP BY kind")
_REPLACE_SECRET = Statement(
    "UPDATE pwless_factors SET secret = $3 WHERE id = $1 AND secret = $2 RETURNING id"
)
