"""Recovery codes in the database, as digests (security rule 44).

    is_set = await codes.set(user_id, digests, at=now, audit=event)
    left = await codes.use(user_id, digest, at=now, audit=event)

A new set voids the old one, and a code is used once, however many ask at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pwless_middleware.core.event import Event
from pwless_middleware.core.factor import RecoveryCode


class RecoveryCodeRepository(Protocol):
    """Keep recovery codes. Every verb is atomic, and raises `StoreError` where it cannot be asked.

    `audit` is the event of a change, written with it, or not where nothing is changed; `None`
    writes none.
    """

    async def set(
        self, user_id: str, digests: Sequence[bytes], *, at: int, audit: Event | None = None
    ) -> bool:
        """Give a user new codes, and void the old ones.

        Args:
            user_id: of whom.
            digests: of the codes, no two alike.
            at: unix seconds.
            audit: what the change is told by.

        Returns:
            Whether they are set; false where the person is disabled or being deleted.
        """
        ...

    async def use(
        self, user_id: str, digest: bytes, *, at: int, audit: Event | None = None
    ) -> int | None:
        """Use a code of a user; of several callers with one code, one does.

        Args:
            user_id: of whom.
            digest: of the code.
            at: unix seconds.
            audit: what the change is told by.

        Returns:
            How many are left; `None` where the user has no such code, or it is used.
        """
        ...

    async def list(self, user_id: str) -> Sequence[RecoveryCode]:
        """Return what is told of a user's codes, used ones too."""
        ...

    async def erase(self, user_id: str) -> None:
        """Forget all codes of a user."""
        ...
