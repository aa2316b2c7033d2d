"""Who may enter an organization, and whose sessions in it go on.

How somebody may come in, and with which proofs, its policy says (`flows.organizations.policies`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.challenges.challenge_context import ChallengeContext, Redirect
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.logins.verdict import Verdict
from pwless_middleware.core.organizations.connection import SSO_METHOD, connection_of
from pwless_middleware.core.organizations.organization import Membership
from pwless_middleware.core.organizations.policy import strictest
from pwless_middleware.core.organizations.policy_decision import TEXTS
from pwless_middleware.core.paths import SSO_START_PATH
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import LoginDenied
from pwless_middleware.features.organizations.admission import Admission
from pwless_middleware.features.organizations.entrances import UNKNOWN, Entrances
from pwless_middleware.flows.logins.policies import Policies
from pwless_middleware.flows.organizations.policies import Deciding, usable_connections

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


class OrganizationRules:
    """Answer what the door asks.

    Args:
        floor: knows the organizations.
        policies: know what is proven in this deployment.
        entrances: find what a login enters.
        admission: makes members of those who enter.
    """

    def __init__(
        self,
        floor: OrganizationFloor,
        policies: Policies,
        entrances: Entrances,
        admission: Admission,
    ) -> None:
        self._floor = floor
        self._policies = policies
        self._entrances = entrances
        self._admission = admission

    async def before_challenge(self, context: ChallengeContext) -> Redirect | None:
        """Refuse a mail, or lead to the company's login, where no mail could lead in.

        The domain decides, and the organization that is to be entered; nothing else of the address
        (security rule 14).

        Raises:
            LoginDenied: the organization is none, or nobody signs in to it by a mail.
            StoreError: it cannot be known.
        """
        directory, wanted, entered = self._floor.directory, context.organization, None
        if wanted is not None:
            entered = await directory.find(wanted)
            if entered is None:
                raise LoginDenied(UNKNOWN, reason="not_a_member")
        deciding = Deciding(await directory.owner_of(context.domain), entered)
        methods = strictest(one.policy for one in deciding.organizations).methods
        if methods is None or "email" in methods or context.is_break_glass:
            return None
        if SSO_METHOD in methods and self._policies.are_proven_by(SSO_METHOD):
            for one in reversed(deciding.organizations):  # the one that is entered comes first
                if usable_connections(one, await directory.connections_of(one.id)):
                    query = urlencode({"organization": one.id, "hint": context.hint})
                    return Redirect(f"{SSO_START_PATH}?{query}")
        raise LoginDenied(TEXTS["method"], reason="method_not_allowed")

    async def may_sign_up(self, address: Address) -> bool:
        """Whether an address is invited to an organization.

        Raises:
            StoreError: it cannot be known.
        """
        return bool(await self._floor.invitations.list_open(address))

    async def before_session(self, login: Login) -> Verdict | None:
        """Let a login into its organization, and make a member of who is none yet.

        Raises:
            LoginDenied: it may not enter the one that it names.
            StoreError: it cannot be known.
        """
        await self._entrances.check_owner(login.user_id, login.email)
        entrance = await self._entrances.of(login)
        if entrance is None:
            return None
        admit = partial(self._admission.admit, entrance, login)
        admissions = () if entrance.right == "member" else (admit,)
        return Verdict(organization=entrance.organization.id, admissions=admissions)

    async def on_session(self, session: Session, user: User) -> None:
        """Refuse a session in an organization that is none any more, or of no active member; one
        of who was switched off by the owner of their domain, wherever it is; and one that was
        proven by a connection that is deleted.

        Raises:
            LoginDenied: it is.
            StoreError: it cannot be known.
        """
        await self._entrances.check_owner(user.id, session.email)
        if session.organization is not None and await self.membership(session, user) is None:
            raise LoginDenied(reason="not_a_member")
        for used in map(connection_of, session.authentications):
            if used is not None and not await self._floor.directory.has_connection(used):
                raise LoginDenied(reason="method_not_allowed")

    async def membership(self, session: Session, user: User) -> Membership | None:
        """Return the organization that a session is in, and the person's role in it; or `None`.

        Raises:
            StoreError: it cannot be known.
        """
        directory = self._floor.directory
        if session.organization is None:
            return None
        organization = await directory.find(session.organization)
        member = await directory.membership(user.id, session.organization)
        if organization is None or member is None or not member.is_active:
            return None
        return Membership(organization, member.role)
