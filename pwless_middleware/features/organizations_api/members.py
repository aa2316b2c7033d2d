"""The members of an organization in the JSON API: added, changed, removed."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.organizations.organization import NAME_LENGTH, Member
from pwless_middleware.errors import InvalidArgument, PersonNotFound
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
    ONE_LINE,
    PAGE,
    READ,
    ROLE,
    WHICH,
    after_field,
    next_field,
)
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.fields import Field, Fields, Values
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.requests.user_path import find_user
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.responses.session_json import time_field
from pwless_middleware.web.routing.operations import Operation
from pwless_middleware.web.routing.routes import Route

_MEMBER: Final = Fields(
    {
        "user_id": Field(about="The user's id.", example="u-1024", required=True),
        "role": Field(about=ROLE.about, example="admin", required=True),
        "origin": Field(
            about="How they came in.",
            example="invitation",
            required=True,
            one_of=("invitation", "domain", "sso", "scim", "api", "operator"),
        ),
        "external_id": Field(about="Their directory's id of them; absent for none.", example="e-7"),
        "is_active": Field(
            kind="boolean", about="Whether they may sign in to it.", example=True, required=True
        ),
        "created_at": time_field("When they became one"),
    }
)
_ONE: Final = Fields({"member": Field(kind="object", about="It.", required=True, fields=_MEMBER)})
_EXTERNAL_ID: Final = Field(
    about="Their directory's id of them; empty takes it away.",
    example="e-7",
    longest=NAME_LENGTH,
    also=ONE_LINE,
)
_IS_ACTIVE: Final = Field(
    kind="boolean", about="False signs them out of it at once.", example=False
)
PUT_FIELDS: Final = Fields(
    {
        "user_id": Field(
            about="Of a user whom there is; this or `email`.",
            example="u-1024",
            shortest=1,
            longest=254,
        ),
        "email": Field(
            about="The address of a user whom there is; this or `user_id`. Whom there is not yet, "
            "you invite.",
            example="jo@acme.example",
            shortest=1,
            longest=254,
            also={"format": "email"},
        ),
        "role": ROLE,
        "external_id": _EXTERNAL_ID,
    }
)
CHANGE_FIELDS: Final = Fields({"role": ROLE, "external_id": _EXTERNAL_ID, "is_active": _IS_ACTIVE})
QUERY: Final = Fields(
    {
        "after": after_field(
            "Those behind this user id: `next` of the page before.", "Rf-EcZvW1K_abohaZQpGMw"
        ),
        "limit": LIMIT,
    }
)
_WHICH: Final = {**WHICH, "user": "The user's id."}


class MembersApi:
    """Answer for members.

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
                f"{ONE}/members",
                {"GET": self.list, "POST": self.put},
                "api",
                {"GET": _LIST, "POST": _PUT},
            ),
            Route(
                f"{ONE}/members/{{user}}",
                {"GET": self.get, "PATCH": self.change, "DELETE": self.remove},
                "api",
                {"GET": _GET, "PATCH": _CHANGE, "DELETE": _REMOVE},
            ),
        )

    async def list(self, request: Request) -> Response:
        """Return a page of members by user id."""
        await self._kit.callers.server(request, scope=READ)
        query = read_query(request, QUERY)
        limit = query.integer("limit") or PAGE
        found = await self._floor.members.list(
            await organization_id(self._floor, request), after=query.text("after"), limit=limit + 1
        )
        return answer_page("members", found, limit, public_member, lambda one: one.user_id)

    async def put(self, request: Request) -> Response:
        """Make somebody a member, or change who is one."""
        caller = await self._kit.callers.server(request, scope=CHANGE)
        given = PUT_FIELDS.read_json(await read_json(request))
        organization = await organization_id(self._floor, request)
        user_id = await self._user(given)
        member = await self._floor.members.put(
            organization,
            user_id,
            role=given.get("role"),
            external_id=given.get("external_id"),
            is_active=None,
            by=caller.name,
        )
        return json_response({"member": public_member(member)})

    async def get(self, request: Request) -> Response:
        """Return one member."""
        await self._kit.callers.server(request, scope=READ)
        found = await self._floor.members.require(
            await organization_id(self._floor, request), request.path_params["user"]
        )
        return json_response({"member": public_member(found)})

    async def change(self, request: Request) -> Response:
        """Change what is sent of a member."""
        caller = await self._kit.callers.server(request, scope=CHANGE)
        given = CHANGE_FIELDS.read_json(await read_json(request))
        organization, user_id = (
            await organization_id(self._floor, request),
            request.path_params["user"],
        )
        member = await self._floor.members.change(
            organization,
            user_id,
            role=given.get("role"),
            external_id=given.get("external_id"),
            is_active=given.flag("is_active"),
            by=caller.name,
        )
        return json_response({"member": public_member(member)})

    async def remove(self, request: Request) -> Response:
        """Have somebody be no member any more."""
        caller = await self._kit.callers.server(request, scope=CHANGE)
        await self._floor.members.remove(
            await organization_id(self._floor, request), request.path_params["user"], by=caller.name
        )
        return no_content()

    async def _user(self, given: Values) -> str:
        """Return the id of the user whom a body names.

        Raises:
            InvalidArgument: it names none, or by both of its fields.
            PersonNotFound: there is none.
        """
        id, email = given.get("user_id"), given.get("email")
        if (id is None) == (email is None):
            problem = Text("Send one of %(names)s.", names="user_id, email")
            raise InvalidArgument.of("user_id", problem, "one")
        if id is not None:
            if not id.isprintable():
                raise PersonNotFound
            return (await find_user(self._kit, id)).id
        address = parse_address(email or "")
        if address is None:
            raise InvalidArgument.of("email", Text("This is not an email address."), "email")
        people = self._kit.people
        if people is not None:
            return await people.id_of(address)
        raise PersonNotFound


def public_member(one: Member) -> Public:
    """Return a member, ready for JSON."""
    return {
        "user_id": one.user_id,
        "role": one.role,
        "origin": one.origin,
        **({} if one.external_id is None else {"external_id": one.external_id}),
        "is_active": one.is_active,
        **times(created_at=one.created_at),
    }


_LIST: Final = Operation(
    id="listMembers",
    summary="Members of an organization by user id, page by page",
    parameters=WHICH,
    security=BY_KEY,
    query=QUERY,
    answers={
        200: Fields(
            {
                "members": Field(kind="objects", about="A page.", required=True, fields=_MEMBER),
                "next": next_field("Rf-EcZvW1K_abohaZQpGMw"),
            }
        )
    },
    errors=ERRORS,
)
_PUT: Final = Operation(
    id="putMember",
    summary="Make a user a member, or change who is one",
    about="What is not sent stays as it is.",
    parameters=WHICH,
    security=BY_KEY,
    body=PUT_FIELDS,
    answers={200: _ONE},
    errors=(*ERRORS, PersonNotFound),
)
_GET: Final = Operation(
    id="getMember",
    summary="One member of an organization",
    parameters=_WHICH,
    security=BY_KEY,
    answers={200: _ONE},
    errors=ERRORS,
)
_CHANGE: Final = Operation(
    id="changeMember",
    summary="A member's role, or whether they may sign in to the organization",
    about="What is not sent stays as it is. Who is deactivated is signed out of it within 100 ms.",
    parameters=_WHICH,
    security=BY_KEY,
    body=CHANGE_FIELDS,
    answers={200: _ONE},
    errors=ERRORS,
)
_REMOVE: Final = Operation(
    id="removeMember",
    summary="Have a user be no member any more, and sign them out of the organization",
    parameters=_WHICH,
    security=BY_KEY,
    answers={204: None},
    errors=ERRORS,
)
