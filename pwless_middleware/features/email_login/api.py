"""The JSON interface: send, resend and verify, in the wire shape of Scalekit's API."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.errors import (
    FieldViolation,
    ForbiddenOrigin,
    InvalidArgument,
    InvalidCode,
    LoginDenied,
    LoginElsewhere,
    OtherBrowser,
    RateLimited,
    RequestExpired,
    StepRequired,
    TooManyAttempts,
    Unauthenticated,
)
from pwless_middleware.features.email_login.fields import (
    RESEND,
    SENT,
    VERIFIED,
    send_fields,
    verify_fields,
)
from pwless_middleware.features.email_login.flow import EmailFlow, SendRequest
from pwless_middleware.flows.challenges.challenges import SentChallenge
from pwless_middleware.languages.current import current_language
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import Json, read_json
from pwless_middleware.web.requests.fields import Fields, Values
from pwless_middleware.web.responses.login_responses import respond_with_json
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.operations import API_KEY, FLOW_COOKIE, ORIGIN, Operation
from pwless_middleware.web.routing.routes import Route

BASE = "/api/v1/passwordless/email"


class EmailApi:
    """Answer the three calls.

    Args:
        kit: everything below.
        flow: the three verbs.
    """

    def __init__(self, kit: Kit, flow: EmailFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.routes = (
            Route(f"{BASE}/send", {"POST": self.send}, "api", {"POST": self._describe_send()}),
            Route(f"{BASE}/resend", {"POST": self.resend}, "api", {"POST": _RESEND}),
            Route(
                f"{BASE}/verify", {"POST": self.verify}, "api", {"POST": self._describe_verify()}
            ),
        )

    async def send(self, request: Request) -> Response:
        """Start a login and answer with its `auth_request_id`."""
        caller = await self._kit.callers.api(request)
        body = await read_json(request)
        locale = self._write_in(body.get("locale"))
        values = self._send_fields().read_json(body)
        await self._kit.pages.write_for(request, values.get("organization"))
        self._kit.pages.prefer_language(locale)
        send_request = SendRequest(
            email=values.text("email"),
            template="SIGNUP" if values.get("template") == "SIGNUP" else "SIGNIN",
            magiclink_auth_uri=values.get("magiclink_auth_uri"),
            state=values.get("state"),
            expires_in=values.integer("expires_in"),
            template_variables=values.texts("template_variables"),
            language=current_language().code,
            organization=values.get("organization"),
        )
        caller = self._flow.with_device(caller, values.get("device_token"))
        return self._answer_sent(await self._flow.send(send_request, caller), caller)

    async def resend(self, request: Request) -> Response:
        """Send a login's mail again."""
        caller = await self._kit.callers.api(request)
        body = await read_json(request)
        language = self._write_in(body.get("locale"))
        values = RESEND.read_json(body)
        caller = self._flow.with_device(caller, values.get("device_token"))
        id, caller = self._flow.open_request(values.text("auth_request_id"), caller)
        return self._answer_sent(await self._flow.resend(id, caller, language), caller)

    async def verify(self, request: Request) -> Response:
        """Check a code or a link token and answer with the session."""
        caller = await self._kit.callers.api(request)
        values = self._verify_fields().read_json(await read_json(request))
        request_id, code = values.get("auth_request_id"), values.get("code")
        token = values.get("link_token")
        caller = self._flow.with_device(caller, values.get("device_token"))
        _check_combination(values, same_browser=self._flow.rules().same_browser)
        if request_id is not None:
            id, caller = self._flow.open_request(request_id, caller)
            if code is not None:
                attempt = self._flow.verify_code(id, code, caller)
                return await respond_with_json(self._kit, caller, attempt)
        token = await self._flow.find_link_token(token or "", caller)
        if request_id is not None:
            self._flow.check_link_request(token, id)
        attempt = self._flow.verify_link(token, caller)
        return await respond_with_json(self._kit, caller, attempt)

    def _write_in(self, locale: Json) -> str:
        """Write the answer in the language that a caller names, what is said of a bad field too.

        Returns:
            Its code; empty where there is no such language, or none is named.
        """
        found = self._kit.languages.find(locale) if isinstance(locale, str) else None
        if found is None:
            return ""
        self._kit.pages.prefer_language(found.code)
        return found.code

    def _send_fields(self) -> Fields:
        return send_fields(longest=self._flow.rules().max_lifetime)

    def _verify_fields(self) -> Fields:
        rules = self._flow.rules()
        return verify_fields(code=rules.code, same_browser=rules.same_browser)

    def _describe_send(self) -> Operation:
        return Operation(
            id="sendPasswordlessEmail",
            summary="Send an email with a code, a link, or both",
            about="The answer is the same whether anybody has this address. Keep the id.",
            security=((API_KEY,), (ORIGIN,)),
            body=self._send_fields,
            answers={200: SENT},
            sets_cookie=True,
            errors=(Unauthenticated, ForbiddenOrigin, LoginDenied, LoginElsewhere, RateLimited),
            next={
                "verifyPasswordlessEmail": ("auth_request_id", "$response.body#/auth_request_id"),
                "resendPasswordlessEmail": ("auth_request_id", "$response.body#/auth_request_id"),
            },
        )

    def _describe_verify(self) -> Operation:
        return Operation(
            id="verifyPasswordlessEmail",
            summary="Check a code or a link token, and sign in",
            about=(
                "An API key gets the session as a token, a browser as a cookie. Where a further "
                "step is asked for, the answer is 403 STEP_REQUIRED, and nobody is signed in yet."
            ),
            security=((API_KEY,), (ORIGIN, FLOW_COOKIE)),
            body=self._verify_fields,
            answers={200: VERIFIED},
            sets_cookie=True,
            errors=(
                InvalidCode,
                Unauthenticated,
                ForbiddenOrigin,
                LoginDenied,
                LoginElsewhere,
                OtherBrowser,
                StepRequired,
                RequestExpired,
                TooManyAttempts,
            ),
        )

    def _answer_sent(self, started: SentChallenge, caller: Caller) -> Response:
        challenge = started.challenge
        content: Mapping[str, object] = {
            "auth_request_id": self._flow.request_id(challenge),
            "expires_at": str(challenge.expires_at),
            "expires_in": challenge.expires_at - self._kit.clock(),
            "passwordless_type": challenge.kind,
            "resend_after": started.resend_after,
        }
        if not caller.is_browser:
            return json_response(content)
        holds = caller.holds_with(challenge)
        cookie = self._kit.cookies.set_flow(holds, max_age=self._flow.flow_seconds)
        return json_response(content, cookies=[cookie])


_RESEND = Operation(
    id="resendPasswordlessEmail",
    summary="Send the email again",
    about="The same code and link while they live, else new ones. Keep the id of the answer.",
    security=((API_KEY,), (ORIGIN, FLOW_COOKIE)),
    body=RESEND,
    answers={200: SENT},
    sets_cookie=True,
    errors=(Unauthenticated, ForbiddenOrigin, RequestExpired, RateLimited),
    next={"verifyPasswordlessEmail": ("auth_request_id", "$response.body#/auth_request_id")},
)


def _check_combination(values: Values, *, same_browser: bool) -> None:
    """Refuse fields of verify that are missing, or exclude each other."""
    has_code, has_link = values.get("code") is not None, values.get("link_token") is not None
    bad = []
    if has_code and has_link:
        bad.append(FieldViolation("link_token", Text("Send a code or a link token."), "one_of"))
    elif not has_code and not has_link:
        bad.append(FieldViolation("code", Text("Send a code or a link token."), "one_of"))
    if values.get("auth_request_id") is None and (has_code or (has_link and same_browser)):
        bad.append(
            FieldViolation("auth_request_id", Text("Send the id that send gave."), "required")
        )
    if bad:
        raise InvalidArgument(bad)
