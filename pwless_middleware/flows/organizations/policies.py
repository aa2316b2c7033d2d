"""What organizations ask of logins and of sessions that run, and who does not come up to it.

Two have a say: the *owner* of the address's verified domain, and the organization that is
*entered*. What they ask comes on top of what the deployment asks, and narrows it only (security
rule 55). How somebody may come in is judged here, before the session and, once an organization has
said that its policy is to hold at once, while it runs; second factors are asked for by their own
feature.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from pwless_middleware.core.addresses.address import Address, domain_of
from pwless_middleware.core.challenges.challenge_context import Redirect
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.login import Login, Step
from pwless_middleware.core.logins.proven_factors import without_foreign_factors
from pwless_middleware.core.logins.session import LONGEST, Session, SessionPolicy
from pwless_middleware.core.logins.verdict import Verdict
from pwless_middleware.core.organizations.connection import SSO_METHOD, Connection
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy import ANYTHING, Policy, strictest
from pwless_middleware.core.organizations.policy_decision import (
    AskStep,
    decide,
    decide_first_factor,
    decide_second_factor,
)
from pwless_middleware.core.paths import SECOND_FACTOR_PATH, SSO_START_PATH
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import LoginDenied
from pwless_middleware.flows.logins.policies import Policies, login_of

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.directory import Directory

FactorsOf = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the second factors that a user, by id, can be asked for."""
_SECOND_FACTOR: Final = "totp"
"""A method that is proven where second factors are mounted."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """The organizations that have a say in a login.

    Attributes:
        owner: has verified the address's domain; `None` for nobody.
        entered: is entered; `None` for none.
    """

    owner: Organization | None = None
    entered: Organization | None = None

    @property
    def organizations(self) -> tuple[Organization, ...]:
        """Each of them once."""
        owner, entered = self.owner, self.entered
        if owner is None or entered is None or owner.id == entered.id:
            return tuple(one for one in (entered or owner,) if one is not None)
        return owner, entered

    @property
    def policy(self) -> Policy:
        """What they ask together."""
        return strictest(one.policy for one in self.organizations)

    @property
    def enforced_at(self) -> int:
        """Since when sessions that were proven before are held to that; 0 for never."""
        return max((one.enforced_at for one in self.organizations), default=0)

    @property
    def demanding(self) -> Organization | None:
        """Whose login is required: the entered one's before the owner's; `None` for nobody's."""
        found = (self.entered, self.owner)
        return next(
            (one for one in found if one is not None and one.policy.sso == "required"), None
        )


class OrganizationPolicies:
    """Find what organizations ask, and hold logins and sessions to it.

    Args:
        directory: what holds of organizations now.
        policies: of all features.
        factors_of: says which second factors somebody has.
    """

    def __init__(self, directory: Directory, policies: Policies, factors_of: FactorsOf) -> None:
        self._directory = directory
        self._policies = policies
        self._factors_of = factors_of

    # --- who has a say -------------------------------------------------------------------------

    async def deciding(self, login: Login) -> Deciding:
        """Return the organizations that have a say in a login.

        Entered is the one that the login wants; one that names none enters the only one that the
        person is an active member of. A session enters none by a fresh proof but its own.

        Raises:
            StoreError: the database cannot be asked.
        """
        find, owner_of = self._directory.find, self._directory.owner_of
        owner = await owner_of(domain_of(Address(login.email)))
        if login.organization is not None:
            return Deciding(owner, await find(login.organization))
        if login.is_renewal:
            return Deciding(owner)
        members = await self._directory.memberships(login.user_id)
        found = [await find(one.organization) for one in members if one.is_active]
        there = [one for one in found if one is not None]
        return Deciding(owner, there[0] if len(there) == 1 else None)

    async def of(self, login: Login) -> Policy:
        """Return what the organizations of a login ask of it (`Mounted.policies`).

        Raises:
            StoreError: the database cannot be asked.
        """
        found = ANYTHING
        for one in (await self.deciding(login)).organizations:
            found = self._policies.merge(found, one.policy)
        return found

    async def connections(self, deciding: Deciding) -> frozenset[str]:
        """Return the ids of the connections by which somebody may come in.

        Where one of the organizations requires its own login, no other is one.

        Raises:
            StoreError: the database cannot be asked.
        """
        found = []
        for one in deciding.organizations:
            usable = usable_connections(one, await self._directory.connections_of(one.id))
            found.append((one.policy.sso == "required", frozenset(c.id for c in usable)))
        required = [ids for is_required, ids in found if is_required]
        if required:
            return frozenset.intersection(*required)
        return frozenset[str]().union(*(ids for _, ids in found))

    # --- before a session ----------------------------------------------------------------------

    async def before_session(self, login: Login) -> Verdict | Redirect | Step | None:
        """Refuse a way in that is none here, and narrow the session's life.

        A second factor that another organization's provider vouches for is asked for again: the
        rule of second factors does not know whose providers count. So is one of a live session in
        a trusted browser that `on_session` would end at once: no browser is trusted there.

        Raises:
            LoginDenied: the way in is none, or nobody asks for the second factor that is required.
            StoreError: the database cannot be asked; nobody is let in then.
        """
        policy, deciding = await self._policies.of(login), await self.deciding(login)
        connections = await self.connections(deciding)
        proofs, email = login.authentications, Address(login.email)
        refused = decide_first_factor(
            policy, (*login.older, *proofs), email=email, connections=connections
        )
        own, missing = without_foreign_factors(proofs, connections), None
        if not self._policies.are_proven_by(_SECOND_FACTOR):
            missing = decide_second_factor(policy, own, email=email)
        elif own != proofs or (login.is_renewal and _newest(proofs) <= deciding.enforced_at):
            has = await self._factors_of(login.user_id)
            if own != proofs or has:
                missing = decide_second_factor(policy, own, email=email, has=has)
        if refused is None:
            if isinstance(missing, AskStep):
                return Step(missing.methods, SECOND_FACTOR_PATH)
            refused = missing
        if refused is None:
            life = life_of(policy)
            return Verdict(session=life) if life is not None else None
        demanding = deciding.demanding
        # Two that each require their own come to none: whoever is led to the one and to the other
        # goes round in a circle.
        goes_round = not connections and SSO_METHOD in login.methods
        if (
            refused.reason in ("sso", "connection")
            and demanding is not None
            and not goes_round
            and self._policies.are_proven_by(SSO_METHOD)
        ):
            return Redirect(f"{SSO_START_PATH}?{urlencode({'organization': demanding.id})}")
        raise refused.error

    # --- while it runs -------------------------------------------------------------------------

    async def on_session(self, session: Session, user: User) -> SessionPolicy | None:
        """Hold a session to a policy that it was begun before, where it is to hold at once.

        A session that was begun, or proven anew, since then was held to it there; of one that was
        in that very second nobody knows.

        Raises:
            LoginDenied: it does not come up to the policy: whoever comes back signs in again, and
                is asked for what is missing.
            StoreError: the database cannot be asked.
        """
        login = login_of(session)
        deciding = await self.deciding(login)
        # A provider may say that the proof of a login is older than the login.
        if max(session.created_at, session.authenticated_at) > deciding.enforced_at:
            return None
        policy = await self._policies.of(login)
        missing = decide(
            policy,
            session.authentications,
            email=Address(session.email),
            connections=await self.connections(deciding),
            has=await self._factors_of(session.user_id),
        )
        if missing is not None:
            raise LoginDenied
        return life_of(policy)


def _newest(proofs: Sequence[Authentication]) -> int:
    return max((one.at for one in proofs), default=0)


def usable_connections(
    organization: Organization, connections: Collection[Connection]
) -> list[Connection]:
    """Return the connections that people can sign in by now.

    Whether an organization's own login may be used is for its own policy to say; where that says
    nothing, a connection that is turned on may.
    """
    if organization.policy.sso == "off":
        return []
    return [one for one in connections if one.is_enabled]


def life_of(policy: Policy) -> SessionPolicy | None:
    """Return how long sessions live under a policy, at most; `None` where it does not say."""
    if policy.idle is None and policy.absolute is None:
        return None
    absolute = policy.absolute if policy.absolute is not None else LONGEST
    idle = policy.idle if policy.idle is not None else absolute
    return SessionPolicy(idle=min(idle, absolute), absolute=absolute)
