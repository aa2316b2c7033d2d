"""Second factors as personal data: what is exported opens nothing (security rule 43)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from pwless_middleware.flows.personal_data.personal_data import Record

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.factors.factor_resets import FactorResetRepository
    from pwless_middleware.database.factors.factors import FactorRepository
    from pwless_middleware.database.factors.recovery_codes import RecoveryCodeRepository
    from pwless_middleware.database.factors.trusted_browsers import TrustedBrowserRepository


class FactorData:
    """The authenticator apps and phone numbers of a person.

    Args:
        factors: keeps them.
    """

    def __init__(self, factors: FactorRepository) -> None:
        self._factors = factors

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through the factors, the oldest first; then the number of their trusted browsers."""
        state = await self._factors.state(user_id)
        for factor in state.factors:
            yield {
                "id": factor.id,
                "kind": factor.kind,
                "name": factor.name,
                "phone": factor.phone,
                "created_at": factor.created_at,
                "used_at": factor.used_at,
            }
        if state.generation:
            yield {"generation": state.generation}

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget them."""
        await self._factors.erase(user_id)


class RecoveryCodeData:
    """The recovery codes of a person.

    Args:
        codes: keeps them.
    """

    def __init__(self, codes: RecoveryCodeRepository) -> None:
        self._codes = codes

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through the codes: when each was made and used."""
        for code in await self._codes.list(user_id):
            yield {"created_at": code.created_at, "used_at": code.used_at}

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget them."""
        await self._codes.erase(user_id)


class TrustedBrowserData:
    """The trusted browsers of a person.

    Args:
        browsers: keeps them.
    """

    def __init__(self, browsers: TrustedBrowserRepository) -> None:
        self._browsers = browsers

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through the browsers, ended ones too, the newest first."""
        for browser in await self._browsers.list(user_id, now=0):
            yield {
                "device": browser.device,
                "created_at": browser.created_at,
                "expires_at": browser.expires_at,
                "used_at": browser.used_at,
            }

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget them; none of them is trusted any more."""
        await self._browsers.erase(user_id)


class FactorResetData:
    """The resets of a person's second factors.

    Args:
        resets: keeps them.
    """

    def __init__(self, resets: FactorResetRepository) -> None:
        self._resets = resets

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through the resets, the oldest first; by whom is another person's affair."""
        for reset in await self._resets.list(user_id):
            yield {
                "asked_at": reset.asked_at,
                "due_at": reset.due_at,
                "objected_at": reset.objected_at,
                "done_at": reset.done_at,
            }

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget them; one that was not done yet never is."""
        await self._resets.erase(user_id)
