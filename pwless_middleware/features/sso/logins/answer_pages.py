"""Where the answers of providers come to, by way of the browser.

    OpenID Connect   GET  /sso/{connection}/callback   with our Lax cookie: a top-level navigation
    SAML             POST /sso/{connection}/acs        from another site: no cookie comes along
                     GET  /sso/{connection}/finish     where it does, after a 303

A SAML answer is verified where it arrives, and what it comes to is kept for the page that knows the
browser. Nobody is signed in before that: an answer that somebody got for themselves, and had
another browser post, is that browser's nothing.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.organizations.connection import Connection, ConnectionKind
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.errors import NotFound
from pwless_middleware.features.sso.connections.connection_tests import ConnectionTests
from pwless_middleware.features.sso.connections.reports import Report
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.logins.browser import BegunLogin
from pwless_middleware.features.sso.logins.flow import Answered, SSOFlow
from pwless_middleware.features.sso.logins.login_states import LoginState
from pwless_middleware.features.sso.logins.problem import Problems
from pwless_middleware.features.sso.logins.protocols import Protocols, ProviderLogin
from pwless_middleware.features.sso.oidc.answers import read_answer
from pwless_middleware.features.sso.paths import acs_path, callback_path, finish_path, start_url
from pwless_middleware.features.sso.person import ProviderPerson
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route

KEPT: Final = 120
"""Seconds in which a browser follows the 303 from one page to the other."""
MOST_FORM_BYTES: Final = 640 * 1024
"""A SAML response has at most 256 KiB; in base64, and escaped, two and a half times as much."""

Verify = Callable[[Answered], Awaitable[ProviderLogin]]


class AnswerPages:
    """Take what browsers bring from providers.

    Args:
        kit: everything below.
        flow: opens, spends and ends logins.
        protocols: read answers.
        tests: report on answers to tests.
        problems: show the page of a login that did not work.
    """

    def __init__(
        self,
        kit: Kit,
        flow: SSOFlow,
        protocols: Protocols,
        tests: ConnectionTests,
        problems: Problems,
    ) -> None:
        self._kit = kit
        self._flow = flow
        self._protocols = protocols
        self._tests = tests
        self._problems = problems
        self._kept = kit.records("answers")
        self.routes = (
            Route(callback_path("{connection}"), {"GET": self.callback}),
            Route(acs_path("{connection}"), {"POST": self.acs}, cross_site="cookieless"),
            Route(finish_path("{connection}"), {"GET": self.finish}),
        )

    async def callback(self, request: Request) -> Response:
        """Take the answer of an OpenID provider."""
        connection, organization = await self._find(request, "oidc")
        answer = read_answer(request)

        async def verify(answered: Answered) -> ProviderLogin:
            return await self._protocols.finish_oidc(connection, answered.state, answer)

        return await self._answer(request, connection, organization, answer["state"], verify)

    async def acs(self, request: Request) -> Response:
        """Take the answer of a SAML provider, which no cookie of ours comes along with."""
        connection, organization = await self._find(request, "saml")
        form = await read_form(request, most_bytes=MOST_FORM_BYTES)
        handle, caller = form.get("RelayState", ""), self._kit.callers.browser(request)
        state = None
        try:
            state = self._flow.open(handle, connection)
            answered = await self._flow.spend(state, connection, organization, caller)
        except SSOFault as fault:
            if state is None and self._protocols.allows_unsolicited(connection):
                # The provider began it. We begin it once more, in this browser (security rule 52).
                return self._kit.pages.redirect(request, start_url(connection.id))
            attempt = state.id if state is not None else b""
            return await self._problems.show(
                request, fault, caller, connection=connection, attempt=attempt
            )
        response = form.get("SAMLResponse", "")
        try:
            if state.kind == "test":
                report = await self._tests.report_saml(answered, response, caller)
                kept = report.pack()
            else:
                login = await self._protocols.finish_saml(connection, state, response)
                await self._flow.give_back(answered)
                kept = _pack(login)
        except SSOFault as fault:
            is_test = state.kind == "test"
            kept = Report.of(fault).pack() if is_test else _pack(fault)
        await self._kept.put(b64(state.random), kept, ttl=KEPT)
        query = urlencode({"state": handle})
        return self._kit.pages.redirect(request, f"{finish_path(connection.id)}?{query}")

    async def finish(self, request: Request) -> Response:
        """Go on with what the answer of a SAML provider came to, in the browser that has asked."""
        connection, organization = await self._find(request, "saml")
        handle = request.query_params.get("state", "")
        caller, state, begun = self._kit.callers.browser(request), None, None
        try:
            state = self._flow.open(handle, connection)
            account = await self._account(request, state)
            begun = self._flow.check_browser(request, state, account)
            if request.method == "HEAD":
                return Response(status_code=204)
            record = await self._kept.take(b64(state.random))
            if record is None:
                raise SSOFault("state_used")
            if state.kind == "test":
                report = Report.unpack(record.value)
                return await self._tests.keep(request, connection, state, report)
            login = _unpack(record.value)
            answered = Answered(connection=connection, organization=organization, state=state)
            return await self._end(request, answered, login, caller, begun, account)
        except SSOFault as fault:
            return await self._fail(request, fault, caller, connection, state, begun)

    async def _answer(
        self,
        request: Request,
        connection: Connection,
        organization: Organization,
        handle: str,
        verify: Verify,
    ) -> Response:
        caller, state, begun = self._kit.callers.browser(request), None, None
        try:
            state = self._flow.open(handle, connection)
            account = await self._account(request, state)
            begun = self._flow.check_browser(request, state, account)
            if request.method == "HEAD":  # changes nothing (security rule 5)
                return Response(status_code=204)
            answered = await self._flow.spend(state, connection, organization, caller)
            if state.kind == "test":
                return await self._tests.show(request, answered, verify, caller)
            login = await verify(answered)
            return await self._end(request, answered, login, caller, begun, account)
        except SSOFault as fault:
            return await self._fail(request, fault, caller, connection, state, begun)

    async def _end(
        self,
        request: Request,
        answered: Answered,
        login: ProviderLogin,
        caller: Caller,
        begun: BegunLogin | None,
        account: Account | None,
    ) -> Response:
        next = await self._next(request, begun, answered.state)
        attempt = self._flow.finish(answered, login, caller, next=next, account=account)
        return await respond_with_page(self._kit, request, caller, attempt)

    async def _fail(
        self,
        request: Request,
        fault: SSOFault,
        caller: Caller,
        connection: Connection,
        state: LoginState | None,
        begun: BegunLogin | None,
    ) -> Response:
        next = await self._next(request, begun, state)
        is_again = fault.code == "state_used" and caller.session is not None
        if is_again and await self._kit.accounts.find(request) is not None:
            # The page was loaded anew, or the browser went back to it.
            return self._kit.pages.redirect(request, next, ours=False)
        return await self._problems.show(
            request,
            fault,
            caller,
            connection=connection,
            attempt=state.id if state is not None else b"",
            next=next,
        )

    async def _next(
        self, request: Request, begun: BegunLogin | None, state: LoginState | None
    ) -> str:
        found = "/"
        if begun is not None and state is not None:
            found = await self._flow.place_of(begun, state)
        return found if found != "/" else root_path(request) + "/"

    async def _account(self, request: Request, state: LoginState) -> Account | None:
        return await self._kit.accounts.find(request) if state.kind == "step_up" else None

    async def _find(
        self, request: Request, kind: ConnectionKind
    ) -> tuple[Connection, Organization]:
        found = await self._flow.connection(request.path_params["connection"])
        if found is None or found[0].kind != kind:
            raise NotFound
        return found


def _pack(outcome: ProviderLogin | SSOFault) -> bytes:
    if isinstance(outcome, SSOFault):
        return json.dumps({"fault": outcome.code}).encode()
    person = outcome.person
    return json.dumps(
        {
            "subject": person.subject,
            "email": person.email,
            "is_email_verified": person.is_email_verified,
            "name": person.name,
            "authenticated_at": person.authenticated_at,
            "has_second_factor": outcome.has_second_factor,
            "role": outcome.role,
        }
    ).encode()


def _unpack(value: bytes) -> ProviderLogin:
    """Return what an answer came to.

    Raises:
        SSOFault: that it came to.
    """
    found = json.loads(value)
    if "fault" in found:
        raise SSOFault(found["fault"])
    return ProviderLogin(
        person=ProviderPerson(
            subject=found["subject"],
            email=parse_address(found["email"] or ""),
            is_email_verified=found["is_email_verified"],
            name=found["name"],
            authenticated_at=found["authenticated_at"],
        ),
        has_second_factor=found["has_second_factor"],
        role=found["role"],
    )
