"""The skin for people: login, check your email, the link's landing page."""

from __future__ import annotations

from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.caller import Caller
from pwless_middleware.core.challenge import Challenge, ChallengeId
from pwless_middleware.core.device_cookie import Known
from pwless_middleware.core.mailboxes import likely_meant, webmail_of
from pwless_middleware.core.pasted_text import link_token_in
from pwless_middleware.core.paths import safe_next
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.errors import (
    ApiError,
    InvalidArgument,
    InvalidCode,
    LoginDenied,
    OtherBrowser,
    RateLimited,
    RequestExpired,
    TooManyAttempts,
    Unavailable,
)
from pwless_middleware.features.email_login.arrival import Arrival
from pwless_middleware.features.email_login.flow import EmailFlow, SendRequest
from pwless_middleware.flows.challenges import ChallengeRules
from pwless_middleware.web.bodies import read_form
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.login_responses import respond_with_page
from pwless_middleware.web.navigation import is_navigation
from pwless_middleware.web.responses import root_path
from pwless_middleware.web.routes import Route


class EmailPages:
    """Show the pages of an email login.

    Args:
        kit: everything below.
        flow: the three verbs.
        rules: how challenges behave.
        flow_seconds: how long a browser keeps its flow cookie.
    """

    def __init__(
        self, kit: Kit, flow: EmailFlow, rules: ChallengeRules, *, flow_seconds: int
    ) -> None:
        self._kit = kit
        self._flow = flow
        self._rules = rules
        self._flow_seconds = flow_seconds
        self._arrival = Arrival(kit, kind=flow.kind, flow_seconds=flow_seconds)
        self.routes = (
            Route("/login", {"GET": self.show_login, "POST": self.login}),
            Route("/verify", {"GET": self.show_verify, "POST": self.verify}),
            Route("/resend", {"POST": self.resend}),
            Route("/link", {"GET": self.show_link, "POST": self.link}),
        )

    # --- login ---------------------------------------------------------------------------------

    async def show_login(self, request: Request) -> Response:
        """Show the form, or who is signed in; `next` comes from the query, if it is a path of ours.

        With `another` in the query, who mistyped an address finds it in the form, and the place
        that was asked for is kept: both are read from the challenge, so that no cookie and no URL
        holds an address.
        """
        next = safe_next(request.query_params.get("next")) or ""
        caller = self._kit.callers.browser(request)
        if "another" in request.query_params:
            challenge = await self._flow.newest(caller)
            if challenge is not None:
                next = next or challenge.next
                return self._login_page(request, email=challenge.address, next=next)
            return self._login_page(request, next=next)
        if "check" in request.query_params and not self._arrival.keeps_cookies(request):
            return self._arrival.no_cookies_page(request, next)
        page = await self._arrival.signed_in_page(request, caller, next)
        return page if page is not None else self._login_page(request, next=next)

    async def login(self, request: Request) -> Response:
        """Send the mail, and go to the page that waits for it."""
        form = await read_form(request)
        email, next = form.get("email", ""), safe_next(form.get("next")) or ""
        if "check" in form:
            return self._arrival.probe(request, next)
        caller = self._kit.callers.browser(request)
        home = root_path(request) + "/"
        try:
            started = await self._flow.send(SendRequest(email=email, next=next or home), caller)
        except LoginDenied as error:
            if error.path is not None:
                return self._kit.pages.redirect(request, error.path)
            return self._login_page(request, email=email, next=next, error=error)
        except ApiError as error:
            self._kit.pages.outages.note(error)
            return self._login_page(request, email=email, next=next, error=error)
        return self._to_verify(request, caller, started.challenge)

    def _login_page(
        self, request: Request, *, email: str = "", next: str = "", error: ApiError | None = None
    ) -> Response:
        told = _ErrorText.of(error)
        return self._kit.pages.page(
            request,
            "login.html",
            leads_away=self._kit.logins.may_lead_away,
            in_own_frame=True,
            status=error.status if error else 200,
            retry_after=error.retry_after if error else None,
            email=email[:254],
            next=next,
            notice=None,
            error=told.error,
            problem=told.problem,
            wait=told.wait,
            kind=self._flow.kind,
        )

    # --- the code ------------------------------------------------------------------------------

    async def show_verify(self, request: Request) -> Response:
        """Show what the browser waits for; without a challenge, the app or the login form."""
        caller = self._kit.callers.browser(request)
        challenge = await self._flow.newest(caller)
        if challenge is None and await self._is_signed_in(caller):
            home = root_path(request) + "/"
            return self._kit.pages.redirect(request, home, ours=False)
        if challenge is None and self._arrival.lost_its_cookie(request):
            return self._arrival.no_cookies_page(request)
        if challenge is None:
            return self._kit.pages.redirect(request, "/login")
        return self._verify_page(request, challenge)

    async def verify(self, request: Request) -> Response:
        """Check the code and sign in."""
        form = await read_form(request)
        caller = self._kit.callers.browser(request)
        id = self._held(form, caller)
        if id is None:
            return self._gone(request, RequestExpired())
        typed = form.get("code", "")
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
        id = self._held(form, caller)
        if id is None:
            return self._gone(request, RequestExpired())
        try:
            started = await self._flow.resend(id, caller)
        except Unavailable as error:
            return self._later(request, error)
        except ApiError as error:
            return await self._verify_again(request, id, caller, error)
        return self._to_verify(request, caller, started.challenge)

    def _later(self, request: Request, error: Unavailable) -> Response:
        """Offer to try again where the login stands, not to start anew."""
        self._kit.pages.outages.note(error)
        return self._kit.pages.error(request, error, again="/verify")

    async def _verify_again(
        self, request: Request, id: ChallengeId, caller: Caller, error: ApiError
    ) -> Response:
        challenge = await self._flow.read(id, caller)
        if challenge is None:
            return self._gone(request, error)
        return self._verify_page(request, challenge, error=error)

    def _verify_page(
        self, request: Request, challenge: Challenge, *, error: ApiError | None = None
    ) -> Response:
        now, told = self._kit.clock(), _ErrorText.of(error)
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
            notice="Sent again. Use the newest email." if challenge.resends and not error else None,
            code_format="digits" if self._rules.code == "standard" else "letters",
            can_try=not _is_last_try(error),
            expired=not challenge.is_live(now),
            continue_url=challenge.next,
            meant=likely_meant(challenge.address),
            webmail=webmail_of(challenge.address),
            in_development=isinstance(self._kit.mailer, Outbox),
            error=told.error,
            problem=told.problem,
            wait=told.wait,
        )

    def _gone(self, request: Request, error: ApiError) -> Response:
        if isinstance(error, RequestExpired):
            return self._link_page(request, "expired", status=error.status)
        raise error

    # --- the link ------------------------------------------------------------------------------

    async def show_link(self, request: Request) -> Response:
        """Show what the link can do here. Changes nothing, whoever opens it, and however often."""
        # The query as it came: the name of the parameter may be as damaged as its value.
        token = link_token_in(request.scope["query_string"].decode("latin-1")) or ""
        link = self._flow.open_link(token)
        if link is None:
            return self._link_page(request, "expired", status=410)
        caller = self._kit.callers.browser(request)
        state = "confirm"
        if link.id not in caller.holds:
            if self._rules.same_browser:
                # Nothing is looked up: a stranger does not learn whether the link still lives.
                self._flow.note_elsewhere(link, caller, by_page=is_navigation(request))
                return self._link_page(request, "elsewhere")
            # Who holds the token could press the button, and has the email with the address.
            state, caller = "button", replace(caller, holds={link.id: link.key_id})
        challenge = await self._flow.read(link.id, caller)
        if (
            challenge is not None
            and challenge.is_live(self._kit.clock())
            and self._kit.keyring.is_link_of(link, challenge)
        ):
            state = "unlock" if challenge.kind == "OTP" else state
            return self._link_page(request, state, token=token, challenge=challenge)
        if challenge is None and await self._is_signed_in(caller):
            return self._link_page(request, "done")
        return self._link_page(request, "expired", status=410, challenge=challenge)

    async def link(self, request: Request) -> Response:
        """Check the link and sign in; what GET only offered."""
        form = await read_form(request)
        token = form.get("link_token", "")
        caller = self._kit.callers.browser(request)
        if "here" in form:
            token = token or request.query_params.get("link_token", "")
            known = await self._flow.grant(token, caller)
            # The answer is the same where it grants nothing.
            return self._known(request, caller.known_to if known is None else known, "/login")
        try:
            attempt = self._flow.verify_link(token, caller)
            return await respond_with_page(self._kit, request, caller, attempt)
        except OtherBrowser as error:
            return self._link_page(request, "elsewhere", status=error.status)
        except RequestExpired as error:
            link = self._flow.open_link(token)
            challenge = await self._flow.read(link.id, caller) if link is not None else None
            if challenge is not None and challenge.kind == "OTP":
                known = await self._flow.grant(token, caller)
                if known is not None:
                    return self._known(request, known, "/verify")
            return self._link_page(request, "expired", status=error.status, challenge=challenge)

    def _known(self, request: Request, known: Known, path: str) -> Response:
        cookie = self._kit.cookies.set_device(known)
        return self._kit.pages.redirect(request, path, cookies=[cookie])

    def _link_page(
        self,
        request: Request,
        state: str,
        *,
        token: str = "",
        status: int = 200,
        challenge: Challenge | None = None,
    ) -> Response:
        can_resend = challenge is not None and challenge.may_resend(self._kit.clock())
        return self._kit.pages.page(
            request,
            "link.html",
            leads_away=True,
            in_own_frame=state == "expired",
            status=status,
            state=state,
            kind=self._flow.kind,
            link_token=token,
            email=challenge.address if challenge is not None else "",
            home=root_path(request) + "/",
            keeps_cookies=self._arrival.keeps_cookies(request),
            can_resend=can_resend,
            request_id=self._flow.request_id(challenge) if challenge is not None else "",
        )

    # --- shared --------------------------------------------------------------------------------

    def _held(self, form: dict[str, str], caller: Caller) -> ChallengeId | None:
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

    def _to_verify(self, request: Request, caller: Caller, newest: Challenge) -> Response:
        holds = caller.holds_with(newest)
        cookie = self._kit.cookies.set_flow(holds, max_age=self._flow_seconds)
        return self._kit.pages.redirect(request, "/verify", cookies=[cookie])


@dataclass(frozen=True, slots=True)
class _ErrorText:
    """What a page says went wrong.

    Attributes:
        error: beside the field, which is then marked.
        problem: above the form, since nothing is wrong with what was typed.
        wait: seconds until a refusal for its number ends; 0 if it is none.
    """

    error: str | None = None
    problem: str | None = None
    wait: int = 0

    @classmethod
    def of(cls, error: ApiError | None) -> _ErrorText:
        if error is None or isinstance(error, RequestExpired):
            return cls()
        if isinstance(error, InvalidArgument):
            return cls(error=error.violations[0].description)
        if isinstance(error, InvalidCode):
            left = error.attempts_left
            return cls(error=f"{error} {left} {'try' if left == 1 else 'tries'} left.")
        if isinstance(error, RateLimited):
            return cls(problem=error.message, wait=error.retry_after)
        if isinstance(error, TooManyAttempts):
            return cls(problem=error.public_message, wait=error.retry_after)
        return cls(problem=error.public_message)


def _is_last_try(error: ApiError | None) -> bool:
    return isinstance(error, TooManyAttempts) or (
        isinstance(error, InvalidCode) and error.attempts_left == 0
    )
