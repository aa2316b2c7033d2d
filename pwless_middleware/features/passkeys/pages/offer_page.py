"""The offer of a passkey: one page between a mailed login and where it leads, once per browser.

It never stands in the way. Where anything fails, it leads on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.paths import safe_next
from pwless_middleware.errors import ApiError, StepUpRequired
from pwless_middleware.features.passkeys.browser import NEVER, PasskeyBrowser
from pwless_middleware.features.passkeys.ceremonies.answers import METHOD
from pwless_middleware.features.passkeys.ceremonies.ceremonies import held_by_session
from pwless_middleware.features.passkeys.ceremonies.prompts import Owner
from pwless_middleware.features.passkeys.flow import PasskeyFlow
from pwless_middleware.features.passkeys.pages.credential_form import has_credential, read_answer
from pwless_middleware.features.passkeys.pages.login_part import SCRIPT
from pwless_middleware.features.passkeys.pages.problem import Problem
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.parts import Form
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route

PATH: Final = "/passkeys/offer"
AGAIN_AFTER: Final = 30 * 86400
"""Seconds until a browser whose person did not want to now is asked once more."""


class OfferPage:
    """Decide whether a browser is offered a passkey, show the page, and answer its forms.

    Args:
        kit: everything below.
        flow: adds the passkey.
    """

    def __init__(self, kit: Kit, flow: PasskeyFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.routes = (Route(PATH, {"GET": self.show, "POST": self.post}),)

    async def after_login(self, request: Request, done: LoginResult) -> str | None:
        """Return the page, after a login without a passkey by a person who has none.

        Only for a browser of which our script has said that its device keeps passkeys, and not
        before it may be asked again.
        """
        if not self._flow.rules().offer or METHOD in done.login.methods:
            return None
        browser = self._browser(request)
        if browser is None or not browser.may_be_offered(self._kit.clock()):
            return None
        try:
            user_id, strength = done.user.id, done.session.strength
            is_for_them = await self._flow.fits(user_id, enrolls=True, strength=strength)
            return PATH if is_for_them else None
        except ApiError as error:
            self._kit.pages.outages.note(error)  # whoever is signed in by now goes on
            return None

    async def show(self, request: Request) -> Response:
        """Show the page once; it is not offered again for 30 days, whatever is done with it."""
        next = _next(request, request.query_params.get("next"))
        account = await self._kit.accounts.find(request)
        is_for_them = account is not None and not await self._flow.own.usable(account.user.id)
        if not is_for_them or not self._flow.rules().offer:
            return self._kit.pages.redirect(request, next, ours=False)
        return self._page(request, next, cookies=self._ask_again(request))

    async def post(self, request: Request) -> Response:
        """Keep the passkey, or remember that none is wanted; go on."""
        form = await read_form(request)
        next = _next(request, form.get("next"))
        cookies = self._ask_again(request, never="never" in form)
        if has_credential(form):
            try:
                await self._add(request, form)
            except StepUpRequired:
                pass  # it has waited here for too long; the account's page adds one at any time
            except ApiError as error:
                self._kit.pages.outages.note(error)
                return self._page(request, next, error=error, cookies=cookies)
        return self._kit.pages.redirect(request, next, ours=False, cookies=cookies)

    async def _add(self, request: Request, form: Form) -> None:
        account = await self._flow.own.require(request)
        await self._flow.new.add(
            Owner.of(account.user),
            *read_answer(form),
            self._kit.callers.browser(request),
            held_by_session(account.session),
            only_first=True,
        )

    def _browser(self, request: Request) -> PasskeyBrowser | None:
        return PasskeyBrowser.unpack(self._kit.cookies.passkeys(request.scope["headers"]))

    def _ask_again(self, request: Request, *, never: bool = False) -> list[str]:
        """Return the cookie by which the browser is asked again in 30 days, or never."""
        browser = self._browser(request) or PasskeyBrowser.make()
        if browser.offer_at == NEVER:
            return []
        at = NEVER if never else self._kit.clock() + AGAIN_AFTER
        return [self._kit.cookies.set_passkeys(replace(browser, offer_at=at).pack())]

    def _page(
        self,
        request: Request,
        next: str,
        *,
        cookies: list[str],
        error: ApiError | None = None,
    ) -> Response:
        problem = Problem.of(error)
        return self._kit.pages.page(
            request,
            "passkeys/offer.html",
            leads_away=True,
            status=problem.status,
            retry_after=problem.retry_after,
            cookies=cookies,
            scripts=[SCRIPT],
            next=next,
            problem=problem.text,
            wait=problem.wait,
        )


def _next(request: Request, text: str | None) -> str:
    """Return where the page leads: a path of ours (security rule 8), or the app's root."""
    return safe_next(text) or root_path(request) + "/"
