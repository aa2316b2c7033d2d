"""Break glass: who could come in where a company's login is required, and does not work.

An organization that requires it has at least one member who may sign in by mail and a second
factor, so that a provider that is down, or set up wrongly, shuts nobody out for good (security rule
54).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.logins.proven_factors import counts_as_second
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.errors import FieldViolation, LoginDenied
from pwless_middleware.flows.people.users import Users
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.database.repositories import Repositories

_NO_BREAK_GLASS: Final = Text(
    "Name somebody who may sign in by mail when the company's login does not work."
)
_NO_FACTOR: Final = Text(
    "None of these addresses has a second factor. One of them has to sign in and add an "
    "authenticator app or a passkey first."
)
_NO_MEMBER: Final = Text(
    "Nobody with one of these addresses and a second factor is an active member of this "
    "organization. Make one of them a member first."
)


class BreakGlass:
    """Find out whether somebody could come in without the company's login.

    Args:
        repositories: keep members and second factors.
        users: say whose an address is.
    """

    def __init__(self, repositories: Repositories, users: Users) -> None:
        self._repositories = repositories
        self._users = users

    async def find_fault(self, policy: Policy, organization: str | None) -> FieldViolation | None:
        """Return why nobody could come in without the company's login; `None` if somebody could.

        Args:
            policy: which names who may, and what counts.
            organization: its id; `None` before there is one, and so no member.

        Raises:
            StoreError, UsersUnavailable: it cannot be known.
        """
        if not policy.break_glass:
            return FieldViolation("break_glass", _NO_BREAK_GLASS, "required")
        fault = FieldViolation("break_glass", _NO_FACTOR, "second_factor")
        for address in sorted(policy.break_glass):
            user_id = await self._find_user(address)
            if user_id is None or not await self._has_second_factor(user_id, policy):
                continue
            if organization is None:
                return None
            member = await self._repositories.members.find(organization, user_id)
            if member is not None and member.is_active:
                return None
            fault = FieldViolation("break_glass", _NO_MEMBER, "member")
        return fault

    async def _find_user(self, address: Address) -> str | None:
        try:
            user = await self._users.find(address)
        except LoginDenied:  # nobody can sign in as them
            return None
        return None if user is None else user.id

    async def _has_second_factor(self, user_id: str, policy: Policy) -> bool:
        """Whether somebody has an authenticator app, a phone number or a passkey that counts."""
        state = await self._repositories.factors.state(user_id)
        if any(counts_as_second(policy, factor.kind) for factor in state.factors):
            return True
        return counts_as_second(policy, "passkey") and bool(
            await self._repositories.passkeys.list(user_id)
        )
