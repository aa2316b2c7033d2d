"""Explain: what would happen if somebody signed in now, each way, and why.

Nothing is asked of anybody, counted or sent. Each way in is put before the very functions that a
login is put before: `Policies.of`, `decide`, and who is a member.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.organizations.connection import SSO_METHOD, Connection, sso_factor
from pwless_middleware.core.organizations.explanation import ExplainedWay, Explanation
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy import Join
from pwless_middleware.core.organizations.policy_decision import (
    decide,
    uses_break_glass,
)
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import LoginDenied, PersonDisabled
from pwless_middleware.flows.logins.policies import Policies
from pwless_middleware.flows.organizations.explanation_sentences import (
    DISABLED,
    INACTIVE,
    LED,
    NO_MEMBER,
    NO_PASSKEY,
    OFF,
    SSO_OFF,
    Person,
    Told,
    describe_person,
    tell,
)
from pwless_middleware.flows.organizations.policies import (
    Deciding,
    OrganizationPolicies,
    usable_connections,
)
from pwless_middleware.flows.organizations.policy_sentences import describe_demands
from pwless_middleware.flows.people.users import Users
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.directory import Directory
    from pwless_middleware.flows.organizations.invitations import Invitations


JoinOf = Callable[[Organization], Join]
_CAN_MAKE: Final = ("totp", "passkey")


class Explanations:
    """Explain logins.

    Args:
        directory: what holds of organizations now.
        invitations: say who is invited.
        rules: what organizations ask.
        policies: of all features.
        users: say whose an address is.
        factors_of: says which second factors somebody has.
    """

    def __init__(
        self,
        directory: Directory,
        invitations: Invitations,
        rules: OrganizationPolicies,
        policies: Policies,
        users: Users,
        factors_of: Callable[[str], Awaitable[Sequence[str]]],
    ) -> None:
        self._directory = directory
        self._invitations = invitations
        self._rules = rules
        self._policies = policies
        self._users = users
        self._factors_of = factors_of
        self._join_of: JoinOf = lambda organization: organization.policy.join or "invitation"

    def join_by(self, join_of: JoinOf) -> None:
        """Have a function say who becomes a member of an organization by signing in, from now on;
        before, its own policy does."""
        self._join_of = join_of

    async def explain(
        self, email: Address, organization: Organization | None = None
    ) -> Explanation:
        """Return what would happen if whoever reads an address signed in now.

        Args:
            email: canonical.
            organization: that is to be entered; `None` takes the one that a login without any name
                enters, if there is one.

        Raises:
            StoreError, UsersUnavailable: it cannot be known.
        """
        user, is_disabled = await self._find(email)
        login = Login(
            user_id=user.id if user is not None else "",
            email=email,
            is_new=user is None,
            authentications=(),
            caller="browser",
            organization=organization.id if organization is not None else None,
        )
        deciding = await self._rules.deciding(login)
        entered = deciding.entered
        member, is_invited, is_switched_off = None, False, False
        if deciding.owner is not None and user is not None:
            theirs = await self._directory.membership(user.id, deciding.owner.id)
            is_switched_off = theirs is not None and not theirs.is_active
        if entered is not None:
            if user is not None:
                member = await self._directory.membership(user.id, entered.id)
            open_ones = await self._invitations.list_open(email)
            is_invited = any(one.organization == entered.id for one in open_ones)
        person = Person(
            email=email,
            user=user,
            is_disabled=is_disabled,
            member=member,
            is_invited=is_invited,
            is_switched_off=is_switched_off,
            has=await self._factors_of(user.id) if user is not None else (),
            deciding=deciding,
        )
        policy = await self._policies.of(login)
        return Explanation(
            email=email,
            user_id=user.id if user is not None else None,
            organization=entered.id if entered is not None else None,
            owner=deciding.owner.id if deciding.owner is not None else None,
            policy=policy,
            facts=describe_person(person),
            demands=describe_demands(policy, deciding.organizations),
            ways=tuple(await self._ways(person, login)),
        )

    async def _find(self, email: Address) -> tuple[User | None, bool]:
        try:
            return await self._users.find(email), False
        except PersonDisabled:
            return None, True
        except LoginDenied:
            return None, False

    async def _ways(self, person: Person, login: Login) -> list[ExplainedWay]:
        found = []
        for word in self._policies.ways:
            if word != SSO_METHOD:
                found.append(await self._way(person, login, word))
                continue
            for one in person.deciding.organizations:
                connections = await self._directory.connections_of(one.id)
                usable = usable_connections(one, connections)
                for connection in connections:
                    if connection in usable:
                        found.append(await self._way(person, login, word, connection))
                    else:
                        said = OFF if one.policy.sso != "off" else SSO_OFF
                        text = Text(said, name=connection.name, organization=one.name)
                        found.append(
                            ExplainedWay(
                                method=word,
                                connection=connection.id,
                                outcome="denied",
                                reason="off",
                                text=text,
                            )
                        )
        return found

    async def _way(
        self, person: Person, login: Login, word: str, connection: Connection | None = None
    ) -> ExplainedWay:
        """Return what comes of one way in."""
        proof = proof_of(word, connection)
        wanted = login.organization
        if wanted is None and connection is not None:
            wanted = connection.organization
        login = replace(login, authentications=(proof,), organization=wanted)
        deciding, policy = await self._rules.deciding(login), await self._policies.of(login)
        told = self._refuse(person, word, deciding, connection)
        if told is None:
            missing = decide(
                policy,
                (proof,),
                email=person.email,
                connections=await self._rules.connections(deciding),
                has=person.has,
                can_make=[one for one in _CAN_MAKE if self._policies.are_proven_by(one)],
            )
            is_break_glass = uses_break_glass(policy, (proof,), email=person.email)
            told = tell(missing, deciding, is_break_glass=is_break_glass)
            if word == "email" and told.reason == "method" and SSO_METHOD in (policy.methods or ()):
                told = await self._lead(deciding) or told
        return ExplainedWay(
            method=word,
            connection=connection.id if connection is not None else None,
            outcome=told.outcome,
            asks=told.asks,
            reason=told.reason,
            text=told.text,
        )

    async def _lead(self, deciding: Deciding) -> Told | None:
        """Return where a mail that could not lead in leads instead; `None` for nowhere."""
        for one in reversed(deciding.organizations):  # the one that is entered comes first
            if usable_connections(one, await self._directory.connections_of(one.id)):
                return Told("elsewhere", Text(LED, organization=one.name), "method")
        return None

    def _refuse(
        self, person: Person, word: str, deciding: Deciding, connection: Connection | None
    ) -> Told | None:
        """Return why nobody comes in this way, before a policy is asked; `None` for no reason."""
        if person.is_disabled:
            return Told("denied", DISABLED, "disabled")
        if word == "passkey" and word not in person.has:
            return Told("denied", NO_PASSKEY, "no_passkey")
        entered, owner = deciding.entered, deciding.owner
        if owner is not None and person.is_switched_off:
            return Told("denied", Text(INACTIVE, organization=owner.name), "inactive")
        if entered is None:
            return None
        if person.member is not None:
            text = Text(INACTIVE, organization=entered.name)
            return None if person.member.is_active else Told("denied", text, "inactive")
        join = self._join_of(entered)
        is_theirs = connection is not None and connection.organization == entered.id
        is_owner = owner is not None and owner.id == entered.id
        joins = join != "invitation" if is_theirs else is_owner and join == "domain"
        if joins or person.is_invited:
            return None
        return Told("denied", Text(NO_MEMBER, organization=entered.name), "not_a_member")


def proof_of(word: str, connection: Connection | None) -> Authentication:
    """Return what a way in proves."""
    if connection is not None:
        return Authentication(SSO_METHOD, 0, (sso_factor(connection.id),))
    if word == "email":
        return Authentication("email_code", 0, ("mailbox",))
    if word == "passkey":
        return Authentication(word, 0, ("passkey", "user_verification"), True)
    return Authentication(word, 0)
