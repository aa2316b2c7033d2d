"""What is said between a login and where it leads: save your recovery codes, add a factor."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.paths import safe_next
from pwless_middleware.core.people.factor import FactorState
from pwless_middleware.errors import ApiError
from pwless_middleware.features.second_factors.flow import SecondFactorFlow
from pwless_middleware.features.second_factors.names import RECOVERY_CODE, TOTP
from pwless_middleware.features.second_factors.pages.paths import (
    ACCOUNT_PATH,
    DEADLINE_PATH,
    RECOVERY_CODES_PATH,
)
from pwless_middleware.features.second_factors.pages.recovery_codes_page import FEW
from pwless_middleware.features.second_factors.settings import SecondFactorRules
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.languages.times import format_date
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route

_JUST_NOW: Final = 10
"""Seconds for which a factor was added in the login that is ending."""


class AfterLogin:
    """Decide what is said, and show the page of the deadline.

    It never stands in the way: where anything fails, the login leads on.

    Args:
        kit: everything below.
        flow: knows what a person has.
    """

    def __init__(self, kit: Kit, flow: SecondFactorFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.routes = (Route(DEADLINE_PATH, {"GET": self.show}),)

    async def after_login(self, request: Request, done: LoginResult) -> str | None:
        """Return the page to show; `None` for none."""
        rules = self._flow.rules()
        try:
            if {TOTP, RECOVERY_CODE} & set(done.login.methods):
                return await self._codes_page(done, rules)
            if _is_ahead(rules, self._kit.clock()) and done.login.strength == "any":
                return None if await self._flow.own.has_any(done.user.id) else DEADLINE_PATH
        except ApiError as error:
            self._kit.pages.outages.note(error)  # whoever is signed in by now goes on
        return None

    async def _codes_page(self, done: LoginResult, rules: SecondFactorRules) -> str | None:
        if not rules.recovery_codes:
            return None
        state = await self._flow.own.state(done.user.id)
        if RECOVERY_CODE in done.login.methods:
            return RECOVERY_CODES_PATH if state.recovery_codes_left <= FEW else None
        is_new = not state.recovery_codes and _has_new(state, self._kit.clock())
        return RECOVERY_CODES_PATH if is_new else None

    async def show(self, request: Request) -> Response:
        """Show from when on a second factor is asked for, to who has none."""
        account = await self._kit.accounts.require(request)
        rules, onward = self._flow.rules(), self._next(request)
        is_ahead = _is_ahead(rules, self._kit.clock())
        if not is_ahead or await self._flow.own.has_any(account.user.id):
            return self._kit.pages.redirect(request, onward, ours=False)
        return self._kit.pages.page(
            request,
            "second_factors/deadline.html",
            required_from=format_date(rules.required_from or 0),
            page_url=root_path(request) + self._kit.prefix + ACCOUNT_PATH,
            onward=onward,
        )

    def _next(self, request: Request) -> str:
        """Return where the page leads: a path of ours (security rule 8), or the app's root."""
        return safe_next(request.query_params.get("next")) or root_path(request) + "/"


def _is_ahead(rules: SecondFactorRules, now: int) -> bool:
    """Whether a second factor will be required, and is not yet."""
    return rules.mfa == "required" and not rules.are_required(now)


def _has_new(state: FactorState, now: int) -> bool:
    return any(factor.created_at >= now - _JUST_NOW for factor in state.factors)
