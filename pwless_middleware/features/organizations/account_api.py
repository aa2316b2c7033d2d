"""A person's own organizations in the JSON API: which they are in, the switch, and the way out."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import (
    ForbiddenOrigin,
    LoginDenied,
    LoginElsewhere,
    NotFound,
    StepRequired,
    StepUpRequired,
    Unauthenticated,
)
from pwless_middleware.features.organizations.entrances import Entrances
from pwless_middleware.features.organizations.leaving import FRESH_WITHIN, Leaving
from pwless_middleware.features.organizations.paths import API_PATH
from pwless_middleware.features.organizations.rows import OrganizationRow, read_own
from pwless_middleware.flows.sessions.sessions import TOKEN_PREFIX
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.responses.login_responses import SIGNED_IN, respond_with_json
from pwless_middleware.web.responses.responses import EVERYWHERE, json_response
from pwless_middleware.web.routing.operations import (
    ORIGIN,
    SESSION_COOKIE,
    SESSION_TOKEN,
    Operation,
)
from pwless_middleware.web.routing.routes import Route

_ID_LENGTH: Final = 100


class AccountOrganizationsApi:
    """Answer the resource.

    Args:
        kit: everything below.
        entrances: find what somebody may enter.
        leaving: ends memberships.
    """

    def __init__(self, kit: Kit, entrances: Entrances, leaving: Leaving) -> None:
        self._kit = kit
        self._entrances = entrances
        self._leaving = leaving
        methods = {"GET": self.list, "POST": self.enter}
        self.routes = (
            Route(API_PATH, methods, "api", {"GET": _LIST, "POST": _ENTER}),
            Route(f"{API_PATH}/{{id}}", {"DELETE": self.leave}, "api", {"DELETE": _LEAVE}),
        )

    async def list(self, request: Request) -> Response:
        """List what the person is a member of, and what they may join."""
        account = await self._kit.accounts.require(request)
        own = await read_own(self._entrances, account)
        return json_response(
            {
                "organizations": [_public(row) for row in own.members],
                "offers": [_public(row) for row in own.offers],
            }
        )

    async def enter(self, request: Request) -> Response:
        """Take the session into an organization."""
        account = await self._kit.accounts.require(request)
        values = _ENTRY.read_json(await read_json(request))
        caller = self._kit.callers.browser(request)
        if account.signed.startswith(TOKEN_PREFIX):
            caller = caller.as_token_holder()
        attempt = self._kit.logins.enter_organization(
            account.session, values.text("organization"), caller
        )
        return await respond_with_json(self._kit, caller, attempt)

    async def leave(self, request: Request) -> Response:
        """End the membership, and every session in the organization, this one too."""
        account = await self._kit.accounts.require(request, fresh_within=FRESH_WITHIN)
        has_ended = await self._leaving.leave(account, request.path_params["id"])
        response = Response(status_code=204, headers=EVERYWHERE)
        is_browsers = not account.signed.startswith(TOKEN_PREFIX)
        return self._leaving.sign_out(response) if has_ended and is_browsers else response


_READS = ((SESSION_TOKEN,), (SESSION_COOKIE,))
_WRITES = ((SESSION_TOKEN,), (SESSION_COOKIE, ORIGIN))

_ROW = Fields(
    {
        "id": Field(about="Its id.", example="org_AhVYWQw2o6mzunDOx_bV4A", required=True),
        "name": Field(about="Its name.", example="Acme", required=True),
        "role": Field(about="The person's in it; empty for none.", example="admin", required=True),
        "current": Field(
            kind="boolean", about="Whether this session is in it.", example=True, required=True
        ),
        "invited": Field(
            kind="boolean",
            about="Whether the person is no member yet, and was invited.",
            example=False,
            required=True,
        ),
    }
)
_OWN = Fields(
    {
        "organizations": Field(
            kind="objects", about="What the person is a member of.", required=True, fields=_ROW
        ),
        "offers": Field(
            kind="objects",
            about="What the person becomes a member of by entering it: they are invited, or it "
            "admits everybody with an address of its domain.",
            required=True,
            fields=_ROW,
        ),
    }
)
_ENTRY = Fields(
    {
        "organization": Field(
            about="The id of the organization that is entered.",
            example="org_AhVYWQw2o6mzunDOx_bV4A",
            required=True,
            shortest=1,
            longest=_ID_LENGTH,
        )
    }
)
_LIST = Operation(
    id="listOwnOrganizations",
    summary="One’s own organizations",
    security=_READS,
    answers={200: _OWN},
    errors=(Unauthenticated,),
    next={"enterOrganization": ("organization", "$response.body#/organizations/0/id")},
)
_ENTER = Operation(
    id="enterOrganization",
    summary="Switch to an organization, or join it",
    about=(
        "Its rules decide, as of a login: they may refuse, ask for a further step, or for a login "
        "elsewhere. The session is renewed: a browser gets a new cookie, whoever has a session "
        "token a new one."
    ),
    security=_WRITES,
    body=_ENTRY,
    answers={200: SIGNED_IN},
    sets_cookie=True,
    errors=(Unauthenticated, ForbiddenOrigin, LoginDenied, LoginElsewhere, StepRequired),
)
_LEAVE = Operation(
    id="leaveOrganization",
    summary="Leave an organization",
    about="Every session of the person in it ends. Needs a fresh proof.",
    parameters={"id": "The id of an organization."},
    security=_WRITES,
    answers={204: None},
    sets_cookie=True,
    errors=(Unauthenticated, ForbiddenOrigin, NotFound, StepUpRequired),
)


def _public(row: OrganizationRow) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "role": row.role,
        "current": row.current,
        "invited": row.is_invitation,
    }
