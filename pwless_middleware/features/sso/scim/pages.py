"""SCIM over HTTP (RFC 7644): below `/scim/v2/{connection}`, with the token of the connection."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.errors import ApiError, Unavailable
from pwless_middleware.features.sso.scim import schemas
from pwless_middleware.features.sso.scim.changes import UserChange, read_operations, read_user
from pwless_middleware.features.sso.scim.errors import ScimRefused, ScimType
from pwless_middleware.features.sso.scim.filters import read_filter
from pwless_middleware.features.sso.scim.schemas import MOST_RESULTS, USER, Document
from pwless_middleware.features.sso.scim.users import ScimUser, ScimUsers
from pwless_middleware.web.identity.keys import bearer
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import parse_json, read_bytes
from pwless_middleware.web.responses.responses import EVERYWHERE
from pwless_middleware.web.routing.routes import Handler, Route

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

MOST_BYTES: Final = 65_536
MEDIA_TYPE: Final = "application/scim+json"
_PATH: Final = "/scim/v2/{connection}"
_ALWAYS: Final = frozenset(("schemas", "id"))
"""Attributes that are in every answer (RFC 7643 section 7, `returned`)."""

_Answer = Callable[[Request, Connection], Awaitable[Response]]


class ScimPages:
    """Answer a directory.

    Args:
        kit: everything below.
        floor: keeps connections and members.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self._users = ScimUsers(kit, floor)
        self.routes = (
            self._route("/Users", GET=self.list, POST=self.create),
            self._route("/Users/.search", POST=self.search),
            self._route("/.search", POST=self.search),
            self._route(
                "/Users/{id}",
                GET=self.show,
                PUT=self.replace,
                PATCH=self.patch,
                DELETE=self.delete,
            ),
            self._route("/ServiceProviderConfig", GET=self.show_config),
            self._route("/ResourceTypes", GET=self.list_types),
            self._route("/ResourceTypes/{id}", GET=self.list_types),
            self._route("/Schemas", GET=self.list_schemas),
            self._route("/Schemas/{id}", GET=self.list_schemas),
            self._route("/{other}", **dict.fromkeys(("GET", "POST"), self.refuse)),
        )

    # --- users -----------------------------------------------------------------------------------

    async def list(self, request: Request, connection: Connection) -> Response:
        """Return users, a page of all or those whom a filter finds."""
        return await self._search(request, connection, request.query_params)

    async def search(self, request: Request, connection: Connection) -> Response:
        """Return users, by a body in the place of a query (section 3.4.3)."""
        body = await _read(request)
        texts = {name: _as_text(value) for name, value in body.items()}
        return await self._search(request, connection, texts)

    async def create(self, request: Request, connection: Connection) -> Response:
        """Make a user."""
        user = await self._users.create(connection, read_user(await _read(request)))
        document = self._document(user, connection)
        response = _respond(_choose(document, request.query_params), status=201)
        response.headers["location"] = self._place(user, connection)
        return response

    async def show(self, request: Request, connection: Connection) -> Response:
        """Return one user."""
        user = await self._users.require(connection, request.path_params["id"])
        return self._one(request, user, connection)

    async def replace(self, request: Request, connection: Connection) -> Response:
        """Replace a user: an `externalId` that is not there any more is taken away."""
        wanted = read_user(await _read(request))
        if wanted.user_name is None:
            raise ScimRefused(400, "invalidValue", "userName is required.")
        change = UserChange(
            user_name=wanted.user_name,
            external_id=wanted.external_id or "",
            active=wanted.active,
        )
        user = await self._users.change(connection, request.path_params["id"], change)
        return self._one(request, user, connection)

    async def patch(self, request: Request, connection: Connection) -> Response:
        """Change some of a user."""
        change = read_operations(await _read(request))
        user = await self._users.change(connection, request.path_params["id"], change)
        return self._one(request, user, connection)

    async def delete(self, request: Request, connection: Connection) -> Response:
        """Have a user be no member any more."""
        await self._users.delete(connection, request.path_params["id"])
        return Response(status_code=204, headers=EVERYWHERE)

    # --- what the service says of itself ---------------------------------------------------------

    async def show_config(self, request: Request, connection: Connection) -> Response:
        """Return what the service can do."""
        return _respond(schemas.provider_config(self._base(connection)))

    async def list_types(self, request: Request, connection: Connection) -> Response:
        """Return the kinds of resources, or one of them."""
        return _pick(schemas.resource_types(self._base(connection)), request)

    async def list_schemas(self, request: Request, connection: Connection) -> Response:
        """Return the schemas, or one of them."""
        return _pick(schemas.schemas(self._base(connection)), request)

    async def refuse(self, request: Request, connection: Connection) -> Response:
        """Refuse what there is not: groups, for one."""
        raise ScimRefused(404, "", "There are Users, and no other resources.")

    # --- what they share -------------------------------------------------------------------------

    def _route(self, path: str, **answers: _Answer) -> Route:
        handlers = {method: self._handler(answer) for method, answer in answers.items()}
        return Route(_PATH + path, handlers, kind="api", cross_site="cookieless")

    def _handler(self, answer: _Answer) -> Handler:
        async def handle(request: Request) -> Response:
            try:
                return await answer(request, await self._authorize(request))
            except ScimRefused as refused:
                return _refuse(refused)
            except Unavailable as error:
                self._kit.pages.outages.note(error)
                later = ScimRefused(error.status, "", "Try again later.")
                return _refuse(later, retry_after=error.retry_after)
            except ApiError as error:
                kind: ScimType = "invalidSyntax" if error.status == 400 else ""
                return _refuse(ScimRefused(error.status, kind, error.public_message))

        return handle

    async def _authorize(self, request: Request) -> Connection:
        """Return the connection whose token came along.

        Raises:
            ScimRefused: there is no such connection, or it is not its token; nobody hears which.
        """
        from pwless_middleware.flows.organizations.scim_tokens import matches

        id = request.path_params["connection"]
        token = bearer(request.headers.getlist("authorization"))
        if token is not None:
            digest = await self._floor.connections.scim_digest_of(id)
            if matches(digest, token):
                connection = await self._floor.connections.find(id)
                if connection is not None:
                    return connection
        raise ScimRefused(401, "", "Send the token of the connection: Authorization: Bearer …")

    async def _search(
        self, request: Request, connection: Connection, given: Mapping[str, str]
    ) -> Response:
        start, count = _number(given, "startIndex", 1), _number(given, "count", MOST_RESULTS)
        start, count = max(1, start), min(max(0, count), MOST_RESULTS)
        total: int | None = None
        if given.get("filter"):
            found = await self._users.find(connection, read_filter(given["filter"]))
            total, found = len(found), found[start - 1 :][:count]
        else:
            found, total = await self._users.list(connection, start=start, count=count)
        documents = [_choose(self._document(user, connection), given) for user in found]
        return _respond(schemas.list_of(documents, total=total, start=start))

    def _one(self, request: Request, user: ScimUser, connection: Connection) -> Response:
        return _respond(_choose(self._document(user, connection), request.query_params))

    def _document(self, user: ScimUser, connection: Connection) -> Document:
        member = user.member
        made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(member.created_at))
        found: Document = {
            "schemas": [USER],
            "id": member.user_id,
            "userName": user.address,
            "active": member.is_active,
            "emails": [{"value": user.address, "type": "work", "primary": True}],
            "meta": {
                "resourceType": "User",
                "created": made,
                "location": self._place(user, connection),
            },
        }
        if member.external_id is not None:
            found["externalId"] = member.external_id
        if user.name:
            found["displayName"] = user.name
        return found

    def _place(self, user: ScimUser, connection: Connection) -> str:
        return f"{self._base(connection)}/Users/{quote(user.member.user_id, safe='')}"

    def _base(self, connection: Connection) -> str:
        path = _PATH.replace("{connection}", connection.id)
        return f"{self._kit.origin.url}{self._kit.prefix}{path}"


async def _read(request: Request) -> dict[str, object]:
    return {**parse_json(await read_bytes(request, MOST_BYTES))}


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(str(one) for one in value)
    return str(value)


def _number(given: Mapping[str, str], name: str, usual: int) -> int:
    text = given.get(name, "")
    try:
        return int(text) if text and len(text) < 10 else usual
    except ValueError as error:
        raise ScimRefused(400, "invalidValue", f"{name} is a number.") from error


def _choose(document: Document, given: Mapping[str, str]) -> Document:
    """Return what is asked for of a resource (section 3.9)."""
    wanted, unwanted = _names(given, "attributes"), _names(given, "excludedAttributes")
    return {
        name: value
        for name, value in document.items()
        if name in _ALWAYS or (name.lower() in wanted if wanted else name.lower() not in unwanted)
    }


def _names(given: Mapping[str, str], name: str) -> frozenset[str]:
    """Return the attributes of a list, in lower case; of a part of one, the whole."""
    names = (one.strip().lower().removeprefix(f"{USER.lower()}:") for one in
             given.get(name, "").split(","))  # fmt: skip
    return frozenset(one.partition(".")[0] for one in names if one)


def _pick(found: list[Document], request: Request) -> Response:
    if "id" not in request.path_params:
        return _respond(schemas.list_of(found))
    for one in found:
        if one["id"] == request.path_params["id"]:
            return _respond(one)
    raise ScimRefused(404, "", "There is no such resource.")


def _respond(content: Document, *, status: int = 200) -> Response:
    return JSONResponse(content, status, EVERYWHERE, media_type=MEDIA_TYPE)


def _refuse(refused: ScimRefused, *, retry_after: int | None = None) -> Response:
    response = _respond(refused.to_json(), status=refused.status)
    if refused.status == 401:
        response.headers["www-authenticate"] = "Bearer"
    if retry_after is not None:
        response.headers["retry-after"] = str(retry_after)
    return response
