"""Organizations in the JSON API: found, made, changed and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.domain_name import parse_domain
from pwless_middleware.core.organizations.organization import NAME_LENGTH, Organization
from pwless_middleware.core.organizations.policy_json import policy_from_json, policy_to_json
from pwless_middleware.features.organizations_api.answers import (
    Public,
    answer_page,
    no_content,
    times,
)
from pwless_middleware.features.organizations_api.description import (
    BASE,
    BY_KEY,
    CHANGE,
    ERRORS,
    LIMIT,
    ONE,
    ONE_LINE,
    PAGE,
    READ,
    VERSION,
    WHICH,
    after_field,
    name_field,
    next_field,
)
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.fields import Field, Fields, Values
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.responses.session_json import time_field
from pwless_middleware.web.routing.operations import Operation
from pwless_middleware.web.routing.routes import Route

ORGANIZATION: Final = Fields(
    {
        "id": Field(about="Its id.", example="org_Rf-EcZvW1K_abohaZQpGMw", required=True),
        "name": name_field("What people read.", "Acme", required=True),
        "external_id": Field(about="Your own key of it; absent for none.", example="customer-7"),
        "logo": Field(about="Its picture; absent takes the deployment's.", example="/acme.svg"),
        "color": Field(about="Of its buttons; absent takes the deployment's.", example="#3d4ed8"),
        "language": Field(
            about="Of its pages and mails; empty takes the usual one.", example="de", required=True
        ),
        "policy": Field(
            kind="json", about="What it asks of logins; null asks for nothing.", required=True
        ),
        "version": Field(
            kind="integer", about="Counts its changes, from 1.", example=1, required=True
        ),
        "created_at": time_field("When it was made"),
        "enforced_at": time_field(
            "Since when running sessions are held to its policy", required=False
        ),
    }
)
_ANSWER: Final = Fields(
    {"organization": Field(kind="object", about="It.", required=True, fields=ORGANIZATION)}
)
_LOOK: Final = {
    "external_id": Field(
        about="Your own key of it, which no other has; does not begin with `org_`.",
        example="customer-7",
        longest=NAME_LENGTH,
        also=ONE_LINE,
    ),
    "logo": Field(
        about="A path on this origin, or a `data:image/…` URL.",
        example="/acme.svg",
        longest=8_000,
    ),
    "color": Field(about="`#rgb` or `#rrggbb`.", example="#3d4ed8", longest=7),
    "language": Field(about="A code of one that is offered.", example="de", longest=20),
}
CREATE_FIELDS: Final = Fields(
    {
        "name": name_field("What people read.", "Acme", required=True),
        **_LOOK,
        "policy": Field(
            kind="json",
            about="What it asks of logins; what is not named asks for nothing.",
            example={"mfa": "required"},
        ),
    }
)
CHANGE_FIELDS: Final = Fields(
    {"name": name_field("What people read.", "Acme"), **_LOOK, "version": VERSION}
)
QUERY: Final = Fields(
    {
        "search": Field(
            about="Those whose names contain it, in whichever case.",
            example="acm",
            shortest=1,
            longest=NAME_LENGTH,
            also=ONE_LINE,
        ),
        "domain": Field(
            about="Those that say this domain is theirs, verified or not.",
            example="acme.example",
            shortest=1,
            longest=253,
        ),
        "after": after_field(
            "Those behind the one with this id: `next` of the page before.", "org_Rf-EcZvW1K"
        ),
        "limit": LIMIT,
    }
)


class OrganizationApi:
    """Answer for organizations.

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
                BASE,
                {"GET": self.list, "POST": self.create},
                "api",
                {"GET": _LIST, "POST": _CREATE},
            ),
            Route(
                ONE,
                {"GET": self.get, "PATCH": self.change, "DELETE": self.delete},
                "api",
                {"GET": _GET, "PATCH": _CHANGE, "DELETE": _DELETE},
            ),
        )

    async def list(self, request: Request) -> Response:
        """Return a page of organizations by name, or those of a domain."""
        await self._callers.server(request, scope=READ)
        query = read_query(request, QUERY)
        limit = query.integer("limit") or PAGE
        if (domain := query.get("domain")) is not None:
            found = await self._of_domain(domain)
            return json_response({"organizations": [public_organization(one) for one in found]})
        found = await self._floor.organizations.list(
            search=query.text("search"), after=query.text("after"), limit=limit + 1
        )
        return answer_page("organizations", found, limit, public_organization, lambda one: one.id)

    async def create(self, request: Request) -> Response:
        """Make an organization."""
        caller = await self._callers.server(request, scope=CHANGE)
        given = CREATE_FIELDS.read_json(await read_json(request))
        made = await self._floor.organizations.create(
            given.text("name"),
            external_id=given.get("external_id"),
            logo=given.get("logo"),
            color=given.get("color"),
            language=given.text("language"),
            policy=policy_from_json(given.json("policy") or {}),
            by=caller.name,
        )
        return _answer(made)

    async def get(self, request: Request) -> Response:
        """Return one organization."""
        await self._callers.server(request, scope=READ)
        return _answer(await self._floor.organizations.require(request.path_params["id"]))

    async def change(self, request: Request) -> Response:
        """Change what is sent."""
        caller = await self._callers.server(request, scope=CHANGE)
        given: Values = CHANGE_FIELDS.read_json(await read_json(request))
        changed = await self._floor.organizations.change(
            request.path_params["id"],
            name=given.get("name"),
            external_id=given.get("external_id"),
            logo=given.get("logo"),
            color=given.get("color"),
            language=given.get("language"),
            seen=given.integer("version"),
            by=caller.name,
        )
        return _answer(changed)

    async def delete(self, request: Request) -> Response:
        """Delete an organization, and all that is its own."""
        caller = await self._callers.server(request, scope=CHANGE)
        await self._floor.organizations.delete(request.path_params["id"], by=caller.name)
        return no_content()

    async def _of_domain(self, domain: str) -> Sequence[Organization]:
        name = parse_domain(domain)
        if name is None:
            return ()
        claims = await self._floor.domains.list_claims(name)
        ids = {one.organization for one in claims if one.name == name}
        return await self._floor.organizations.find_several(ids)


def public_organization(one: Organization) -> Public:
    """Return an organization, ready for JSON; `ORGANIZATION` describes it."""
    given = {"external_id": one.external_id, "logo": one.logo, "color": one.color}
    return {
        "id": one.id,
        "name": one.name,
        **{name: value for name, value in given.items() if value is not None},
        "language": one.language,
        "policy": policy_to_json(one.policy),
        "version": one.version,
        **times(created_at=one.created_at, enforced_at=one.enforced_at or None),
    }


def _answer(one: Organization) -> Response:
    return json_response({"organization": public_organization(one)})


_LIST: Final = Operation(
    id="listOrganizations",
    summary="Organizations by name, page by page, or those of a domain",
    security=BY_KEY,
    query=QUERY,
    answers={
        200: Fields(
            {
                "organizations": Field(
                    kind="objects", about="A page.", required=True, fields=ORGANIZATION
                ),
                "next": next_field("org_Rf-EcZvW1K_abohaZQpGMw"),
            }
        )
    },
    errors=ERRORS[:-1],
    next={"getOrganization": ("id", "$response.body#/organizations/0/id")},
)
_CREATE: Final = Operation(
    id="createOrganization",
    summary="Make an organization",
    security=BY_KEY,
    body=CREATE_FIELDS,
    answers={200: _ANSWER},
    errors=ERRORS[:-1],
    next={"getOrganization": ("id", "$response.body#/organization/id")},
)
_GET: Final = Operation(
    id="getOrganization",
    summary="One organization",
    parameters=WHICH,
    security=BY_KEY,
    answers={200: _ANSWER},
    errors=ERRORS,
)
_CHANGE: Final = Operation(
    id="changeOrganization",
    summary="Its name, your key of it, brand or language",
    about="What is not sent stays as it is; what is empty is taken away.",
    parameters=WHICH,
    security=BY_KEY,
    body=CHANGE_FIELDS,
    answers={200: _ANSWER},
    errors=ERRORS,
)
_DELETE: Final = Operation(
    id="deleteOrganization",
    summary="Delete an organization, and all that is its own",
    about="Its members stay people; their sessions in it end.",
    parameters=WHICH,
    security=BY_KEY,
    answers={204: None},
    errors=ERRORS,
)
