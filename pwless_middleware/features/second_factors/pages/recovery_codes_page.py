"""The page on which recovery codes are made, and shown this once."""

from __future__ import annotations

import secrets
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.paths import safe_next
from pwless_middleware.errors import ApiError, InvalidArgument, NotFound
from pwless_middleware.features.second_factors.flow import SecondFactorFlow
from pwless_middleware.features.second_factors.pages.paths import (
    ACCOUNT_PATH,
    RECOVERY_CODES_PATH,
)
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_date
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.error_text import ErrorText
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route

FEW: Final = 2
"""With so many codes left, or fewer, a person is told to make new ones."""
_SENT: Final = Text(
    "Your codes were made, and shown that once. If you have not saved them, make new ones."
)
_KEPT: Final = 3600
"""Seconds for which a form is remembered: far longer than the fresh proof that it takes is good."""
_SCRIPT: Final = "recovery_codes.js"


class RecoveryCodesPage:
    """Show the page, and make codes.

    The codes are in the answer to the form alone, which no cache keeps. Each form makes codes once:
    who loads the answer anew would void those that they have just saved. After a login the page
    stands between it and where it leads, which its query names.

    Args:
        kit: everything below.
        flow: does it.
    """

    def __init__(self, kit: Kit, flow: SecondFactorFlow) -> None:
        self._kit = kit
        self._flow = flow
        self._sent = kit.records("recovery_codes_forms")
        self.routes = (Route(RECOVERY_CODES_PATH, {"GET": self.show, "POST": self.make}),)

    async def show(self, request: Request) -> Response:
        """Say how many are left, and offer new ones."""
        account = await self._flow.own.require(request)
        if not self._flow.rules().recovery_codes:
            raise NotFound
        if not await self._flow.own.has_any(account.user.id):
            return self._kit.pages.redirect(request, ACCOUNT_PATH)
        return await self._page(request, account)

    async def make(self, request: Request) -> Response:
        """Make new codes, and show them."""
        form = await read_form(request)
        next = request.query_params.get("next")
        back = RECOVERY_CODES_PATH + ("?" + urlencode({"next": next}) if next else "")
        account = await self._flow.own.require(request, back=back)
        caller, id = self._kit.callers.browser(request), form.get("form_id", "")
        try:
            if id and not await self._sent.add(f"{account.user.id} {id[:32]}", ttl=_KEPT):
                return await self._page(request, account, was_sent=True)
            codes = await self._flow.recovery_codes.make(account.user.id, caller=caller)
        except InvalidArgument:  # the last factor, or the setting, has gone since
            return self._kit.pages.redirect(request, ACCOUNT_PATH)
        except ApiError as error:
            self._kit.pages.outages.note(error)
            return await self._page(request, account, error)
        return self._kit.pages.page(
            request,
            "second_factors/new_recovery_codes.html",
            scripts=[_SCRIPT],
            codes=codes,
            made_on=format_date(self._kit.clock()),
            onward=self._onward(request),
        )

    async def _page(
        self,
        request: Request,
        account: Account,
        error: ApiError | None = None,
        *,
        was_sent: bool = False,
    ) -> Response:
        state = await self._flow.own.state(account.user.id)
        text = ErrorText.of(error)
        is_after_login = "next" in request.query_params
        return self._kit.pages.page(
            request,
            "second_factors/recovery_codes.html",
            status=error.status if error is not None else 200,
            retry_after=error.retry_after if error is not None else None,
            made=state.recovery_codes,
            left=state.recovery_codes_left,
            is_low=state.recovery_codes_left <= FEW,
            action=self._kit.pages.here(request),
            onward=self._onward(request),
            is_after_login=is_after_login,
            form_id=secrets.token_urlsafe(12),
            problem=translate(_SENT) if was_sent else text.problem,
            wait=text.wait,
        )

    def _onward(self, request: Request) -> str:
        """Return where the page leads: a path of ours (security rule 8), or the account's page."""
        account_url = root_path(request) + self._kit.prefix + ACCOUNT_PATH
        return safe_next(request.query_params.get("next")) or account_url
