"""Make a member of who enters an organization by another right than that of one.

It is done once every rule has let the login in, and before there is a session: who is refused, or
has a step to do, is no member yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.organizations.organization import Origin
from pwless_middleware.errors import InvalidArgument, LoginDenied, NotFound, RequestExpired
from pwless_middleware.features.organizations.entrances import Entrance

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


class Admission:
    """Admit people.

    Args:
        floor: keeps members and invitations.
    """

    def __init__(self, floor: OrganizationFloor) -> None:
        self._floor = floor

    async def admit(self, entrance: Entrance, login: Login) -> None:
        """Make the person of a login a member, where they are none.

        Raises:
            LoginDenied: the invitation was accepted, taken back or over in this very moment; or
                they are in too many organizations.
            StoreError: it cannot be written; then there is no session either.
        """
        invitation, user_id = entrance.invitation, login.user_id
        try:
            if invitation is not None:
                email = Address(login.email)
                await self._floor.invitations.accept(invitation, user_id=user_id, email=email)
            else:
                origin: Origin = "sso" if entrance.right == "sso" else "domain"
                await self._add(entrance.organization.id, user_id, origin)
        except (InvalidArgument, NotFound, RequestExpired) as error:
            raise LoginDenied(reason="not_a_member") from error

    async def _add(self, organization: str, user_id: str, origin: Origin) -> None:
        members = self._floor.members
        if await members.find(organization, user_id) is None:  # nobody is switched on again by it
            await members.put(organization, user_id, origin=origin, is_active=None, by="person")
