"""The page of a person's own second factors, and the one that asks before one is removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.keys.base64url import unb64
from pwless_middleware.core.people.factor import FactorState
from pwless_middleware.core.people.given_name import LONGEST
from pwless_middleware.errors import ApiError, InvalidArgument, NotFound
from pwless_middleware.features.second_factors.flow import SecondFactorFlow
from pwless_middleware.features.second_factors.pages.paths import (
    ACCOUNT_PATH,
    CONNECT_SMS_PATH,
    CONNECT_TOTP_PATH,
)
from pwless_middleware.features.second_factors.pages.rows import BrowserRow, FactorRow, OtherRow
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_date, format_time
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import AccountPage
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.error_text import ErrorText
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route

_DONE: Final[Mapping[str, Text]] = {
    "totp": Text("Your authenticator app is added. We’ll ask for its code when you sign in."),
    "sms": Text("Your phone number is added."),
    "renamed": Text("It has its new name."),
    "removed": Text("It is removed, and no longer counts."),
    "distrusted": Text("That browser is forgotten: a second factor is asked for in it again."),
    "distrusted_all": Text("All browsers are forgotten: each asks for a second factor again."),
}
"""What the page says after a form has done its work; the query names it, as for sessions."""


class AccountPages:
    """Show the page, and do what its forms ask for.

    Args:
        kit: everything below.
        flow: does it.
        adds_totp: whether authenticator apps can be added.
        adds_sms: whether phone numbers can be added.
    """

    def __init__(
        self, kit: Kit, flow: SecondFactorFlow, *, adds_totp: bool, adds_sms: bool
    ) -> None:
        self._kit = kit
        self._flow = flow
        self._adds_totp = adds_totp
        self._adds_sms = adds_sms
        self.account_page = AccountPage(title=Text("Second factors"), path=ACCOUNT_PATH, order=40)
        self.routes = (
            Route(ACCOUNT_PATH, {"GET": self.show}),
            Route(f"{ACCOUNT_PATH}/rename", {"POST": self.rename}),
            Route(f"{ACCOUNT_PATH}/remove", {"GET": self.show_remove, "POST": self.remove}),
            Route(f"{ACCOUNT_PATH}/distrust", {"POST": self.distrust}),
        )

    async def show(self, request: Request) -> Response:
        """List what the person has."""
        return await self._page(request, await self._kit.accounts.require(request))

    async def rename(self, request: Request) -> Response:
        """Give a factor another name."""
        form = await read_form(request)
        account = await self._kit.accounts.require(request, back=ACCOUNT_PATH)
        id, name = form.get("id", ""), form.get("name", "")
        caller = self._kit.callers.browser(request)
        try:
            await self._flow.own.rename(account.user.id, id, name, caller=caller)
        except InvalidArgument as error:
            return await self._page(request, account, error=error, renamed=(id, name))
        return self._done(request, "renamed")

    async def show_remove(self, request: Request) -> Response:
        """Ask once more; who has not proven lately that it is them is asked for that first."""
        account = await self._flow.own.require(request)
        return await self._remove_page(request, account, request.query_params.get("id", ""))

    async def remove(self, request: Request) -> Response:
        """Remove a factor."""
        form = await read_form(request)
        account = await self._flow.own.require(request, back=ACCOUNT_PATH)
        id, caller = form.get("id", ""), self._kit.callers.browser(request)
        try:
            await self._flow.own.remove(account.user.id, id, session=account.session, caller=caller)
        except InvalidArgument as error:  # it has to stay
            return await self._remove_page(request, account, id, error)
        except NotFound:
            pass  # pressed twice
        return self._done(request, "removed")

    async def distrust(self, request: Request) -> Response:
        """Forget a trusted browser, or all of them. It takes no fresh proof: it opens nothing."""
        form = await read_form(request)
        account = await self._kit.accounts.require(request, back=ACCOUNT_PATH)
        caller, user_id = self._kit.callers.browser(request), account.user.id
        if form.get("all") == "yes":
            await self._flow.browsers.distrust_all(user_id, caller=caller)
            return self._done(request, "distrusted_all")
        try:
            id = unb64(form.get("id", "")) or b""
            await self._flow.browsers.distrust(user_id, id, caller=caller)
        except NotFound:
            pass  # pressed twice, or its days are over
        return self._done(request, "distrusted")

    def _done(self, request: Request, what: str) -> Response:
        return self._kit.pages.redirect(request, f"{ACCOUNT_PATH}?done={what}")

    async def _remove_page(
        self, request: Request, account: Account, id: str, error: ApiError | None = None
    ) -> Response:
        user_id = account.user.id
        factors = (await self._flow.own.state(user_id)).factors
        factor = next((one for one in factors if one.id == id), None)
        if factor is None:
            raise NotFound
        is_last = len(factors) == 1 and not await self._flow.own.has_passkey(user_id)
        return self._kit.pages.page(
            request,
            "second_factors/remove.html",
            status=error.status if error is not None else 200,
            page_url=self._url(request, ACCOUNT_PATH),
            factor=FactorRow.of(factor, self._kit.clock()),
            is_last=is_last,
            may_remove=error is None,
            problem=ErrorText.of(error).error,
            wait=0,
        )

    async def _page(
        self,
        request: Request,
        account: Account,
        *,
        error: ApiError | None = None,
        renamed: tuple[str, str] = ("", ""),
    ) -> Response:
        user, rules, now = account.user, self._flow.rules(), self._kit.clock()
        policy = await self._kit.policies.of_session(account.session)
        state = await self._flow.own.state(user.id)
        others = await self._others(request, user.id)
        has_passkey = any(one.is_there for one in others)
        done = request.query_params.get("done", "") if error is None else ""
        error_id, typed = renamed
        is_ahead = rules.mfa == "required" and not rules.are_required(now)
        reset = await self._flow.resets.find_open(user.id)
        return self._kit.pages.page(
            request,
            "second_factors/account.html",
            status=error.status if error is not None else 200,
            account_pages=self._kit.offers.account_pages,
            current_path=ACCOUNT_PATH,
            page_url=self._url(request, ACCOUNT_PATH),
            user_email=user.email,
            is_asked=policy.mfa not in (None, "off"),
            has_any=bool(state.factors) or has_passkey,
            required_from=format_date(rules.required_from or 0) if is_ahead else "",
            reset_due_at=format_time(reset.due_at) if reset is not None else "",
            objection_url=self._flow.resets.objection_url(reset) if reset is not None else "",
            factors=[FactorRow.of(factor, now) for factor in state.factors],
            others=others,
            is_full=len(state.factors) >= rules.max_per_user,
            add_totp_url=self._url(request, CONNECT_TOTP_PATH) if self._adds_totp else "",
            add_sms_url=self._url(request, CONNECT_SMS_PATH) if self._adds_sms else "",
            may_add_sms=has_passkey or _has_app(state),
            has_recovery_codes=rules.recovery_codes,
            made=state.recovery_codes,
            left=state.recovery_codes_left,
            browsers=await self._browsers(request, user.id),
            notice=translate(_DONE[done]) if done in _DONE else None,
            problem=None,
            wait=0,
            error=ErrorText.of(error).error,
            error_id=error_id,
            typed=typed,
            most_name=LONGEST,
        )

    async def _others(self, request: Request, user_id: str) -> list[OtherRow]:
        found = []
        for offered in self._kit.offers.steps:
            method = offered.method
            if method.name in self._flow.steps or method.is_enrolled is None:
                continue
            page = method.page
            path = page.account_path if page is not None else ""
            found.append(
                OtherRow(
                    name=method.name,
                    title=translate(page.title) if page is not None else method.name,
                    url=self._url(request, path) if path else "",
                    is_there=await method.is_enrolled(user_id),
                )
            )
        return found

    async def _browsers(self, request: Request, user_id: str) -> list[BrowserRow]:
        now, trusted = self._kit.clock(), self._kit.callers.browser(request).trusted
        browsers = await self._flow.browsers.list(user_id)
        return [BrowserRow.of(one, now, is_this=one.id in trusted) for one in browsers]

    def _url(self, request: Request, path: str) -> str:
        return root_path(request) + self._kit.prefix + path


def _has_app(state: FactorState) -> bool:
    return any(factor.kind == "totp" for factor in state.factors)
