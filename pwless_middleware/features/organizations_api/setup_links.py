"""Set-up links in the JSON API, by which an organization sets up its login itself."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.organizations.organization import SetupLink
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.organizations_api.answers import (
    Public,
    no_content,
    organization_id,
    times,
)
from pwless_middleware.features.organizations_api.description import (
    BY_KEY,
    CHANGE,
    ERRORS,
    ONE,
    READ,
    WHICH,
)
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.flows.organizations.setup_links import LONGEST, SHORTEST, USUAL
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.setup_links import setup_url
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.responses.session_json import time_field
from pwless_middleware.web.routing.operations import Operation
from pwless_middleware.web.routing.routes import Route

_LINK: Final = Fields(
    {
        "id": Field(about="Its id.", example="setup_Rf-EcZvW1K_abohaZQpGMw", required=True),
        "by": Field(about="Who made it.", example="server:shop", required=True),
        "created_at": time_field("When it was made"),
        "expires_at": time_field("When it ends, and what it has opened"),
        "opened_at": time_field("When it was opened", required=False),
        "finished_at": time_field("When its administrator said that all is done", required=False),
    }
)
CREATE_FIELDS: Final = Fields(
    {
        "expires_in": Field(
            kind="integer",
            about=f"Seconds; default {USUAL}.",
            example=USUAL,
            least=SHORTEST,
            most=LONGEST,
        ),
        "email": Field(
            about="Whom to send it to, if you do not yourself.",
            example="it@acme.example",
            most=254,
        ),
    }
)
_WHICH: Final = {**WHICH, "link": "The link's id."}


class SetupLinksApi:
    """Answer for set-up links.

    Args:
        kit: the feature's.
        floor: finds and changes them.

    Attributes:
        routes: its paths.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self.routes = (
            Route(
                f"{ONE}/setup-links",
                {"GET": self.list, "POST": self.create},
                "api",
                {"GET": _LIST, "POST": _CREATE},
            ),
            Route(
                f"{ONE}/setup-links/{{link}}", {"DELETE": self.revoke}, "api", {"DELETE": _REVOKE}
            ),
        )

    async def list(self, request: Request) -> Response:
        """Return all links, the newest first."""
        await self._kit.callers.server(request, scope=READ)
        found = await self._floor.setup_links.list(await organization_id(self._floor, request))
        return json_response({"setup_links": [public_link(one) for one in found]})

    async def create(self, request: Request) -> Response:
        """Make a link, and return its address this once."""
        caller = await self._kit.callers.server(request, scope=CHANGE)
        given = CREATE_FIELDS.read_json(await read_json(request))
        expires_in = given.integer("expires_in")
        email = given.text("email")
        if email and parse_address(email) is None:  # before there is a link that nobody gets
            raise InvalidArgument.of("email", Text("Enter one email address."), "email")
        organization = await self._floor.organizations.require(request.path_params["id"])
        made = await self._floor.setup_links.create(
            organization.id,
            expires_in=USUAL if expires_in is None else expires_in,
            by=caller.name,
        )
        if email:
            await self._floor.setup_links.send(made, email, language=organization.language)
        return json_response({"setup_link": public_link(made), "url": setup_url(self._kit, made)})

    async def revoke(self, request: Request) -> Response:
        """Take a link back."""
        caller = await self._kit.callers.server(request, scope=CHANGE)
        await self._floor.setup_links.revoke(
            await organization_id(self._floor, request), request.path_params["link"], by=caller.name
        )
        return no_content()


def public_link(one: SetupLink) -> Public:
    """Return a link, ready for JSON; what opens it is not in it."""
    return {
        "id": one.id,
        "by": one.by,
        **times(
            created_at=one.created_at,
            expires_at=one.expires_at,
            opened_at=one.opened_at,
            finished_at=one.finished_at,
        ),
    }


_LIST: Final = Operation(
    id="listSetupLinks",
    summary="All set-up links of an organization, the newest first",
    parameters=WHICH,
    security=BY_KEY,
    answers={
        200: Fields(
            {"setup_links": Field(kind="objects", about="All.", required=True, fields=_LINK)}
        )
    },
    errors=ERRORS,
)
_CREATE: Final = Operation(
    id="createSetupLink",
    summary="A link by which an organization's administrator sets up its login",
    about="One browser can open it, once.",
    parameters=WHICH,
    security=BY_KEY,
    body=CREATE_FIELDS,
    answers={
        200: Fields(
            {
                "setup_link": Field(kind="object", about="It.", required=True, fields=_LINK),
                "url": Field(
                    about="What to hand to the administrator; shown this once.",
                    example="https://app.example.com/auth/sso/setup?setup_token=…",
                    required=True,
                ),
            }
        )
    },
    errors=ERRORS,
)
_REVOKE: Final = Operation(
    id="revokeSetupLink",
    summary="Take a set-up link back; what it has opened ends",
    parameters=_WHICH,
    security=BY_KEY,
    answers={204: None},
    errors=ERRORS,
)
