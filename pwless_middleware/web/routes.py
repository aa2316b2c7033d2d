"""Our own paths: a table, matched exactly (security rule 9).

Not Starlette's router: its regexes end in `$`, which lets `%0a` through, and run in front of the
app it would write its own keys into the scope.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from pwless_middleware.core.paths import first_segment
from pwless_middleware.errors import (
    ApiError,
    ConfigError,
    ForbiddenOrigin,
    MethodNotAllowed,
    NotFound,
)
from pwless_middleware.flows.store_deadline import request_deadline
from pwless_middleware.web.hosts import OtherHosts
from pwless_middleware.web.navigation import is_navigation
from pwless_middleware.web.operations import Operation
from pwless_middleware.web.origin import Origin
from pwless_middleware.web.responses import Pages, json_error

FEATURES = frozenset(
    {
        *("login", "verify", "resend", "link", "logout", "sessions", "account", "step", "sso"),
        *("passkeys", "dashboard", "organizations", "outbox", "static", "api", "oauth", "health"),
        "metrics",
    }
)
"""First segments below the prefix that are ours, whether the feature is mounted or not."""

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """Mount handlers on one path.

    Attributes:
        path: below the prefix, beginning with `/`. A last segment `{id}` takes any one segment and
            gives it as `request.path_params["id"]`.
        methods: method to handler. HEAD is answered like GET, without a body.
        skin: `page` answers errors with a page and checks every write's origin here; `api` answers
            with JSON, and its handlers check who calls themselves (`web.callers`).
        operations: method to what the OpenAPI document says of it; empty for pages.
    """

    path: str
    methods: Mapping[str, Handler]
    skin: Literal["page", "api"] = "page"
    operations: Mapping[str, Operation] = field(default_factory=dict)


class Routes:
    """Answer the requests below our prefix, and nothing else.

    Args:
        routes: of all features.
        pages: makes error pages.
        origin: whose pages may write.

    Attributes:
        all: the routes, as given.

    Raises:
        ConfigError: two features have the same path.
    """

    def __init__(self, routes: Sequence[Route], pages: Pages, origin: Origin) -> None:
        self.all = tuple(routes)
        self._exact: dict[str, Route] = {}
        self._by_id: dict[str, Route] = {}
        for route in routes:
            stem, brace, _ = route.path.partition("{id}")
            table = self._by_id if brace else self._exact
            if stem in table:
                raise ConfigError("features", f"two of them mount {route.path}: take one out")
            table[stem] = route
        self._segments = FEATURES | {first_segment(route.path) for route in routes}
        self._pages = pages
        self._origin = origin
        self._hosts = OtherHosts(origin)

    def owns(self, path: str) -> bool:
        """Whether a path below our prefix is ours, mounted or not; the others are the app's."""
        return path in self._exact or first_segment(path) in self._segments

    async def __call__(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for `path`, which is below our prefix (prefix taken off)."""
        request = Request(scope, receive)
        route = self._match(path, request)
        try:
            with request_deadline():
                response = await self._answer(route, path, request)
        except ApiError as error:
            self._pages.outages.note(error)
            is_api = route.skin == "api" if route is not None else path.startswith("/api/")
            response = json_error(error) if is_api else self._pages.error(request, error)
        if request.method == "HEAD":
            send = _without_body(send)
        await response(scope, receive, send)

    def _match(self, path: str, request: Request) -> Route | None:
        route = self._exact.get(path)
        if route is None and path.endswith("/") and not path.startswith("/api/"):
            # As a content network may add it. A redirect would go back and forth with such a one.
            route = self._exact.get(path[:-1])
        if route is None:
            stem, slash, last = path.rpartition("/")
            route = self._by_id.get(stem + slash) if last else None
            if route is not None:
                request.scope["path_params"] = {"id": last}
        return route

    async def _answer(self, route: Route | None, path: str, request: Request) -> Response:
        if route is None:
            raise NotFound
        method = "GET" if request.method == "HEAD" else request.method
        handler = route.methods.get(method)
        if handler is None:
            allow = sorted({*route.methods, *(("HEAD",) if "GET" in route.methods else ())})
            raise MethodNotAllowed(allow)
        if route.skin == "page":
            if method != "GET" and not self._origin.is_own_form(request.headers):
                self._hosts.warn(request.headers)
                raise ForbiddenOrigin
            is_page = method == "GET" and is_navigation(request)
            if is_page and self._hosts.should_lead(request.headers):
                query = request.scope["query_string"].decode("latin-1")
                return self._pages.redirect(request, f"{path}?{query}" if query else path)
        return await handler(request)


def _without_body(send: Send) -> Send:
    async def send_without_body(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_without_body
