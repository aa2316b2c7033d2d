"""Second factors in the database.

    state = await factors.state(user_id)
    outcome = await factors.add(factor, most=10, may_be_alone=True, audit=event)
    outcome = await factors.remove(user_id, id, keeps_last=False, has_passkey=False, audit=event)

Whatever changes a user's factors, recovery codes or trusted browsers is done under one lock for
each user, so that it is exact however many processes do it at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from pwless_middleware.core.event import Event
from pwless_middleware.core.factor import Factor, FactorState

FactorAdded = Literal["added", "full", "known", "alone", "disabled"]
FactorRemoved = Literal["removed", "absent", "last", "alone"]


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
        self, factor: Factor, *, most: int, may_be_alone: bool, audit: Event | None = None
    ) -> FactorAdded:
        """Keep a factor that its user has just confirmed.

        Args:
            factor: the factor.
            most: how many one user may have.
            may_be_alone: whether it may be there without an authenticator app. Say no for a phone
                number of somebody without a passkey: an SMS is never the only second factor
                (security rule 47).
            audit: what the change is told by.

        Returns:
            `added`; or why it is not: the user has this phone number, or somebody this id
            (`known`), the user has `most` (`full`), it would be `alone`, or the person is disabled
            or being deleted (`disabled`).
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

    async def note_use(self, id: str, at: int) -> None:
        """Note when a factor was used, in unix seconds; the time never goes back."""
        ...

    async def list_secrets(self, after: str, limit: int) -> Sequence[Factor]:
        """Return factors with a secret, of all users, in the order of their ids.

        Args:
            after: the id of the last one of the page before; empty begins.
            limit: how many at most.
        """
        ...

    async def replace_secret(self, id: str, *, old: bytes, new: bytes) -> bool:
        """Give a factor another secret; false where it has another one than `old` by now."""
        ...

    async def raise_generation(self, user_id: str, *, has_passkey: bool = True) -> None:
        """Trust no browser of a user any more: a passkey was removed.

        Args:
            user_id: of whom.
            has_passkey: whether the user still has one; without any factor or passkey recovery
                codes go too. True (default) leaves them.
        """
        ...

    async def erase(self, user_id: str) -> None:
        """Forget all factors of a user, and the generation."""
        ...
