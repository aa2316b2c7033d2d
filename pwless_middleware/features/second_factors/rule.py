"""Whether a login needs a second factor: the one place where that is decided (security rule 40)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pwless_middleware.core.factor import FactorState
from pwless_middleware.core.login import Login, Step
from pwless_middleware.errors import LoginDenied
from pwless_middleware.features.second_factors.names import (
    ENROLLMENT_PATH,
    RECOVERY_CODE,
    SMS,
    STEP_PATH,
    TOTP,
)
from pwless_middleware.features.second_factors.other_factors import OtherFactors
from pwless_middleware.features.second_factors.settings import SecondFactorRules
from pwless_middleware.features.second_factors.trusted_browsers import TrustedBrowsers
from pwless_middleware.flows.live_settings import LiveSettings
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors import FactorRepository


class SecondFactorRule:
    """Ask for a second factor before any session, of whoever has one or has to have one.

    Args:
        kit: everything below.
        factors: keeps them.
        others: those of other features.
        browsers: the trusted ones.
        rules: how second factors behave now.
        enrolls: the methods of ours that are made in a step, of who has no factor.
    """

    def __init__(
        self,
        kit: Kit,
        factors: FactorRepository,
        others: OtherFactors,
        browsers: TrustedBrowsers,
        rules: LiveSettings[SecondFactorRules],
        *,
        enrolls: tuple[str, ...],
    ) -> None:
        self._kit = kit
        self._factors = factors
        self._others = others
        self._browsers = browsers
        self._rules = rules
        self._enrolls = enrolls

    async def __call__(self, login: Login) -> Step | None:
        """Return the step that is asked for, or `None` (`before_session`).

        Raises:
            LoginDenied: there is nothing left that could be asked for.
            StoreError: the database cannot be asked; nobody is let in then.
        """
        rules = self._rules()
        if login.strength != "any":
            return None
        # Nobody makes another factor by a mail alone who has one (security rule 48).
        makes = await self._others.must_make(login.user_id)
        if rules.mfa == "off" and not makes:
            return None
        state = await self._factors.state(login.user_id)
        others = await self._others.of(login.user_id)
        if not state.factors and not others:
            if rules.mfa == "off" or not rules.are_required(self._kit.clock()):
                return None
            return _step((*self._enrolls, *self._others.names), login, enrolls=True)
        if not makes and await self._browsers.admits(login):
            self._kit.events.record("step.skipped", attempt=login.attempt, user_id=login.user_id)
            return None
        return _step((*others, *_methods_of(state)), login)


def _methods_of(state: FactorState) -> tuple[str, ...]:
    """Return what a person can be asked for, best first.

    A method whose gateway is gone is among them: who has nothing else is not let in without.
    """
    kinds = {factor.kind for factor in state.factors}
    found = tuple(method for method in (TOTP, SMS) if method in kinds)
    return (*found, RECOVERY_CODE) if state.recovery_codes_left else found


def _step(methods: tuple[str, ...], login: Login, *, enrolls: bool = False) -> Step:
    # What the login was begun by cannot be its second factor as well: a step would pass as done.
    left = tuple(method for method in methods if method not in login.methods)
    if not left:
        raise LoginDenied
    return Step(left, ENROLLMENT_PATH if enrolls else STEP_PATH, enrolls=enrolls)
