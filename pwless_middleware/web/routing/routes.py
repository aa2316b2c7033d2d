"""Our own paths: a table (`core.path_table`), and one check in front of every write.

Not Starlette's router: its regexes end in `$`, which lets `%0a` through, and run in front of the
app it would write its own keys into the scope (security rule 9).

A write that a page of another site could have sent is refused here, for every route alike, so that
no handler has to think of it (security rule 10). What such a page cannot do is let a browser send
an `Authorization: Bearer` header without being asked (Fetch Standard, "CORS-preflight fetch"), so
that servers with a key and clients with a token are let by; from a page of another site without our
cookies. A route that other sites have to post
to, such as a SAML answer, is *cookieless*: its handler sees a request without any cookie of ours,
and so without the session that a foreign page would act on.

A few paths are not ours to choose: others look for `/.well-known/webauthn` at the root of the host
(RFC 8615). A route *at the root* is found there, below the root path, and not below our prefix.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from typing import Literal

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.path_table import PathTable
from pwless_middleware.core.paths import first_segment
from pwless_middleware.errors import (
    ApiError,
    ConfigError,
    ForbiddenOrigin,
    InvalidArgument,
    MethodNotAllowed,
    NotFound,
    StepUpRequired,
    Unauthenticated,
)
from pwless_middleware.flows.store_deadline import request_deadline
from pwless_middleware.text import Text
from pwless_middleware.web.gates.sockets import SocketRefusal
from pwless_middleware.web.identity.callers import Callers
from pwless_middleware.web.identity.keys import bearer
from pwless_middleware.web.requests.cookies import Cookies
from pwless_middleware.web.requests.navigation import is_navigation
from pwless_middleware.web.responses.language_menu import offer_no_languages
from pwless_middleware.web.responses.responses import Pages, json_error
from pwless_middleware.web.routing.hosts import OtherHosts
from pwless_middleware.web.routing.operations import Operation
from pwless_middleware.web.routing.origin import Origin

FEATURES = frozenset(
    {
        *("login", "verify", "resend", "link", "logout", "sessions", "account", "step", "sso"),
        *("passkeys", "dashboard", "organizations", "outbox", "static", "api", "oauth", "health"),
        *("metrics", "sms", "scim", "language"),
    }
)
"""First segments below the prefix that are ours, whether the feature is mounted or not."""

_HIDDEN = "/dashboard/"
"""What only some may know of: for all others its paths are as any at which there is nothing, by
whichever method, and whatever else is sent (security rule 60)."""
MAX_QUERY_FIELDS = 100
"""Fields of a query. A link has a handful, and gets some of who passes it on; a reader takes a
microsecond for each, and a stranger's query has tens of thousands (security rule 23)."""
_LONGEST_QUERY = 65_536
"""Bytes of a query; what comes back from a company's login is the longest, with a tenth of it."""
_LONGEST_PATH = 8_192
"""Characters of a path below our prefix that is looked for. Some servers set no limit to what
stands before a body, and to decode a path of megabytes takes a second (security rule 23)."""
_WELL_KNOWN = "/.well-known/"
"""What stands at the root of a host and is not the app's to name (RFC 8615)."""

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """Mount handlers on one path.

    Attributes:
        path: below the prefix, beginning with `/`. A segment `{name}` behind the first takes any
            one segment and gives it, decoded, as `request.path_params["name"]`.
        methods: method to handler. HEAD is answered like GET, without a body.
        kind: `page` answers errors with a page, `api` with JSON.
        operations: method to what the OpenAPI document says of it; empty for pages.
        cross_site: `refuse` (default) answers 403 to a write that does not come from a page of
            ours (for `api`: or of an allowed origin) and brings no bearer credential. `cookieless`
            takes writes from anywhere, and takes our cookies out of the request.
        at_root: whether the path is at the root of the host, below `/.well-known/`, and not below
            the prefix (default). Such a route answers GET alone, to anybody, as an `api`, and the
            app's own route at that path gets no request.
    """

    path: str
    methods: Mapping[str, Handler]
    kind: Literal["page", "api"] = "page"
    operations: Mapping[str, Operation] = field(default_factory=dict)
    cross_site: Literal["refuse", "cookieless"] = "refuse"
    at_root: bool = False


class Routes:
    """Answer the requests below our prefix, and at few paths at the root; and nothing else.

    Args:
        routes: of each feature, by its name.
        pages: makes error pages.
        origin: whose pages may write.
        callers: know which other origins may use the API.
        cookies: know which cookies are ours.

    Attributes:
        all: the routes below the prefix, as given.
        at_root: the paths at the root that are ours; mostly none.

    Raises:
        ConfigError: two features could answer the same path, or a path cannot be read; or a route
            at the root is none that may be there.
    """

    def __init__(
        self,
        routes: Mapping[str, Sequence[Route]],
        pages: Pages,
        origin: Origin,
        callers: Callers,
        cookies: Cookies,
    ) -> None:
        everywhere = [route for of_one in routes.values() for route in of_one]
        self.all = tuple(route for route in everywhere if not route.at_root)
        self.at_root = frozenset(route.path for route in everywhere if route.at_root)
        self._table: PathTable[Route] = PathTable()
        self._table_at_root: PathTable[Route] = PathTable()
        for owner, of_one in routes.items():
            for route in of_one:
                if route.at_root:
                    _check_at_root(route, owner)
                table = self._table_at_root if route.at_root else self._table
                table.add(route.path, route, owner=owner)
        self._segments = FEATURES | {first_segment(route.path) for route in self.all}
        self._pages = pages
        self._origin = origin
        self._callers = callers
        self._cookies = cookies
        self._hosts = OtherHosts(origin)

    def owns(self, path: str) -> bool:
        """Whether a path below our prefix is ours, mounted or not; the others are the app's.

        What is too long to be read is ours too: nothing is found there.
        """
        if self._table.has_exact(path) or len(path) > _LONGEST_PATH:
            return True
        return first_segment(path) in self._segments

    async def __call__(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for `path`, which is below our prefix (prefix taken off)."""
        await self._serve(path, self._match(path), scope, receive, send)

    async def serve_at_root(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for `path`, one of `at_root`."""
        found = self._table_at_root.find(path)
        await self._serve(path, found or (None, {}), scope, receive, send)

    async def _serve(
        self,
        path: str,
        found: tuple[Route | None, dict[str, str]],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        if scope["type"] == "websocket":
            await SocketRefusal(Unauthenticated())(scope, receive, send)
            return
        route, parameters = found
        if parameters:
            scope = {**scope, "path_params": parameters}
        if route is not None and self._is_cookieless(route, scope):
            scope = {**scope, "headers": self._cookies.split(scope["headers"])[1]}
        request = Request(scope, receive)
        with self._pages.use_language_of(request):
            if route is not None and "GET" not in route.methods:
                offer_no_languages()  # the menu comes back by GET
            try:
                with request_deadline():
                    response = await self._answer(route, path, request)
            except ApiError as error:
                self._pages.outages.note(error)
                is_api = route.kind == "api" if route is not None else path.startswith("/api/")
                response = json_error(error) if is_api else self._page_of(request, error)
        if request.method == "HEAD":
            send = _without_body(send)
        await response(scope, receive, send)

    def _page_of(self, request: Request, error: ApiError) -> Response:
        if isinstance(error, Unauthenticated) and error.login_url is not None:
            return self._pages.redirect(request, error.login_url, ours=False)
        if isinstance(error, StepUpRequired):
            return self._pages.redirect(request, error.step_url, ours=False)
        return self._pages.error(request, error)

    def _match(self, path: str) -> tuple[Route | None, dict[str, str]]:
        found = self._table.find(path)
        if found is None and path.endswith("/") and not path.startswith("/api/"):
            # As a content network may add it. A redirect would go back and forth with such a one.
            found = self._table.find(path[:-1])
        return found if found is not None else (None, {})

    async def _answer(self, route: Route | None, path: str, request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        is_hidden = f"{path}/".startswith(_HIDDEN)
        if is_hidden and method != "GET":  # before it shows whether anything is there
            self._check_form(request)
        handler = None if route is None else route.methods.get(method)
        query = request.scope["query_string"]
        if len(query) > _LONGEST_QUERY or query.count(b"&") >= MAX_QUERY_FIELDS:
            raise InvalidArgument.of("query", Text("This is no query string."), "query")
        if route is None or (handler is None and is_hidden):
            raise NotFound
        if handler is None:
            allow = sorted({*route.methods, *(("HEAD",) if "GET" in route.methods else ())})
            raise MethodNotAllowed(allow)
        if method != "GET":
            self._check_site(route, request)
        else:
            is_page = route.kind == "page" and is_navigation(request)
            if is_page and self._hosts.should_lead(request.headers):
                query = request.scope["query_string"].decode("latin-1")
                return self._pages.redirect(request, f"{path}?{query}" if query else path)
        return await handler(request)

    def _is_cookieless(self, route: Route, scope: Scope) -> bool:
        """Whether a route is asked without our cookies.

        So is an API's write with a bearer credential and the origin of another site, where the app
        allows that by CORS: whatever the credential is, the cookie does not speak for it.
        """
        if route.cross_site == "cookieless":
            return True
        if route.kind != "api" or scope["method"] in ("GET", "HEAD"):
            return False
        headers = Headers(scope=scope)
        is_bearer = bearer(headers.getlist("authorization")) is not None
        return is_bearer and self._callers.is_foreign(headers)

    def _check_site(self, route: Route, request: Request) -> None:
        """Refuse a write that a page of another site could have sent.

        Raises:
            Unauthenticated: an API's, and it names no origin at all.
            ForbiddenOrigin: it comes from elsewhere.
        """
        if route.cross_site == "cookieless":
            return
        if route.kind == "api":
            if bearer(request.headers.getlist("authorization")) is None:
                self._callers.check_origin(request)
        else:
            self._check_form(request)

    def _check_form(self, request: Request) -> None:
        """Refuse a form that a page of another site could have sent.

        Raises:
            ForbiddenOrigin: it comes from elsewhere.
        """
        if not self._origin.is_own_form(request.headers):
            self._hosts.warn(request.headers)
            self._callers.note_refusal(request, "foreign_origin")
            raise ForbiddenOrigin


def _check_at_root(route: Route, owner: str) -> None:
    is_public = tuple(route.methods) == ("GET",) and route.kind == "api" and not route.operations
    if not (is_public and route.path.startswith(_WELL_KNOWN) and "{" not in route.path):
        raise ConfigError(
            "features",
            f"{owner} mounts {route.path} at the root: such a path is below {_WELL_KNOWN} and "
            "without a {name}, and its route is of kind 'api', with GET alone and no operation",
        )


def _without_body(send: Send) -> Send:
    async def send_without_body(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_without_body
