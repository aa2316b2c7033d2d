"""Which second factors somebody has, for who asks beside a login."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pwless_middleware.flows.logins.policies import Policies

if TYPE_CHECKING:
    from pwless_middleware.database.repositories import Repositories


class KnownFactors:
    """Find the second factors that the product's own features keep.

    Args:
        repositories: keep them.
        policies: know what is mounted: what nobody asks for is none.
    """

    def __init__(self, repositories: Repositories, policies: Policies) -> None:
        self._repositories = repositories
        self._policies = policies

    async def of(self, user_id: str) -> Sequence[str]:
        """Return the second factors that a user can be asked for, best first.

        Raises:
            StoreError: the database cannot be asked.
        """
        proven_by, found = self._policies.are_proven_by, list[str]()
        if proven_by("passkey") and await self._repositories.passkeys.list(user_id):
            found.append("passkey")
        if not proven_by("totp"):
            return found
        state = await self._repositories.factors.state(user_id)
        kinds = {factor.kind for factor in state.factors}
        found += [method for method in ("totp", "sms") if method in kinds]
        return [*found, "recovery_code"] if state.recovery_codes_left else found
