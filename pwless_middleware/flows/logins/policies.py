"""What a login must come up to: what every feature says of it, together (security rule 55)."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.logins.proven_factors import counts_as_second, is_login_only
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.organizations.connection import SSO_METHOD
from pwless_middleware.core.organizations.policy import (
    ANYTHING,
    FIRST_FACTORS,
    SECOND_FACTORS,
    Policy,
    first_factor_of,
    stricter,
)
from pwless_middleware.flows.logins.login_rules import LoginRules

_MOST: Final = 1_000
"""Pairs of policies whose result is kept; some 1 kB each."""


class Policies:
    """Find the policy of a login.

    Args:
        rules: those of all features.
    """

    def __init__(self, rules: LoginRules) -> None:
        self._rules = rules
        self._merged: dict[tuple[int, int], tuple[Policy, Policy, Policy]] = {}

    @property
    def has_organizations(self) -> bool:
        """Whether a feature says which organization somebody is in."""
        return self._rules.memberships is not None

    async def of(self, login: Login) -> Policy:
        """Return what a login must come up to: the strictest of what the features say.

        Raises:
            StoreError, Unavailable: it cannot be known; nobody is let in then.
        """
        found = ANYTHING
        for ask in self._rules.policies:
            found = self.merge(found, await ask(login))
        return found

    def merge(self, a: Policy, b: Policy) -> Policy:
        """Return what two policies ask together (`stricter`).

        The policies of organizations and options are the same objects for many logins; what two of
        them come to is kept.
        """
        key = id(a), id(b)
        kept = self._merged.get(key)
        if kept is None:
            if len(self._merged) >= _MOST:
                self._merged.clear()
            # With the two themselves: an id is another object's only once its own is gone.
            kept = self._merged[key] = a, b, stricter(a, b)
        return kept[2]

    async def of_session(self, session: Session) -> Policy:
        """Return what a fresh proof of a live session must come up to, in its organization.

        Raises:
            StoreError, Unavailable: it cannot be known.
        """
        return await self.of(login_of(session))

    def are_proven_by(self, method: str) -> bool:
        """Whether a feature is mounted that proves who somebody is by a method."""
        return method in self._rules.owners

    def can_meet(self, policy: Policy) -> bool:
        """Whether anybody can prove a second factor where a policy requires one: a feature is
        mounted by which it is given, or somebody's provider may vouch for it."""
        if policy.mfa != "required":
            return True
        return any(
            first_factor_of(method) == SSO_METHOD
            or (not is_login_only(Authentication(method, 0)) and counts_as_second(policy, method))
            for method in self._rules.owners
        )

    @property
    def ways(self) -> tuple[str, ...]:
        """The first factors that features are mounted for, as policies name them."""
        words = {first_factor_of(method) for method in self._rules.owners}
        first = [word for word in FIRST_FACTORS if word in words]
        others = words.difference(FIRST_FACTORS, SECOND_FACTORS)
        return (*first, *sorted(others))


def login_of(session: Session) -> Login:
    """Return a live session as a login that brings what the session has proven."""
    return Login(
        user_id=session.user_id,
        email=session.email,
        is_new=False,
        authentications=session.authentications,
        caller="",
        device=session.device,
        organization=session.organization,
        is_renewal=True,
    )
