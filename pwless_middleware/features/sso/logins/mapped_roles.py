"""Give people the role in their organization that their groups at the provider make them.

It is known as the answer comes, and given once every rule has let the login in: who is new in the
organization is a member only then. In between it lies in the store, since a second factor may be
asked for in another process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.logins.login import PENDING_LIFETIME, Login
from pwless_middleware.core.logins.verdict import Verdict
from pwless_middleware.core.organizations.connection import connection_of
from pwless_middleware.features.sso.logins.linking import Arrival
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

_KEPT: Final = PENDING_LIFETIME + 60
BY: Final = "pwless"
"""Who has changed a role, as events have it: the provider's word did, and nobody here."""


class MappedRoles:
    """Keep roles from the answer to the door.

    Args:
        kit: everything below.
        floor: keeps members.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._floor = floor
        self._roles = kit.records("roles")

    async def note(self, arrival: Arrival, user_id: str, role: str) -> None:
        """Keep the role of a login that goes to the door, unless the person has it already.

        Raises:
            Unavailable: it cannot be kept.
        """
        organization = arrival.organization.id
        member = await self._floor.directory.membership(user_id, organization)
        if member is None or member.role != role:
            key = f"{b64(arrival.attempt)} {user_id}"
            await self._roles.put(key, f"{organization} {role}".encode(), ttl=_KEPT)

    async def before_session(self, login: Login) -> Verdict | None:
        """Have the role given as the person enters."""
        if not any(connection_of(one) for one in login.authentications):
            return None
        record = await self._roles.read(f"{b64(login.attempt)} {login.user_id}")
        if record is None:
            return None
        organization, _, role = record.value.decode().partition(" ")

        async def give() -> None:
            member = await self._floor.members.find(organization, login.user_id)
            if member is not None and member.role != role:
                await self._floor.members.set_role(organization, login.user_id, role, by=BY)

        return Verdict(admissions=(give,))
