"""The JSON interface of a change of address: ask, and confirm."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.challenges.challenge import ChallengeId
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.errors import (
    ForbiddenOrigin,
    InvalidCode,
    LoginDenied,
    LoginElsewhere,
    RateLimited,
    RequestExpired,
    StepRequired,
    StepUpRequired,
    TooManyAttempts,
    Unauthenticated,
)
from pwless_middleware.features.email_login.address_changes.pages import (
    FRESH_WITHIN,
    LONGEST,
    address_of,
    new_address,
)
from pwless_middleware.features.email_login.fields import (
    ADDRESS_CHANGED,
    NEW_ADDRESS,
    SENT,
    confirm_fields,
)
from pwless_middleware.features.email_login.flow import EmailFlow
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.flows.people.address_changes import AddressChanges
from pwless_middleware.flows.sessions.sessions import TOKEN_PREFIX
from pwless_middleware.languages.current import current_language
from pwless_middleware.web.gates.full_proof import require_full_proof
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.fields import Fields
from pwless_middleware.web.responses.login_responses import respond_with_json
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.operations import (
    FLOW_COOKIE,
    ORIGIN,
    SESSION_COOKIE,
    SESSION_TOKEN,
    Operation,
)
from pwless_middleware.web.routing.routes import Route

BASE = "/api/v1/account/address"


class AddressApi:
    """Answer the two calls.

    Args:
        kit: everything below.
        flow: seals and opens request ids.
        changes: changes addresses.
        rules: how challenges behave.
    """

    def __init__(
        self,
        kit: Kit,
        flow: EmailFlow,
        changes: AddressChanges,
        rules: CurrentRules,
    ) -> None:
        self._kit = kit
        self._flow = flow
        self._changes = changes
        self._rules = rules
        self.routes = (
            Route(BASE, {"POST": self.start}, "api", {"POST": _START}),
            Route(
                f"{BASE}/confirm",
                {"POST": self.confirm},
                "api",
                {"POST": self._describe_confirm()},
            ),
        )

    async def start(self, request: Request) -> Response:
        """Mail a code to a new address."""
        account = await require_full_proof(self._kit, request, fresh_within=FRESH_WITHIN)
        values = NEW_ADDRESS.read_json(await read_json(request))
        caller = self._caller(request, account)
        sent = await self._changes.start(
            new_address(values.text("email"), account.user.email),
            caller,
            account.session,
            lifetime=min(self._rules().lifetime, LONGEST),
            language=current_language().code,
        )
        await self._kit.wake_delivery()
        challenge = sent.challenge
        content = {
            "auth_request_id": self._flow.request_id(challenge),
            "expires_at": str(challenge.expires_at),
            "expires_in": challenge.expires_at - self._kit.clock(),
            "passwordless_type": challenge.kind,
            "resend_after": sent.resend_after,
        }
        if _has_token(account):
            return json_response(content)
        holds = caller.holds_with(challenge)
        cookie = self._kit.cookies.set_flow(holds, max_age=self._flow.flow_seconds)
        return json_response(content, cookies=[cookie])

    async def confirm(self, request: Request) -> Response:
        """Check the code, change the address, and answer with the renewed session."""
        account = await self._kit.accounts.require(request)
        values = self._confirm_fields().read_json(await read_json(request))
        id, caller = self._open(request, account, values.text("auth_request_id"))
        holder = self._kit.callers.browser(request)
        if _has_token(account):
            holder = holder.as_token_holder()
        attempt = self._changes.confirm(
            id,
            values.text("code"),
            caller,
            account.session,
            holder=holder,
            old=address_of(account),
            next="/",
            language=current_language().code,
        )
        response = await respond_with_json(self._kit, holder, attempt)
        await self._kit.wake_delivery()
        return response

    def _caller(self, request: Request, account: Account) -> Caller:
        return self._kit.callers.browser(request).for_address_change(account.session.id)

    def _open(
        self, request: Request, account: Account, request_id: str
    ) -> tuple[ChallengeId, Caller]:
        """Read a request id. Who has a session token holds the challenge by presenting it."""
        caller = self._caller(request, account)
        if not _has_token(account):
            return self._flow.open_request(request_id, caller)
        id, with_id = self._flow.open_request(request_id, replace(caller, name="server:"))
        return id, replace(caller, holds=with_id.holds)

    def _confirm_fields(self) -> Fields:
        return confirm_fields(code=self._rules().code)

    def _describe_confirm(self) -> Operation:
        return Operation(
            id="confirmAddress",
            summary="Check the code, and change the address",
            about=(
                "All other sessions end, and this one is renewed: a browser gets a new cookie, "
                "whoever has a session token a new one. The old address is told by email, and can "
                "undo it for 72 hours."
            ),
            security=((SESSION_TOKEN,), (SESSION_COOKIE, ORIGIN, FLOW_COOKIE)),
            body=self._confirm_fields,
            answers={200: ADDRESS_CHANGED},
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


_START = Operation(
    id="changeAddress",
    summary="Email a code to a new address of one’s own",
    about="The answer is the same whether anybody has this address. Needs a fresh proof.",
    security=((SESSION_TOKEN,), (SESSION_COOKIE, ORIGIN)),
    body=NEW_ADDRESS,
    answers={200: SENT},
    sets_cookie=True,
    errors=(Unauthenticated, ForbiddenOrigin, StepUpRequired, RateLimited),
    next={"confirmAddress": ("auth_request_id", "$response.body#/auth_request_id")},
)


def _has_token(account: Account) -> bool:
    return account.signed.startswith(TOKEN_PREFIX)
