"""Invitations to an organization in the JSON API."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.organizations.organization import Invitation
from pwless_middleware.features.organizations_api.answers import (
    Public,
    answer_page,
    no_content,
    organization_id,
    times,
)
from pwless_middleware.features.organizations_api.description import (
    BY_KEY,
    CHANGE,
    ERRORS,
    LIMIT,
    ONE,
    PAGE,
    READ,
    ROLE,
    WHICH,
    after_field,
    next_field,
)
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.flows.organizations.setup_links import LONGEST, SHORTEST, USUAL
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.responses.session_json import time_field
from pwless_middleware.web.routing.operations import Operation
from pwless_middleware.web.routing.routes import Route

_INVITATION: Final = Fields(
    {
        "id": Field(about="Its id.", example="inv_Rf-EcZvW1K_abohaZQpGMw", required=True),
        "email": Field(about="Who is invited.", example="jo@acme.example", required=True),
        "role": Field(about=ROLE.about, example="admin", required=True),
        "by": Field(about="Who invites.", example="server:shop", required=True),
        "created_at": time_field("When it was made"),
        "expires_at": time_field("From when on nobody can accept it"),
        "accepted_at": time_field("When it was accepted", required=False),
    }
)
CREATE_FIELDS: Final = Fields(
    {
        "email": Field(
            about="Who is invited, as somebody types it. Only who reads its mail can accept.",
            example="jo@acme.example",
            required=True,
            shortest=1,
            longest=254,
            also={"format": "email"},
        ),
        "role": ROLE,
        "expires_in": Field(
            kind="integer",
            about=f"Seconds; default {USUAL}.",
            example=USUAL,
            least=SHORTEST,
            most=LONGEST,
        ),
        "mail": Field(
            kind="boolean", about="Whether they are told by mail; default true.", example=True
        ),
    }
)
QUERY: Final = Fields(
    {
        "after": after_field(
            "Those behind the one with this id: `next` of the page before.",
            "inv_Rf-EcZvW1K_abohaZQpGMw",
        ),
        "limit": LIMIT,
    }
)
_ONE: Final = Fields(
    {"invitation": Field(kind="object", about="It.", required=True, fields=_INVITATION)}
)
_WHICH: Final = {**WHICH, "invitation": "The invitation's id."}


class InvitationsApi:
    """Answer for invitations.

    Args:
        kit: the feature's.
        floor: finds and changes them.

    Attributes:
        routes: its paths.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._callers = kit.callers
        self._floor = floor
        self.routes = (
            Route(
                f"{ONE}/invitations",
                {"GET": self.list, "POST": self.create},
                "api",
                {"GET": _LIST, "POST": _CREATE},
            ),
            Route(
                f"{ONE}/invitations/{{invitation}}",
                {"DELETE": self.revoke},
                "api",
                {"DELETE": _REVOKE},
            ),
        )

    async def list(self, request: Request) -> Response:
        """Return a page of invitations, the newest first."""
        await self._callers.server(request, scope=READ)
        query = read_query(request, QUERY)
        limit = query.integer("limit") or PAGE
        found = await self._floor.invitations.list(
            await organization_id(self._floor, request), after=query.text("after"), limit=limit + 1
        )
        return answer_page("invitations", found, limit, public_invitation, lambda one: one.id)

    async def create(self, request: Request) -> Response:
        """Invite an address."""
        caller = await self._callers.server(request, scope=CHANGE)
        given = CREATE_FIELDS.read_json(await read_json(request))
        expires_in = given.integer("expires_in")
        made = await self._floor.invitations.create(
            await organization_id(self._floor, request),
            given.text("email"),
            role=given.text("role"),
            expires_in=USUAL if expires_in is None else expires_in,
            mail=given.flag("mail") is not False,
            by=caller.name,
        )
        return json_response({"invitation": public_invitation(made)})

    async def revoke(self, request: Request) -> Response:
        """Take an invitation back."""
        caller = await self._callers.server(request, scope=CHANGE)
        await self._floor.invitations.revoke(
            await organization_id(self._floor, request),
            request.path_params["invitation"],
            by=caller.name,
        )
        return no_content()


def public_invitation(one: Invitation) -> Public:
    """Return an invitation, ready for JSON."""
    return {
        "id": one.id,
        "email": one.email,
        "role": one.role,
        "by": one.by,
        **times(created_at=one.created_at, expires_at=one.expires_at, accepted_at=one.accepted_at),
    }


_LIST: Final = Operation(
    id="listInvitations",
    summary="Invitations to an organization, the newest first, page by page",
    parameters=WHICH,
    security=BY_KEY,
    query=QUERY,
    answers={
        200: Fields(
            {
                "invitations": Field(
                    kind="objects", about="A page.", required=True, fields=_INVITATION
                ),
                "next": next_field("inv_Rf-EcZvW1K_abohaZQpGMw"),
            }
        )
    },
    errors=ERRORS,
)
_CREATE: Final = Operation(
    id="createInvitation",
    summary="Invite an address to an organization",
    about="An older invitation of it that was not accepted is none any more.",
    parameters=WHICH,
    security=BY_KEY,
    body=CREATE_FIELDS,
    answers={200: _ONE},
    errors=ERRORS,
)
_REVOKE: Final = Operation(
    id="revokeInvitation",
    summary="Take an invitation back that was not accepted",
    parameters=_WHICH,
    security=BY_KEY,
    answers={204: None},
    errors=ERRORS,
)
