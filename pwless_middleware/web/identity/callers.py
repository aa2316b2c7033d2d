"""Make the `Caller` of a request: a browser or a server, never both."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import Request

from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.device import device_of
from pwless_middleware.core.operators.api_key import allows
from pwless_middleware.errors import ForbiddenOrigin, MissingScope, Unauthenticated
from pwless_middleware.flows.events.events import Events
from pwless_middleware.text import Text
from pwless_middleware.web.identity.keys import Server, bearer
from pwless_middleware.web.identity.servers import Servers
from pwless_middleware.web.requests.clients import Clients
from pwless_middleware.web.requests.cookies import Cookies
from pwless_middleware.web.routing.origin import Origin


class Callers:
    """Find out who asks.

    Args:
        origin: ours.
        allowed_origins: further origins whose pages may use the JSON API.
        servers: finds who has an API key or access token.
        clients: finds the client's address.
        cookies: reads what a browser brings.
        events: records who is refused.
    """

    def __init__(
        self,
        origin: Origin,
        allowed_origins: frozenset[str],
        servers: Servers,
        clients: Clients,
        cookies: Cookies,
        events: Events,
    ) -> None:
        self._origin = origin
        self._allowed = allowed_origins
        self.servers = servers
        self._clients = clients
        self._cookies = cookies
        self._events = events

    def browser(self, request: Request) -> Caller:
        """Return the browser behind a page's request."""
        headers = request.scope["headers"]
        return Caller(
            client=self._clients.of(request.scope),
            device=device_of(request.headers.get("user-agent", "")),
            holds=self._cookies.flow(headers),
            known_to=self._cookies.device(headers),
            session=self._cookies.session(headers),
            pending=self._cookies.pending(headers),
            trusted=self._cookies.trust_ids(headers),
        )

    async def api(self, request: Request, *, scope: str = "passwordless") -> Caller:
        """Return the server (by its key) or the browser (by its origin) behind an API request.

        No cookie of a server is read: a request with a key is that key's, whatever else it brings.

        Args:
            request: the request.
            scope: what a server's key has to be for, of `core.operators.api_key.SCOPES`.

        Raises:
            Unauthenticated: neither a key of ours nor an origin.
            MissingScope: a key of ours that is not for this.
            ForbiddenOrigin: a page of an origin that is not allowed.
            StoreError: the database that may have the key cannot be asked.
        """
        authorization = request.headers.getlist("authorization")
        if authorization:
            server = await self._find_server(authorization)
            if server is None:
                self.note_refusal(request, "unknown_key")
                raise Unauthenticated(Text("This API key or access token is not known."))
            if not allows(server.scopes, scope):
                self.note_refusal(request, "missing_scope")
                raise MissingScope(scope)
            return Caller(name=f"server:{server.name}")
        self.check_origin(request)
        return self.browser(request)

    async def server(self, request: Request, *, scope: str) -> Caller:
        """Return the server behind an API request that no browser may make.

        Args:
            request: the request.
            scope: as for `api`.

        Raises:
            Unauthenticated: it brings no key of ours.
            MissingScope, StoreError: as for `api`.
        """
        if not request.headers.getlist("authorization"):
            raise Unauthenticated(Text("Send an API key."))
        return await self.api(request, scope=scope)

    async def is_server(self, request: Request) -> bool:
        """Whether a request brings a good API key or access token. A bad one is a stranger's.

        Raises:
            StoreError: the database that may have the key cannot be asked.
        """
        return await self._find_server(request.headers.getlist("authorization")) is not None

    async def _find_server(self, authorization: list[str]) -> Server | None:
        credential = bearer(authorization)
        return None if credential is None else await self.servers.find(credential)

    def check_origin(self, request: Request) -> None:
        """Refuse a write of an API that is not from a page of ours or an allowed one.

        Raises:
            Unauthenticated: it names no origin at all.
            ForbiddenOrigin: it names a foreign one.
        """
        if self._may_write(request.headers):
            return
        if _names_origin(request.headers):
            self.note_refusal(request, "foreign_origin")
            raise ForbiddenOrigin
        raise Unauthenticated(Text("Send an API key, or call from a page of this origin."))

    def is_foreign(self, headers: Headers) -> bool:
        """Whether a request names an origin whose pages may not use the JSON API."""
        return _names_origin(headers) and not self._may_write(headers)

    def _may_write(self, headers: Headers) -> bool:
        origins = headers.getlist("origin")
        is_allowed = len(origins) == 1 and origins[0] in self._allowed
        return is_allowed or self._origin.is_ours(headers)

    def note_refusal(self, request: Request, reason: str) -> None:
        """Record that a request is refused; of what it says of itself, only the browser's name."""
        client = self._clients.of(request.scope)
        device = device_of(request.headers.get("user-agent", ""))
        self._events.record("caller.refused", Caller(client=client, device=device), reason=reason)


def _names_origin(headers: Headers) -> bool:
    return "origin" in headers or "sec-fetch-site" in headers
