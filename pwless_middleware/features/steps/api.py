"""The JSON resource of steps: what a pending login, or a fresh proof, asks for, and the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.organizations.policy_decision import Deny, may_renew
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
from pwless_middleware.features.steps.callers import (
    caller_of,
    holder,
    is_of_session,
    pending_of,
)
from pwless_middleware.features.steps.fields import ASKED, BODY, QUERY
from pwless_middleware.flows.logins.proofs import StepCheck, StepProof
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.steps import OfferedStep, StepMethod, StepSubject
from pwless_middleware.web.requests.bodies import Json, read_json
from pwless_middleware.web.requests.fields import Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.login_responses import SIGNED_IN, respond_with_json
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.operations import (
    API_KEY,
    ORIGIN,
    PENDING_COOKIE,
    SESSION_COOKIE,
    SESSION_TOKEN,
    Operation,
)
from pwless_middleware.web.routing.routes import Route


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
            query=QUERY,
            answers={200: ASKED},
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
        self.route = Route("/api/v1/step", methods, "api", operations)

    async def show(self, request: Request) -> Response:
        """Return what is asked for, and how it can be answered."""
        login_id = read_query(request, QUERY).get("login_id")
        if login_id is None and is_of_session(request):
            return await self._show_fresh_proof(request)
        if login_id is None:
            caller = await caller_of(self._kit, request)
            login_id = caller.pending
            if login_id is None and caller.is_browser:
                return await self._show_fresh_proof(request)
        pending, caller = await pending_of(self._kit, request, login_id or "")
        step, subject = pending.steps[0], StepSubject.of_login(pending, login_id or "", caller)
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
        subject = StepSubject.of_session(account, holder(self._kit, request))
        policy = await self._kit.policies.of_session(account.session)
        methods = [
            one.method
            for one in self._kit.offers.steps
            if may_renew(policy, one.method.name, email=Address(account.session.email))
        ]
        asked = await _ask(request, subject, methods)
        return json_response({"enrolls": False, "methods": asked})

    async def post(self, request: Request) -> Response:
        """Check an answer, and go on with the login, or renew the session."""
        body = await read_json(request)
        values = BODY.read_json(body)
        name, login_id = values.text("method"), values.get("login_id")
        steps = {one.method.name: one for one in self._kit.offers.steps}
        step = steps.get(name)
        if step is None:
            names = ", ".join(steps)
            raise InvalidArgument.of("method", Text("Send one of %(names)s.", names=names), "enum")
        if login_id is None:
            return await self._prove_again(request, step, body)
        pending, caller = await pending_of(self._kit, request, login_id)
        check = _check(request, step.method, StepSubject.of_login(pending, login_id, caller), body)
        attempt = step.logins.do_step(login_id, name, caller, check)
        return await respond_with_json(self._kit, caller, attempt)

    async def _prove_again(
        self, request: Request, step: OfferedStep, body: Mapping[str, Json]
    ) -> Response:
        account = await self._kit.accounts.require(request)
        caller = holder(self._kit, request)
        policy = await self._kit.policies.of_session(account.session)
        if not may_renew(policy, step.method.name, email=Address(account.session.email)):
            raise Deny("factor").error
        check = _check(request, step.method, StepSubject.of_session(account, caller), body)
        name, session = step.method.name, account.session
        attempt = step.logins.do_step_up(name, caller, session, check)
        return await respond_with_json(self._kit, caller, attempt)

    def _all_fields(self) -> Fields:
        methods = [step.method for step in self._kit.offers.steps]
        names = tuple(method.name for method in methods)
        found = {**BODY.fields, "method": replace(BODY.fields["method"], one_of=names)}
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
