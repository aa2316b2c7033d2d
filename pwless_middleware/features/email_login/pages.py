"""The pages: check your email, the link's landing page; `login_form` has the form."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import domain_of
from pwless_middleware.core.addresses.mailboxes import likely_meant, webmail_of
from pwless_middleware.core.challenges.challenge import Challenge, ChallengeId
from pwless_middleware.core.challenges.challenge_context import ChallengeContext, seal_hint
from pwless_middleware.core.challenges.pasted_text import link_token_in
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.device_cookie import Known
from pwless_middleware.core.paths import LOGIN_PATH, SOCIAL_PATH
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.errors import (
    ApiError,
    LoginDenied,
    OtherBrowser,
    RequestExpired,
    Unavailable,
)
from pwless_middleware.features.email_login.flow import EmailFlow
from pwless_middleware.features.email_login.login_form import redirect_to_verify
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import Alternative
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.requests.language import chosen_language
from pwless_middleware.web.requests.navigation import is_navigation
from pwless_middleware.web.responses.error_text import ErrorText, is_last_try
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route

_SENT_AGAIN = Text("Sent again. Use the newest email.")
_LINKS = Text(
    "Just this once, an email shows that this address is yours. From then on the button that you "
    "have used is enough."
)


class EmailPages:
    """Show the pages of an email login.

    Args:
        kit: everything below.
        flow: the three verbs.
        rules: how challenges behave.
    """

    def __init__(self, kit: Kit, flow: EmailFlow, rules: CurrentRules) -> None:
        self._kit = kit
        self._flow = flow
        self._rules = rules
        self.routes = (
            Route("/verify", {"GET": self.show_verify, "POST": self.verify}),
            Route("/resend", {"POST": self.resend}),
            Route("/link", {"GET": self.show_link, "POST": self.link}),
        )

    # --- the code ------------------------------------------------------------------------------

    async def show_verify(self, request: Request) -> Response:
        """Show what the browser waits for; without a challenge, the app or the login form."""
        caller = self._kit.callers.browser(request)
        challenge = await self._flow.newest(caller)
        if challenge is None and await self._is_signed_in(caller):
            home = root_path(request) + "/"
            return self._kit.pages.redirect(request, home, ours=False)
        if challenge is None and self._kit.cookie_check.lost_its_cookie(request):
            return self._kit.cookie_check.page(request)
        if challenge is None:
            return self._kit.pages.redirect(request, LOGIN_PATH)
        return await self._verify_page(request, challenge)

    async def verify(self, request: Request) -> Response:
        """Check the code and sign in."""
        form = await read_form(request)
        caller = self._kit.callers.browser(request)
        id = self._find_held(form, caller)
        if id is None:
            return await self._show_gone(request, RequestExpired())
        typed = await self._flow.find_link_token(form.get("code", ""), caller)
        if self._flow.open_link(typed) is not None:  # the whole link, pasted where the code goes
            attempt = self._flow.verify_link(typed, caller)
        else:
            attempt = self._flow.verify_code(id, typed, caller)
        try:
            return await respond_with_page(self._kit, request, caller, attempt)
        except LoginDenied:
            raise
        except Unavailable as error:
            return self._later(request, error)
        except ApiError as error:
            return await self._verify_again(request, id, caller, error)

    async def resend(self, request: Request) -> Response:
        """Send the mail again, and go back to the page that waits for it."""
        form = await read_form(request)
        caller = self._kit.callers.browser(request)
        id = self._find_held(form, caller)
        if id is None:
            return await self._show_gone(request, RequestExpired())
        try:
            started = await self._flow.resend(id, caller, self._chosen_language(request))
        except Unavailable as error:
            return self._later(request, error)
        except ApiError as error:
            return await self._verify_again(request, id, caller, error)
        return redirect_to_verify(self._kit, self._flow, request, caller, started.challenge)

    def _chosen_language(self, request: Request) -> str:
        """Return the code of the language that was chosen on our pages since; empty for none."""
        return chosen_language(request.scope["headers"], self._kit.languages)

    def _later(self, request: Request, error: Unavailable) -> Response:
        """Offer to try again where the login stands, not to start anew."""
        self._kit.pages.outages.note(error)
        return self._kit.pages.error(request, error, again="/verify")

    async def _verify_again(
        self, request: Request, id: ChallengeId, caller: Caller, error: ApiError
    ) -> Response:
        challenge = await self._flow.read(id, caller)
        if challenge is None:
            return await self._show_gone(request, error)
        return await self._verify_page(request, challenge, error=error)

    async def _verify_page(
        self, request: Request, challenge: Challenge, *, error: ApiError | None = None
    ) -> Response:
        now, error_text = self._kit.clock(), ErrorText.of(error)
        organization = await self._kit.pages.write_for(request, challenge.organization)
        alternatives = [] if error else await self._alternatives(request, challenge)
        return self._kit.pages.page(
            request,
            "verify.html",
            leads_away=True,
            in_own_frame=True,
            status=error.status if error else 200,
            retry_after=error.retry_after if error else None,
            email=challenge.address,
            kind=challenge.kind,
            request_id=self._flow.request_id(challenge),
            resend_after=self._flow.resend_after(challenge, error),
            expires_in=max(0, challenge.expires_at - now),
            notice=None if error else self._notice(request, challenge),
            code_format="digits" if self._rules().code == "standard" else "letters",
            can_try=not is_last_try(error),
            expired=not challenge.is_live(now),
            continue_url=challenge.next,
            organization=organization,
            alternatives=alternatives,
            meant=likely_meant(challenge.address),
            webmail=webmail_of(challenge.address),
            in_development=isinstance(self._kit.mailer, Outbox),
            error=error_text.error,
            problem=error_text.problem,
            wait=error_text.wait,
        )

    def _notice(self, request: Request, challenge: Challenge) -> str | None:
        if challenge.resends:
            return translate(_SENT_AGAIN)
        social = f"{root_path(request)}{self._kit.prefix}{SOCIAL_PATH}"
        return translate(_LINKS) if challenge.next.startswith(social) else None

    async def _alternatives(self, request: Request, challenge: Challenge) -> list[Alternative]:
        """Return the other ways to sign in that features know for an address's domain."""
        if challenge.is_break_glass:
            return []
        context = ChallengeContext(
            domain=domain_of(challenge.address),
            next=challenge.next,
            organization=challenge.organization,
            hint=seal_hint(self._kit.hints, challenge.address, now=self._kit.clock()),
        )
        found = [await ask(request, context) for ask in self._kit.offers.alternatives]
        return [one for one in found if one is not None]

    async def _show_gone(self, request: Request, error: ApiError) -> Response:
        if isinstance(error, RequestExpired):
            return await self._link_page(request, "expired", status=error.status)
        raise error

    # --- the link ------------------------------------------------------------------------------

    async def show_link(self, request: Request) -> Response:
        """Show what the link can do here. Changes nothing, whoever opens it, and however often."""
        # The query as it came: the name of the parameter may be as damaged as its value.
        query = request.scope["query_string"].decode("latin-1")
        caller = self._kit.callers.browser(request)
        token = link_token_in(await self._flow.find_link_token(query, caller)) or ""
        link = self._flow.open_link(token)
        if link is None:
            return await self._link_page(request, "expired", status=410)
        state = "confirm"
        if link.id not in caller.holds:
            if self._rules().same_browser:
                # Nothing is looked up: a stranger does not learn whether the link still lives.
                self._flow.note_elsewhere(link, caller, by_page=is_navigation(request))
                return await self._link_page(request, "elsewhere")
            # Who holds the token could press the button, and has the email with the address.
            state, caller = "button", replace(caller, holds={link.id: link.key_id})
        challenge = await self._flow.read(link.id, caller)
        if (
            challenge is not None
            and challenge.is_live(self._kit.clock())
            and self._kit.keyring.is_link_of(link, challenge)
        ):
            state = "unlock" if challenge.kind == "OTP" else state
            return await self._link_page(request, state, token=token, challenge=challenge)
        if challenge is None and await self._is_signed_in(caller):
            return await self._link_page(request, "done")
        return await self._link_page(request, "expired", status=410, challenge=challenge)

    async def link(self, request: Request) -> Response:
        """Check the link and sign in; what GET only offered."""
        form = await read_form(request)
        token = form.get("link_token", "")
        caller = self._kit.callers.browser(request)
        if "here" in form:
            token = token or request.query_params.get("link_token", "")
            known = await self._flow.grant(token, caller)
            # The answer is the same where it grants nothing.
            return self._redirect_known(
                request, caller.known_to if known is None else known, LOGIN_PATH
            )
        try:
            attempt = self._flow.verify_link(token, caller)
            return await respond_with_page(self._kit, request, caller, attempt)
        except OtherBrowser as error:
            return await self._link_page(request, "elsewhere", status=error.status)
        except RequestExpired as error:
            link = self._flow.open_link(token)
            challenge = await self._flow.read(link.id, caller) if link is not None else None
            if challenge is not None and challenge.kind == "OTP":
                known = await self._flow.grant(token, caller)
                if known is not None:
                    return self._redirect_known(request, known, "/verify")
            return await self._link_page(
                request, "expired", status=error.status, challenge=challenge
            )

    def _redirect_known(self, request: Request, known: Known, path: str) -> Response:
        cookie = self._kit.cookies.set_device(known)
        return self._kit.pages.redirect(request, path, cookies=[cookie])

    async def _link_page(
        self,
        request: Request,
        state: str,
        *,
        token: str = "",
        status: int = 200,
        challenge: Challenge | None = None,
    ) -> Response:
        can_resend = challenge is not None and challenge.may_resend(self._kit.clock())
        organization = challenge.organization if challenge is not None else None
        await self._kit.pages.write_for(request, organization)
        # Elsewhere the page has no copy of the token: no script that reads forms finds it.
        is_shown = request.method in ("GET", "HEAD")
        return self._kit.pages.page(
            request,
            "link.html",
            leads_away=True,
            in_own_frame=state == "expired",
            shown_at="" if is_shown and state not in ("elsewhere", "done") else None,
            status=status,
            state=state,
            kind=self._flow.kind,
            link_token=token,
            email=challenge.address if challenge is not None else "",
            home=root_path(request) + "/",
            keeps_cookies=self._kit.cookie_check.keeps_cookies(request),
            can_resend=can_resend,
            request_id=self._flow.request_id(challenge) if challenge is not None else "",
        )

    # --- shared --------------------------------------------------------------------------------

    def _find_held(self, form: dict[str, str], caller: Caller) -> ChallengeId | None:
        """Return the challenge that a form is about: the page's own, else the newest one held."""
        request_id = form.get("request_id", "")
        if not request_id:
            return next(iter(caller.holds), None)
        try:
            id, _ = self._flow.open_request(request_id, caller)
        except RequestExpired:
            return None
        return id if id in caller.holds else None

    async def _is_signed_in(self, caller: Caller) -> bool:
        return caller.session is not None and await self._kit.sessions.lives(caller.session)
