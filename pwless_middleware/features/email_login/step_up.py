"""Prove once more who it is, by a code that goes to the user's own address.

The challenge is made in the name of the session (`Caller.for_step_up`), so that its code is good
for that session alone: it signs nobody in, and no login's code does for it. It draws on the budgets
of the address and the client, like any other.
"""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.challenges.challenge import Challenge, ChallengeId
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.errors import (
    ApiError,
    LoginDenied,
    RequestExpired,
    TooManyAttempts,
    Unauthenticated,
)
from pwless_middleware.features.email_login.flow import EmailFlow
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.flows.challenges.challenge_verifier import ChallengeVerifier
from pwless_middleware.flows.challenges.challenges import Challenges, NewChallenge
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.languages.current import current_language, translate
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import StepUpMethod
from pwless_middleware.web.parts.parts import Form, Part
from pwless_middleware.web.responses.error_text import ErrorText, is_last_try
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.responses import with_cookies

LONGEST = 600
"""Seconds that a code lives (NIST SP 800-63B-4 §3.1.3.2); links alone may live longer."""


class StepUpByCode:
    """Mail a code to who is signed in, and check it.

    Args:
        kit: everything below.
        flow: the three verbs.
        challenges: their keeper.
        verifier: checks the code.
        rules: how challenges behave.
    """

    def __init__(
        self,
        kit: Kit,
        flow: EmailFlow,
        challenges: Challenges,
        verifier: ChallengeVerifier,
        rules: CurrentRules,
    ) -> None:
        self._kit = kit
        self._flow = flow
        self._challenges = challenges
        self._verifier = verifier
        self._rules = rules
        self.method = StepUpMethod(
            name="email",
            template="step_up/email.html",
            show=self.show,
            post=self.post,
            title=Text("Code by email"),
        )

    async def show(self, request: Request, account: Account) -> Part:
        """Show the button that asks for a code, or the field for the one that is on its way."""
        challenge = await self._flow.newest(self._caller(request, account))
        return self._part(account, challenge)

    async def post(
        self, request: Request, account: Account, form: Form, next: str
    ) -> Response | Part:
        """Send a code, send it again, or check one."""
        caller = self._caller(request, account)
        id = self._find_held(form, caller)
        try:
            if "code" in form:
                if id is None:
                    raise RequestExpired
                attempt = self._check(request, account, id, form["code"], next)
                browser = self._kit.callers.browser(request)
                return await respond_with_page(self._kit, request, browser, attempt)
            return await self._send(request, account, id, caller)
        except (LoginDenied, Unauthenticated):
            raise
        except ApiError as error:
            self._kit.pages.outages.note(error)
            challenge = await self._flow.read(id, caller) if id is not None else None
            return self._part(account, challenge, error=error)

    async def _send(
        self, request: Request, account: Account, id: ChallengeId | None, caller: Caller
    ) -> Response:
        if id is not None:
            sent = await self._challenges.resend(id, caller, current_language().code)
        else:
            address = parse_address(account.user.email)
            if address is None:
                raise LoginDenied
            new = NewChallenge(
                address=address,
                kind="OTP",
                lifetime=min(self._rules().lifetime, LONGEST),
                language=current_language().code,
            )
            sent = await self._challenges.start(new, caller)
        await self._kit.wake_delivery()
        cookie = self._kit.cookies.set_flow(
            caller.holds_with(sent.challenge), max_age=self._flow.flow_seconds
        )
        here = self._kit.pages.here(request)
        return with_cookies(self._kit.pages.redirect(request, here, ours=False), [cookie])

    async def _check(
        self, request: Request, account: Account, id: ChallengeId, code: str, next: str
    ) -> LoginResult:
        proof = await self._verifier.verify_code(id, code, self._caller(request, account))
        browser = self._kit.callers.browser(request)
        return await self._kit.logins.step_up(replace(proof, next=next), browser, account.session)

    def _caller(self, request: Request, account: Account) -> Caller:
        return self._kit.callers.browser(request).for_step_up(account.session.id)

    def _find_held(self, form: Form, caller: Caller) -> ChallengeId | None:
        request_id = form.get("request_id", "")
        if not request_id:
            return None
        try:
            id, _ = self._flow.open_request(request_id, caller)
        except RequestExpired:
            return None
        return id if id in caller.holds else None

    def _part(
        self, account: Account, challenge: Challenge | None, *, error: ApiError | None = None
    ) -> Part:
        now, error_text = self._kit.clock(), ErrorText.of(error)
        problem = error_text.problem
        if isinstance(error, TooManyAttempts):
            problem = translate(Text("Too many wrong codes were typed."))
        is_live = challenge is not None and challenge.is_live(now)
        has_expired = challenge is not None and not is_live
        if isinstance(error, RequestExpired) or (has_expired and error is None):
            problem = translate(Text("Your code has expired, or was used. Ask for a new one."))
        if has_expired and challenge is not None and not challenge.may_resend(now):
            challenge = None
        return Part(
            context={
                "email": account.user.email,
                "is_sent": is_live,
                "can_try": not is_last_try(error),
                "request_id": self._flow.request_id(challenge) if challenge is not None else "",
                "resend_after": self._flow.resend_after(challenge, error) if challenge else 0,
                "expires_in": max(0, challenge.expires_at - now) if challenge is not None else 0,
                "in_development": isinstance(self._kit.mailer, Outbox),
                "code_format": "digits" if self._rules().code == "standard" else "letters",
                "notice": None,
                "error": error_text.error,
                "problem": problem,
                "wait": error_text.wait,
            },
            status=error.status if error else 200,
            retry_after=error.retry_after if error else None,
            is_begun=is_live,
        )
