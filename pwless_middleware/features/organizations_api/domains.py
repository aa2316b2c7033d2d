"""The mail domains of an organization in the JSON API: claimed, verified, removed."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.organizations.organization import Domain
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
from pwless_middleware.flows.organizations.domain_records import DomainRecord
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.responses.session_json import time_field
from pwless_middleware.web.routing.operations import Operation
from pwless_middleware.web.routing.routes import Route

_DOMAIN: Final = Fields(
    {
        "domain": Field(about="Canonical.", example="acme.example", required=True),
        "is_verified": Field(
            kind="boolean", about="Whether it is the organization's.", example=True, required=True
        ),
        "record_name": Field(
            about="The name of the TXT record that verifies it.",
            example="_pwless-challenge.acme.example",
            required=True,
        ),
        "record_value": Field(
            about="What the record has to hold.",
            example="pwless-verification=0Yk…",
            required=True,
        ),
        "created_at": time_field("When the organization said that it is its own"),
        "verified_at": time_field("When it was verified", required=False),
        "checked_at": time_field("When the record was looked for last", required=False),
        "failing_since": time_field("Since when the record is not found", required=False),
    }
)
_ONE: Final = Fields({"domain": Field(kind="object", about="It.", required=True, fields=_DOMAIN)})
ADD_FIELDS: Final = Fields(
    {
        "domain": Field(
            about="What stands behind the @; no public suffix, no mailbox provider.",
            example="acme.example",
            required=True,
            shortest=1,
            longest=254,
        )
    }
)
_WHICH: Final = {**WHICH, "domain": "The domain."}


class DomainsApi:
    """Answer for domains.

    Args:
        kit: the feature's.
        floor: finds and changes them.

    Attributes:
        routes: its paths.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._callers = kit.callers
        self._floor = floor
        one = f"{ONE}/domains/{{domain}}"
        self.routes = (
            Route(
                f"{ONE}/domains",
                {"GET": self.list, "POST": self.add},
                "api",
                {"GET": _LIST, "POST": _ADD},
            ),
            Route(
                one,
                {"GET": self.get, "DELETE": self.remove},
                "api",
                {"GET": _GET, "DELETE": _REMOVE},
            ),
            Route(f"{one}/verify", {"POST": self.verify}, "api", {"POST": _VERIFY}),
        )

    async def list(self, request: Request) -> Response:
        """Return all domains."""
        await self._callers.server(request, scope=READ)
        found = await self._floor.domains.list(await organization_id(self._floor, request))
        return json_response({"domains": [public_domain(one) for one in found]})

    async def add(self, request: Request) -> Response:
        """Keep that a domain is said to be the organization's own."""
        caller = await self._callers.server(request, scope=CHANGE)
        given = ADD_FIELDS.read_json(await read_json(request))
        claimed = await self._floor.domains.claim(
            await organization_id(self._floor, request), given.text("domain"), by=caller.name
        )
        return json_response({"domain": public_domain(claimed)})

    async def get(self, request: Request) -> Response:
        """Return one domain."""
        await self._callers.server(request, scope=READ)
        name = request.path_params["domain"]
        found = await self._floor.domains.require(await organization_id(self._floor, request), name)
        return json_response({"domain": public_domain(found)})

    async def verify(self, request: Request) -> Response:
        """Look for the DNS record, and say what came of it."""
        caller = await self._callers.server(request, scope=CHANGE)
        name = request.path_params["domain"]
        check = await self._floor.verification.verify(
            await organization_id(self._floor, request), name, by=caller.name
        )
        answer = {
            "domain": public_domain(check.domain),
            "state": check.state,
            "text": str(check.sentence),
        }
        return json_response(answer)

    async def remove(self, request: Request) -> Response:
        """Have a domain be the organization's own no more."""
        caller = await self._callers.server(request, scope=CHANGE)
        name = request.path_params["domain"]
        await self._floor.domains.remove(
            await organization_id(self._floor, request), name, by=caller.name
        )
        return no_content()


def public_domain(one: Domain) -> Public:
    """Return a domain, ready for JSON."""
    record = DomainRecord.of(one.name, one.token)
    return {
        "domain": one.name,
        "is_verified": one.verified_at is not None,
        "record_name": record.name,
        "record_value": record.value,
        **times(
            created_at=one.created_at,
            verified_at=one.verified_at,
            checked_at=one.checked_at,
            failing_since=one.failing_since,
        ),
    }


_LIST: Final = Operation(
    id="listDomains",
    summary="All domains of an organization",
    parameters=WHICH,
    security=BY_KEY,
    answers={
        200: Fields({"domains": Field(kind="objects", about="All.", required=True, fields=_DOMAIN)})
    },
    errors=ERRORS,
)
_ADD: Final = Operation(
    id="addDomain",
    summary="Say that a domain is an organization's own",
    about="It binds nobody before it is verified. One that is there already stays as it is.",
    parameters=WHICH,
    security=BY_KEY,
    body=ADD_FIELDS,
    answers={200: _ONE},
    errors=ERRORS,
)
_GET: Final = Operation(
    id="getDomain",
    summary="One domain of an organization",
    parameters=_WHICH,
    security=BY_KEY,
    answers={200: _ONE},
    errors=ERRORS,
)
_REMOVE: Final = Operation(
    id="removeDomain",
    summary="Have a domain be an organization's own no more",
    parameters=_WHICH,
    security=BY_KEY,
    answers={204: None},
    errors=ERRORS,
)
_VERIFY: Final = Operation(
    id="verifyDomain",
    summary="Look for the DNS record of a domain, and verify it if it is there",
    parameters=_WHICH,
    security=BY_KEY,
    answers={
        200: Fields(
            {
                **_ONE.fields,
                "state": Field(
                    about="`verified`, or what is the matter.", example="missing", required=True
                ),
                "text": Field(
                    about="The same as a sentence.",
                    example="The record is not there yet.",
                    required=True,
                ),
            }
        )
    },
    errors=ERRORS,
)
