"""The account resource of the JSON API: read it, change it, take it along, delete it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.people.person import MAX_NAME, Person
from pwless_middleware.errors import (
    ForbiddenOrigin,
    StepUpRequired,
    Unauthenticated,
)
from pwless_middleware.features.account.export_page import FRESH_WITHIN
from pwless_middleware.flows.people.account_deletion import AccountDeletion
from pwless_middleware.flows.people.people import People
from pwless_middleware.web.gates.full_proof import require_full_proof
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.responses.responses import (
    EVERYWHERE,
    SIGNED_OUT,
    json_response,
    with_cookies,
)
from pwless_middleware.web.routing.operations import (
    ORIGIN,
    SESSION_COOKIE,
    SESSION_TOKEN,
    Operation,
)
from pwless_middleware.web.routing.routes import Route

BASE = "/api/v1/account"


class AccountApi:
    """Answer the account resource, for people whom the database keeps.

    Args:
        kit: everything below.
        people: finds and changes them, and gathers what is kept about one.
        deletion: deletes accounts.
    """

    def __init__(self, kit: Kit, people: People, deletion: AccountDeletion) -> None:
        self._kit = kit
        self._people = people
        self._deletion = deletion
        methods = {"GET": self.get, "PATCH": self.change, "DELETE": self.delete}
        described = {"GET": _GET, "PATCH": _CHANGE, "DELETE": _DELETE}
        self.routes = (
            Route(BASE, methods, "api", described),
            Route(f"{BASE}/export", {"GET": self.export}, "api", {"GET": _EXPORT}),
        )

    async def get(self, request: Request) -> Response:
        """Return the account of who is signed in."""
        account = await self._kit.accounts.require(request)
        person = await self._people.find(account.user.id)
        if person is None:  # deleted meanwhile
            raise Unauthenticated
        return json_response(_public(person))

    async def change(self, request: Request) -> Response:
        """Change name and language; what is not given stays."""
        account = await self._kit.accounts.require(request)
        values = _PROFILE.read_json(await read_json(request))
        changed = await self._people.set_profile(
            account.user.id, name=values.get("name"), language=values.get("language"), by="person"
        )
        return json_response(_public(changed))

    async def export(self, request: Request) -> Response:
        """Return everything that is kept about the person."""
        account = await self._kit.accounts.require(request, fresh_within=FRESH_WITHIN)
        return json_response(await self._people.export(account.user.id, by="person"))

    async def delete(self, request: Request) -> Response:
        """Delete the account, and sign the person out everywhere."""
        account = await require_full_proof(self._kit, request, fresh_within=FRESH_WITHIN)
        await self._deletion.delete(account.user, self._kit.callers.browser(request))
        response = Response(status_code=204, headers=EVERYWHERE)
        if self._kit.cookies.session(request.scope["headers"]) is not None:
            response.headers.update(SIGNED_OUT)
            response = with_cookies(response, [self._kit.cookies.clear_session()])
        return response


_WAYS = ((SESSION_TOKEN,), (SESSION_COOKIE,))
_WRITES = ((SESSION_TOKEN,), (SESSION_COOKIE, ORIGIN))


_PROFILE = Fields(
    {
        "name": Field(
            about="What to call the person: one line; empty for none.",
            example="Jo Doe",
            longest=MAX_NAME,
        ),
        "language": Field(
            about="The person’s language, one that is offered now; empty for none.",
            example="en",
        ),
    }
)


_ACCOUNT = Fields(
    {
        "id": Field(about="The user's stable id.", example="u-1024", required=True),
        "email": Field(about="The user's address.", example="jo@example.com", required=True),
        "name": Field(about="Empty for none.", example="Jo Doe", required=True),
        "language": Field(about="Empty for none.", example="de", required=True),
        "created_at": Field(
            about="When the account was made, unix seconds.",
            example="1767225600",
            required=True,
            also={"pattern": "^[0-9]+$"},
        ),
    }
)
_CHANGE = Operation(
    id="changeAccount",
    summary="Change one’s own name or language",
    about="What is not sent stays as it is; an empty text takes it away.",
    security=_WRITES,
    body=_PROFILE,
    answers={200: _ACCOUNT},
    errors=(Unauthenticated, ForbiddenOrigin),
)
_GET = Operation(
    id="getAccount",
    summary="One’s own account",
    security=_WAYS,
    answers={200: _ACCOUNT},
    errors=(Unauthenticated,),
)
_EXPORT = Operation(
    id="exportAccount",
    summary="Everything that is kept about oneself",
    about="Needs a fresh proof.",
    security=_WAYS,
    answers={200: Fields({})},
    errors=(Unauthenticated, StepUpRequired),
)
_DELETE = Operation(
    id="deleteAccount",
    summary="Delete one’s own account",
    about="For good, and in all places: every session ends. Needs a fresh proof.",
    security=_WRITES,
    answers={204: None},
    sets_cookie=True,
    errors=(Unauthenticated, ForbiddenOrigin, StepUpRequired),
)


def _public(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "email": person.email,
        "name": person.name,
        "language": person.language,
        "created_at": str(person.created_at),
    }
