"""The connections of an organization in the JSON API; no answer has a secret (security rule 56)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.core.organizations.sso_faults import FAULTS
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
    VERSION,
    WHICH,
    name_field,
)
from pwless_middleware.flows.organizations.connection_secrets import MOST_SECRET
from pwless_middleware.flows.organizations.connections import KINDS
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.fields import Field, Fields, Values
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.responses.session_json import time_field
from pwless_middleware.web.routing.operations import Operation
from pwless_middleware.web.routing.routes import Route

_CONNECTION: Final = Fields(
    {
        "id": Field(about="Its id.", example="conn_Rf-EcZvW1K_abohaZQpGMw", required=True),
        "kind": Field(about="The protocol.", example="oidc", required=True, one_of=KINDS),
        "name": name_field("What people and operators read.", "Okta", required=True),
        "is_enabled": Field(
            kind="boolean", about="Whether people sign in by it.", example=True, required=True
        ),
        "config": Field(kind="json", about="What its protocol needs.", required=True),
        "has_secret": Field(
            kind="boolean",
            about="Whether a client secret or private key is kept for it.",
            example=True,
            required=True,
        ),
        "version": Field(
            kind="integer", about="Counts its changes, from 1.", example=1, required=True
        ),
        "created_at": time_field("When it was made"),
        "tested_at": time_field("When a whole login by it has worked", required=False),
    }
)
_ONE: Final = Fields(
    {"connection": Field(kind="object", about="It.", required=True, fields=_CONNECTION)}
)
_CONFIG: Final = Field(
    kind="json",
    about="What its protocol needs, all of it; nothing secret. With another issuer or entity id "
    "nobody is known by it; with another issuer it has no secret, too, until one is sent.",
    example={"issuer": "https://acme.okta.example", "client_id": "0oa1"},
)
_SECRET: Final = Field(
    about="The client secret, or a private key in PEM; no answer has it.",
    example="s3cret",
    longest=MOST_SECRET,
)
_IS_ENABLED: Final = Field(kind="boolean", about="Whether people can sign in by it.", example=True)
CREATE_FIELDS: Final = Fields(
    {
        "kind": Field(about="The protocol.", example="oidc", required=True, one_of=KINDS),
        "name": name_field("What people and operators read.", "Okta", required=True),
        "config": _CONFIG,
        "secret": _SECRET,
        "is_enabled": _IS_ENABLED,
    }
)
CHANGE_FIELDS: Final = Fields(
    {
        "name": name_field("What people and operators read.", "Okta"),
        "config": _CONFIG,
        "secret": Field(
            about=f"{_SECRET.about} Empty forgets the one that there is.",
            example="s3cret",
            longest=MOST_SECRET,
        ),
        "is_enabled": _IS_ENABLED,
        "version": VERSION,
    }
)
_WHICH: Final = {**WHICH, "connection": "The connection's id."}


class ConnectionsApi:
    """Answer for connections.

    Args:
        kit: the feature's.
        floor: finds and changes them.

    Attributes:
        routes: its paths.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._callers = kit.callers
        self._floor = floor
        one = f"{ONE}/connections/{{connection}}"
        self.routes = (
            Route(
                f"{ONE}/connections",
                {"GET": self.list, "POST": self.create},
                "api",
                {"GET": _LIST, "POST": _CREATE},
            ),
            Route(
                one,
                {"GET": self.get, "PATCH": self.change, "DELETE": self.delete},
                "api",
                {"GET": _GET, "PATCH": _CHANGE, "DELETE": _DELETE},
            ),
            Route(f"{one}/test", {"POST": self.test}, "api", {"POST": _TEST}),
            Route(
                f"{one}/scim-token",
                {"POST": self.create_token, "DELETE": self.revoke_token},
                "api",
                {"POST": _CREATE_TOKEN, "DELETE": _REVOKE_TOKEN},
            ),
        )

    async def list(self, request: Request) -> Response:
        """Return all connections."""
        await self._callers.server(request, scope=READ)
        found = await self._floor.connections.list(await organization_id(self._floor, request))
        return json_response({"connections": [public_connection(one) for one in found]})

    async def create(self, request: Request) -> Response:
        """Make a connection."""
        caller = await self._callers.server(request, scope=CHANGE)
        given = CREATE_FIELDS.read_json(await read_json(request))
        secret = given.get("secret")
        made = await self._floor.connections.create(
            await organization_id(self._floor, request),
            given.text("kind"),
            given.text("name"),
            config=given.json("config"),
            secret=secret.encode() if secret else None,
            by=caller.name,
        )
        if given.flag("is_enabled"):
            made = await self._floor.connections.enable(made.id, by=caller.name)
        return _answer(made)

    async def get(self, request: Request) -> Response:
        """Return one connection."""
        await self._callers.server(request, scope=READ)
        return _answer(await self._find(request))

    async def change(self, request: Request) -> Response:
        """Change what is sent of a connection."""
        caller = await self._callers.server(request, scope=CHANGE)
        given = CHANGE_FIELDS.read_json(await read_json(request))
        there = await self._find(request)
        return _answer(await self._change(there, given, caller.name))

    async def _change(self, there: Connection, given: Values, by: str) -> Connection:
        connections = self._floor.connections
        changed = await connections.change(
            there.id,
            name=given.get("name"),
            config=given.json("config"),
            seen=given.integer("version"),
            by=by,
        )
        if (secret := given.get("secret")) is not None:
            changed = await connections.set_secret(
                there.id, secret.encode() if secret else None, seen=changed.version, by=by
            )
        if (is_enabled := given.flag("is_enabled")) is not None:
            switch = connections.enable if is_enabled else connections.disable
            changed = await switch(there.id, by=by)
        return changed

    async def delete(self, request: Request) -> Response:
        """Delete a connection, and who people are at it."""
        caller = await self._callers.server(request, scope=CHANGE)
        await self._floor.connections.delete((await self._find(request)).id, by=caller.name)
        return no_content()

    async def test(self, request: Request) -> Response:
        """Say what can be found to be wrong without anybody who signs in."""
        await self._callers.server(request, scope=CHANGE)
        connection = await self._find(request)
        faults = await self._floor.connections.probe(connection)
        answer = {
            "connection": public_connection(connection),
            "faults": [
                {
                    "code": one.code,
                    "text": str(FAULTS[one.code]),
                    "expected": one.expected,
                    "received": one.received,
                }
                for one in faults
            ],
        }
        return json_response(answer)

    async def create_token(self, request: Request) -> Response:
        """Return a new token for SCIM, this once."""
        caller = await self._callers.server(request, scope=CHANGE)
        connection = await self._find(request)
        token = await self._floor.connections.create_scim_token(connection.id, by=caller.name)
        return json_response({"token": token})

    async def revoke_token(self, request: Request) -> Response:
        """Have the token for SCIM be none any more."""
        caller = await self._callers.server(request, scope=CHANGE)
        connection = await self._find(request)
        await self._floor.connections.revoke_scim_token(connection.id, by=caller.name)
        return no_content()

    async def _find(self, request: Request) -> Connection:
        return await self._floor.connections.require(
            await organization_id(self._floor, request), request.path_params["connection"]
        )


def public_connection(one: Connection) -> Public:
    """Return a connection, ready for JSON; its secret is not in it."""
    return {
        "id": one.id,
        "kind": one.kind,
        "name": one.name,
        "is_enabled": one.is_enabled,
        "config": dict(one.config),
        "has_secret": one.has_secret,
        "version": one.version,
        **times(created_at=one.created_at, tested_at=one.tested_at),
    }


def _answer(one: Connection) -> Response:
    return json_response({"connection": public_connection(one)})


_FAULT: Final = Fields(
    {
        "code": Field(about="What is wrong.", example="discovery_status", required=True),
        "text": Field(
            about="The same as a sentence.", example="The provider does not answer.", required=True
        ),
        "expected": Field(about="What would be right; may be empty.", required=True),
        "received": Field(about="What came; may be empty.", required=True),
    }
)
_LIST: Final = Operation(
    id="listConnections",
    summary="All connections of an organization, the oldest first",
    parameters=WHICH,
    security=BY_KEY,
    answers={
        200: Fields(
            {"connections": Field(kind="objects", about="All.", required=True, fields=_CONNECTION)}
        )
    },
    errors=ERRORS,
)
_CREATE: Final = Operation(
    id="createConnection",
    summary="Make a connection to an organization's identity provider",
    parameters=WHICH,
    security=BY_KEY,
    body=CREATE_FIELDS,
    answers={200: _ONE},
    errors=ERRORS,
)
_GET: Final = Operation(
    id="getConnection",
    summary="One connection of an organization",
    parameters=_WHICH,
    security=BY_KEY,
    answers={200: _ONE},
    errors=ERRORS,
)
_CHANGE: Final = Operation(
    id="changeConnection",
    summary="A connection's name, configuration or secret, or whether people sign in by it",
    about="What is not sent stays as it is. With another configuration it has to be tested anew "
    "before a policy can require it. The last one that is enabled stays so while the policy "
    "requires the company's login.",
    parameters=_WHICH,
    security=BY_KEY,
    body=CHANGE_FIELDS,
    answers={200: _ONE},
    errors=ERRORS,
)
_DELETE: Final = Operation(
    id="deleteConnection",
    summary="Delete a connection, and who people are at it",
    parameters=_WHICH,
    security=BY_KEY,
    answers={204: None},
    errors=ERRORS,
)
_TEST: Final = Operation(
    id="testConnection",
    summary="What can be found to be wrong with a connection without anybody who signs in",
    about="Its provider is asked. Whether a whole login has worked, `tested_at` says.",
    parameters=_WHICH,
    security=BY_KEY,
    answers={
        200: Fields(
            {
                **_ONE.fields,
                "faults": Field(
                    kind="objects", about="What is wrong.", required=True, fields=_FAULT
                ),
            }
        )
    },
    errors=ERRORS,
)
_CREATE_TOKEN: Final = Operation(
    id="createScimToken",
    summary="A new token with which a directory keeps the members (SCIM 2.0), shown this once",
    about="The one before is none any more.",
    parameters=_WHICH,
    security=BY_KEY,
    answers={200: Fields({"token": Field(about="It.", example="pwscim_0Yk…", required=True)})},
    errors=ERRORS,
)
_REVOKE_TOKEN: Final = Operation(
    id="revokeScimToken",
    summary="Have the token for SCIM be none any more",
    parameters=_WHICH,
    security=BY_KEY,
    answers={204: None},
    errors=ERRORS,
)
