"""Whether a login needs a second factor: the one place where that is decided (security rule 40)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.logins.login import Login, Step
from pwless_middleware.core.logins.proven_factors import counts_as_second, factors_of
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.core.organizations.policy_decision import (
    AskStep,
    Deny,
    decide_second_factor,
    wants_second_factor,
)
from pwless_middleware.core.people.factor import FactorState
from pwless_middleware.features.second_factors.names import (
    ENROLLMENT_PATH,
    RECOVERY_CODE,
    SMS,
    STEP_PATH,
    TOTP,
)
from pwless_middleware.features.second_factors.other_factors import OtherFactors
from pwless_middleware.features.second_factors.trusted_browsers import ANY, TrustedBrowsers
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors.factors import FactorRepository


class SecondFactorRule:
    """Ask for a second factor before any session, of whoever has one or has to have one.

    Args:
        kit: everything below.
        factors: keeps them.
        others: those of other features.
        browsers: the trusted ones.
        enrolls: the methods of ours that are made in a step, of who has no factor.
    """

    def __init__(
        self,
        kit: Kit,
        factors: FactorRepository,
        others: OtherFactors,
        browsers: TrustedBrowsers,
        *,
        enrolls: tuple[str, ...],
    ) -> None:
        self._kit = kit
        self._factors = factors
        self._others = others
        self._browsers = browsers
        self._enrolls = enrolls

    async def __call__(self, login: Login) -> Step | None:
        """Return the step that is asked for, or `None` (`before_session`).

        Raises:
            LoginDenied: there is nothing left that could be asked for, or what was given does not
                count.
            StoreError: the database cannot be asked; nobody is let in then.
        """
        answer = await self._decide(login, await self._kit.policies.of(login))
        if isinstance(answer, Deny):
            raise answer.error
        if answer is None:
            return None
        path = ENROLLMENT_PATH if answer.enrolls else STEP_PATH
        return Step(answer.methods, path, enrolls=answer.enrolls)

    async def _decide(self, login: Login, policy: Policy) -> Deny | AskStep | None:
        proofs, email = login.authentications, Address(login.email)
        # Nobody makes another factor by a mail alone who has one (security rule 48).
        is_weak = len(factors_of(proofs, policy)) < 2
        makes = is_weak and await self._others.must_make(login.user_id)
        if makes and policy.mfa in (None, "off"):
            policy = replace(policy, mfa="optional")
        if not wants_second_factor(policy, proofs, email=email):
            return decide_second_factor(policy, proofs, email=email)
        has, can_make = await self.has(login.user_id), (*self._enrolls, *self._others.names)

        def decide(*, is_trusted: bool) -> Deny | AskStep | None:
            return decide_second_factor(
                policy, proofs, email=email, has=has, can_make=can_make, is_trusted=is_trusted
            )

        asked = decide(is_trusted=False)
        may_skip = has and not makes and asked is not None and decide(is_trusted=True) is None
        counts = [method for method in has if counts_as_second(policy, method)]
        methods = (*(counts or has), *(() if policy.second_factors is not None else (ANY,)))
        days = policy.trusted_days or 0
        if may_skip and await self._browsers.admits(login, days=days, methods=methods):
            self._kit.events.record("step.skipped", attempt=login.attempt, user_id=login.user_id)
            return None
        return asked

    async def has(self, user_id: str) -> tuple[str, ...]:
        """Return the methods of the second factors that a person can be asked for, best first.

        Raises:
            StoreError, Unavailable: it cannot be known.
        """
        state = await self._factors.state(user_id)
        others = await self._others.of(user_id)
        if not state.factors and not others:
            return ()
        return (*others, *_methods_of(state))


def _methods_of(state: FactorState) -> tuple[str, ...]:
    """Return what a person can be asked for, best first.

    A method whose gateway is gone is among them: who has nothing else is not let in without.
    """
    kinds = {factor.kind for factor in state.factors}
    found = tuple(method for method in (TOTP, SMS) if method in kinds)
    return (*found, RECOVERY_CODE) if state.recovery_codes_left else found
