"""The buttons on the login page, where a login begins, and where a provider's answer comes to."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.organizations.connection import SOCIAL_METHOD
from pwless_middleware.core.paths import safe_next
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.logins.browser import NEXT_LENGTH, BegunLogin, SSOBrowser
from pwless_middleware.features.sso.logins.login_states import LIFETIME, LoginState
from pwless_middleware.features.sso.oidc.answers import read_answer
from pwless_middleware.features.sso.social.flow import SocialFlow, Unproven
from pwless_middleware.features.sso.social.linked_accounts import LinkedAccounts
from pwless_middleware.features.sso.social.mailed_proof import MailedProof
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import LoginMethod
from pwless_middleware.web.parts.parts import Part, organization_in
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.responses import EVERYWHERE, root_path, with_cookies
from pwless_middleware.web.routing.routes import Route

_STATUS: Final = 400


class SocialPages:
    """Lead browsers to providers, and sign in who comes back.

    Args:
        kit: everything below.
        flows: of the providers, by id.
        proof: has addresses proven by mail.
        linked: the accounts that people have linked.
    """

    def __init__(
        self,
        kit: Kit,
        flows: Mapping[str, SocialFlow],
        proof: MailedProof,
        linked: LinkedAccounts,
    ) -> None:
        self._kit = kit
        self._flows = flows
        self._proof = proof
        self.method = LoginMethod(
            name=SOCIAL_METHOD,
            template="login/social.html",
            show=self.show,
            order=110,
            leads_away=True,
            lets_in=linked.lets_in,
        )
        self.routes = tuple(
            route
            for flow in flows.values()
            for route in (
                Route(flow.provider.start_path, {"POST": partial(self.start, flow)}),
                Route(flow.provider.callback_path, {"GET": partial(self.callback, flow)}),
                Route(flow.provider.linked_path, {"GET": self.go_on}),
            )
        )

    async def show(self, request: Request, next: str) -> Part:
        """Return the buttons."""
        providers = [flow.provider for flow in self._flows.values()]
        return Part(context={"providers": [(one.title, one.start_path) for one in providers]})

    async def start(self, flow: SocialFlow, request: Request) -> Response:
        """Send a browser to the provider."""
        form = await read_form(request)
        next = safe_next(form.get("next")) or "/"
        next = next if len(next) <= NEXT_LENGTH else "/"
        organization = organization_in(form)
        browser = self._browser(request) or SSOBrowser.make()
        try:
            url, state = await flow.begin(browser)
        except SSOFault as fault:
            caller = self._kit.callers.browser(request)
            return self._problem(request, fault, caller, flow, secrets.token_bytes(8), next)
        begun = BegunLogin(
            id=state.id,
            connection=flow.provider.id,
            at=self._kit.clock(),
            next=next,
            organization=organization,
        )
        cookie = self._kit.cookies.set_sso(browser.with_login(begun).pack(), max_age=LIFETIME)
        # Not by `Pages.redirect`, which leads to paths of ours alone: this is the provider's.
        return with_cookies(RedirectResponse(url, 303, EVERYWHERE), [cookie])

    async def callback(self, flow: SocialFlow, request: Request) -> Response:
        """Take the provider's answer."""
        answer, caller = read_answer(request), self._kit.callers.browser(request)
        browser, state, next = self._browser(request), None, root_path(request) + "/"
        try:
            state = flow.open(answer["state"], browser)
            begun = browser.find(state.id) if browser is not None else None
            if begun is not None and begun.next != "/":
                next = begun.next
            if request.method == "HEAD":  # changes nothing (security rule 5)
                return Response(status_code=204)
            organization = begun.organization if begun is not None else ""
            return await self._finish(
                request, flow, state, answer, caller, next=next, organization=organization or None
            )
        except SSOFault as fault:
            if fault.code == "state_used" and await self._kit.accounts.find(request) is not None:
                # The page was loaded anew, or the browser went back to it.
                return self._kit.pages.redirect(request, next, ours=False)
            attempt = state.id if state is not None else secrets.token_bytes(8)
            return self._problem(request, fault, caller, flow, attempt, next)

    async def go_on(self, request: Request) -> Response:
        """Lead a browser on that has proven an address by mail."""
        next = safe_next(request.query_params.get("next")) or root_path(request) + "/"
        return self._kit.pages.redirect(request, next, ours=False)

    async def _finish(
        self,
        request: Request,
        flow: SocialFlow,
        state: LoginState,
        answer: Mapping[str, str],
        caller: Caller,
        *,
        next: str,
        organization: str | None,
    ) -> Response:
        person, then = await flow.finish(state, answer, caller)
        found = await flow.find(person, caller, state)
        if not isinstance(found, Unproven):
            proof = flow.proof(
                found, person, then, caller, state, next=next, organization=organization
            )
            return await respond_with_page(
                self._kit, request, caller, self._kit.logins.finish(proof, caller)
            )
        browser = self._browser(request)
        if browser is None:
            raise SSOFault("other_browser")
        way = await self._proof.ask(
            request, browser, flow.provider, found, next=next, organization=organization
        )
        if isinstance(way, Response):
            return way
        return self._kit.pages.page(
            request,
            "social/problem.html",
            shown_at=None,  # the URL holds an answer that counts once
            status=way.status,
            retry_after=way.retry_after,
            provider=flow.provider.title,
            problem=way.context.get("problem") or way.context.get("error"),
            again=self._kit.pages.login_url(request, next),
        )

    def _problem(
        self,
        request: Request,
        fault: SSOFault,
        caller: Caller,
        flow: SocialFlow,
        attempt: bytes,
        next: str,
    ) -> Response:
        """Return the page that says that it did not work, and no more than a reference."""
        self._kit.events.record(
            "sso.failed",
            caller,
            attempt=attempt,
            reason=fault.code,
            details={"connection": flow.provider.id},
        )
        return self._kit.pages.page(
            request,
            "social/problem.html",
            shown_at=None,  # the URL holds an answer that counts once
            status=_STATUS,
            provider=flow.provider.title,
            reference=self._kit.events.attempt_digest(attempt) or "",
            again=self._kit.pages.login_url(request, next),
        )

    def _browser(self, request: Request) -> SSOBrowser | None:
        return SSOBrowser.unpack(self._kit.cookies.sso(request.scope["headers"]))
