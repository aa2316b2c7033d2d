"""The policy of an organization in the JSON API: changed, applied, and explained."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy_json import change_policy, policy_to_json
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.organizations_api.description import (
    BY_KEY,
    CHANGE,
    ERRORS,
    ONE,
    READ,
    VERSION,
    WHICH,
)
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.operations import Operation
from pwless_middleware.web.routing.routes import Route

_POLICY: Final = Fields(
    {
        "policy": Field(
            kind="json",
            about="All of it. A field that is null asks for nothing, an empty list allows nothing.",
            required=True,
        ),
        "version": Field(kind="integer", about="Of the organization.", example=1, required=True),
    }
)
CHANGE_FIELDS: Final = Fields(
    {
        "policy": Field(
            kind="json",
            about="The fields that change, of `methods`, `mfa`, `second_factors`, `sso`, `idle`, "
            "`absolute`, `trusted_days`, `join` and `break_glass`; null takes one back.",
            example={"mfa": "required"},
            required=True,
        ),
        "version": Field(kind="integer", about=VERSION.about, example=1, required=True, least=1),
    }
)


QUERY: Final = Fields(
    {
        "email": Field(
            about="Whose login, as somebody types it.",
            example="jo@acme.example",
            required=True,
            shortest=1,
            longest=254,
            also={"format": "email"},
        )
    }
)


class PolicyApi:
    """Answer for policies.

    Args:
        kit: the feature's.
        floor: finds and changes them.

    Attributes:
        routes: its paths.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._callers = kit.callers
        self._organizations = floor.organizations
        self._explanations = floor.explanations
        self.routes = (
            Route(
                f"{ONE}/policy",
                {"GET": self.get, "PATCH": self.change},
                "api",
                {"GET": _GET, "PATCH": _CHANGE},
            ),
            Route(f"{ONE}/policy/explain", {"GET": self.explain}, "api", {"GET": _EXPLAIN}),
            Route(f"{ONE}/policy/apply", {"POST": self.apply}, "api", {"POST": _APPLY}),
        )

    async def get(self, request: Request) -> Response:
        """Return the policy."""
        await self._callers.server(request, scope=READ)
        return _answer(await self._organizations.require(request.path_params["id"]))

    async def change(self, request: Request) -> Response:
        """Change what is sent of the policy."""
        caller = await self._callers.server(request, scope=CHANGE)
        given = CHANGE_FIELDS.read_json(await read_json(request))
        there = await self._organizations.require(request.path_params["id"])
        policy = change_policy(there.policy, given.json("policy"))
        changed = await self._organizations.set_policy(
            there.id, policy, seen=given.integer("version") or 0, by=caller.name
        )
        return _answer(changed)

    async def apply(self, request: Request) -> Response:
        """Hold running sessions to the policy as it is now."""
        caller = await self._callers.server(request, scope=CHANGE)
        applied = await self._organizations.apply_now(request.path_params["id"], by=caller.name)
        return _answer(applied)

    async def explain(self, request: Request) -> Response:
        """Say what would happen if somebody signed in now, each way, and why."""
        await self._callers.server(request, scope=READ)
        address = parse_address(read_query(request, QUERY).text("email"))
        if address is None:
            raise InvalidArgument.of("email", Text("This is not an email address."), "email")
        organization = await self._organizations.require(request.path_params["id"])
        found = await self._explanations.explain(address, organization)
        return json_response(found.to_json())


def _answer(one: Organization) -> Response:
    return json_response({"policy": policy_to_json(one.policy), "version": one.version})


_GET: Final = Operation(
    id="getPolicy",
    summary="What an organization asks of logins",
    parameters=WHICH,
    security=BY_KEY,
    answers={200: _POLICY},
    errors=ERRORS,
)
_CHANGE: Final = Operation(
    id="changePolicy",
    summary="Change what an organization asks of logins, from now on",
    about="What is not named stays as it is. In force in every process within 100 ms; sessions "
    "that run go on to their end. `sso` can be `required` once a connection has worked, and an "
    "address of `break_glass` is an active member's with a second factor.",
    parameters=WHICH,
    security=BY_KEY,
    body=CHANGE_FIELDS,
    answers={200: _POLICY},
    errors=ERRORS,
)
_APPLY: Final = Operation(
    id="applyPolicy",
    summary="Hold the sessions that run to the policy as it is now",
    parameters=WHICH,
    security=BY_KEY,
    answers={200: _POLICY},
    errors=ERRORS,
)
_EXPLAIN: Final = Operation(
    id="explainPolicy",
    summary="What would happen if somebody signed in now, and why",
    about="Nothing is asked of anybody, counted or sent.",
    parameters=WHICH,
    security=BY_KEY,
    query=QUERY,
    answers={200: Fields({})},
    errors=ERRORS,
)
