"""The JSON resource of steps: what a pending login, or a fresh proof, asks for, and the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.caller import Caller
from pwless_middleware.core.login import Login, PendingLogin
from pwless_middleware.errors import (
    ForbiddenOrigin,
    InvalidArgument,
    InvalidCode,
    LoginDenied,
    LoginElsewhere,
    RequestExpired,
    StepRequired,
    TooManyAttempts,
    Unauthenticated,
)
from pwless_middleware.flows.proofs import StepCheck, StepProof
from pwless_middleware.flows.sessions import TOKEN_PREFIX
from pwless_middleware.text import Text
from pwless_middleware.web.accounts import Account
from pwless_middleware.web.bodies import Json, read_json
from pwless_middleware.web.fields import Field, Fields
from pwless_middleware.web.keys import bearer
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.login_responses import SIGNED_IN, respond_with_json
from pwless_middleware.web.offers import OfferedStep, StepMethod, StepSubject
from pwless_middleware.web.operations import (
    API_KEY,
    ORIGIN,
    PENDING_COOKIE,
    SESSION_COOKIE,
    SESSION_TOKEN,
    Operation,
)
from pwless_middleware.web.queries import PRINTABLE, read_query
from pwless_middleware.web.responses import json_response
from pwless_middleware.web.routes import Route


class Steps:
    """Mount the resource, which offers what the mounted features offer (`Mounted.steps`)."""

    def mount(self, kit: Kit) -> Mounted:
        """Return its route."""
        return Mounted(routes=StepApi(kit).routes)


class StepApi:
    """Say what is asked for, and take the answer.

    With a `login_id` it is a pending login's step; without one, a fresh proof for a live session.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        show = Operation(
            id="getStep",
            summary="Return what a step asks for",
            about=(
                "Of the pending login whose id is given, or that the browser's cookie names; else "
                "how a live session is renewed by a fresh proof. Changes nothing."
            ),
            security=((API_KEY,), (PENDING_COOKIE,), (SESSION_TOKEN,), (SESSION_COOKIE,)),
            query=_QUERY,
            answers={200: _ASKED},
            errors=(Unauthenticated, RequestExpired),
        )
        answer = Operation(
            id="doStep",
            summary="Do a step",
            about=(
                "With `login_id` it ends a pending login, and answers like a login. Without it "
                "a live session is renewed, and everything that asks for a fresh proof is open."
            ),
            security=(
                (API_KEY,),
                (PENDING_COOKIE, ORIGIN),
                (SESSION_TOKEN,),
                (SESSION_COOKIE, ORIGIN),
            ),
            body=self._all_fields,
            answers={200: SIGNED_IN},
            sets_cookie=True,
            errors=(
                InvalidCode,
                Unauthenticated,
                ForbiddenOrigin,
                LoginDenied,
                LoginElsewhere,
                StepRequired,
                RequestExpired,
                TooManyAttempts,
            ),
        )
        operations = {"GET": show, "POST": answer}
        methods = {"GET": self.show, "POST": self.post}
        self.routes = (Route("/api/v1/step", methods, "api", operations),)

    async def show(self, request: Request) -> Response:
        """Return what is asked for, and how it can be answered."""
        login_id = read_query(request, _QUERY).get("login_id")
        if _is_of_session(request):
            return await self._show_fresh_proof(request)
        caller = await self._caller(request)
        login_id = login_id or caller.pending
        if login_id is None and caller.is_browser:
            return await self._show_fresh_proof(request)
        pending = await self._kit.logins.pending(login_id or "", caller)
        step, subject = pending.steps[0], _of_login(pending, login_id or "", caller)
        methods = [one.method for one in self._kit.offers.steps if one.method.name in step.methods]
        return json_response(
            {
                "login_id": login_id,
                "expires_at": str(pending.expires_at),
                "enrolls": step.enrolls,
                "methods": await _ask(request, subject, methods),
            }
        )

    async def _show_fresh_proof(self, request: Request) -> Response:
        account = await self._kit.accounts.require(request)
        subject = _of_session(account, self._holder(request, account))
        methods = [one.method for one in self._kit.offers.steps]
        asked = await _ask(request, subject, methods)
        return json_response({"enrolls": False, "methods": asked})

    async def post(self, request: Request) -> Response:
        """Check an answer, and go on with the login, or renew the session."""
        body = await read_json(request)
        values = _BODY.read_json(body)
        name, login_id = values.text("method"), values.get("login_id")
        steps = {one.method.name: one for one in self._kit.offers.steps}
        step = steps.get(name)
        if step is None:
            names = ", ".join(steps)
            raise InvalidArgument.of("method", Text("Send one of %(names)s.", names=names), "enum")
        if login_id is None:
            return await self._prove_again(request, step, body)
        caller = await self._caller(request)
        pending = await self._kit.logins.pending(login_id, caller)
        check = _check(request, step.method, _of_login(pending, login_id, caller), body)
        attempt = step.logins.do_step(login_id, name, caller, check)
        return await respond_with_json(self._kit, caller, attempt)

    async def _prove_again(
        self, request: Request, step: OfferedStep, body: Mapping[str, Json]
    ) -> Response:
        account = await self._kit.accounts.require(request)
        caller = self._holder(request, account)
        check = _check(request, step.method, _of_session(account, caller), body)
        name, session = step.method.name, account.session
        attempt = step.logins.do_step_up(name, caller, session, check)
        return await respond_with_json(self._kit, caller, attempt)

    async def _caller(self, request: Request) -> Caller:
        """Return who asks: a server by its key, else a browser; the routes check its origin."""
        if "authorization" in request.headers:
            return await self._kit.callers.api(request)
        return self._kit.callers.browser(request)

    def _holder(self, request: Request, account: Account) -> Caller:
        browser = self._kit.callers.browser(request)
        return browser.as_token_holder() if _is_of_session(request) else browser

    def _all_fields(self) -> Fields:
        methods = [step.method for step in self._kit.offers.steps]
        names = tuple(method.name for method in methods)
        found = {**_BODY.fields, "method": replace(_BODY.fields["method"], one_of=names)}
        for method in methods:
            found |= {
                name: replace(one, required=False) for name, one in method.fields.fields.items()
            }
        return Fields(found)


def _check(
    request: Request, method: StepMethod, subject: StepSubject, body: Mapping[str, Json]
) -> StepCheck:
    values = method.fields.read_json(body)  # before the try is counted

    async def check(login: Login) -> StepProof | None:
        return await method.check(request, subject, values)

    return check


async def _ask(
    request: Request, subject: StepSubject, methods: Sequence[StepMethod]
) -> list[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    for method in methods:
        told = await method.ask(request, subject)
        if told is not None:
            found.append({"method": method.name, "strength": method.strength, **told})
    return found


def _of_login(pending: PendingLogin, login_id: str, caller: Caller) -> StepSubject:
    login = pending.login
    return StepSubject(
        user_id=login.user_id,
        email=login.email,
        caller=caller,
        binding=f"login:{login_id}",
        enrolls=pending.steps[0].enrolls,
    )


def _of_session(account: Account, caller: Caller) -> StepSubject:
    return StepSubject(
        user_id=account.session.user_id,
        email=account.user.email,
        caller=caller,
        binding=f"session:{account.session.first_id}",
    )


def _is_of_session(request: Request) -> bool:
    """Whether a request brings a session token, which is nobody's API key."""
    token = bearer(request.headers.getlist("authorization")) or ""
    return token.startswith(TOKEN_PREFIX)


_LOGIN_ID = Field(
    about="As `STEP_REQUIRED` gave it.",
    example="AbC…",
    shortest=1,
    longest=200,
    also={"pattern": PRINTABLE},
)
_QUERY = Fields({"login_id": _LOGIN_ID})
_BODY = Fields(
    {
        "login_id": _LOGIN_ID,
        "method": Field(
            about="By which it is done; one that the step names.",
            example="passkey",
            required=True,
            shortest=1,
            longest=40,
        ),
    }
)
_ASKED = Fields(
    {
        "login_id": Field(about="Of the pending login; absent for a live session.", example="AbC…"),
        "expires_at": Field(
            about="When the pending login ends, unix seconds.",
            example="1767225600",
            also={"pattern": "^[0-9]+$"},
        ),
        "enrolls": Field(
            kind="boolean",
            about="Whether the proof is made in this step, since there is none yet.",
            example=False,
            required=True,
        ),
        "methods": Field(
            kind="objects",
            about="The ways to do it, each with what it needs.",
            required=True,
            fields=Fields(
                {
                    "method": Field(about="Its name.", example="passkey", required=True),
                    "strength": Field(
                        about="What its proof is worth.", example="any", required=True
                    ),
                }
            ),
        ),
    }
)
