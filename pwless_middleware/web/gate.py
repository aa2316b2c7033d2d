"""The gate: what may pass without a login, and what the others are told."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Scope, Send

from pwless_middleware.core.paths import PublicPaths, safe_next
from pwless_middleware.errors import ApiError, Unauthenticated
from pwless_middleware.web.responses import EVERYWHERE, json_error

VARY = "Cookie, Accept, Sec-Fetch-Mode"


class Gate:
    """Deny by default (OWASP ASVS 5.0 V8.2.1).

    Args:
        public: the paths that need no login.
        prefix: where the login page is.
        preflight: whether a real CORS preflight passes, as anonymous.

    Raises:
        ConfigError: a pattern that is none.
    """

    def __init__(self, public: Sequence[str], *, prefix: str, preflight: bool) -> None:
        self._public = PublicPaths(public)
        self._prefix = prefix
        self._preflight = preflight

    @property
    def is_open(self) -> bool:
        """Say whether every path is public."""
        return self._public.all

    def passes(self, scope: Scope, path: str) -> bool:
        """Say whether a request needs no login."""
        if self._public.includes(path, scope.get("raw_path")):
            return True
        return self._preflight and _is_preflight(scope)

    def deny(self, scope: Scope, path: str) -> Response:
        """Answer a request that lacks a login: a person is sent to it, a program gets 401."""
        request = Request(scope)
        root = scope.get("root_path", "").rstrip("/")
        if not _is_navigation(request):
            response = json_error(Unauthenticated())
            response.headers["vary"] = VARY
            return response
        # What the browser shows: the path with the root path, and its query.
        url = quote(root + path, safe="/%:@!$&'()*+,;=~") if path.isascii() else quote(root + path)
        query = scope.get("query_string", b"").decode("latin-1")
        target = safe_next(f"{url}?{query}" if query else url)
        login = root + self._prefix + "/login"
        if target is not None and target != "/":
            login += "?" + urlencode({"next": target})
        return RedirectResponse(login, 303, {**EVERYWHERE, "vary": VARY})


async def refuse_socket(scope: Scope, send: Send, error: ApiError) -> None:
    """Refuse a websocket before it is accepted: with a status where the server can, else close."""
    if "websocket.http.response" in scope.get("extensions", {}):
        response = json_error(error)
        await send(
            {
                "type": "websocket.http.response.start",
                "status": response.status_code,
                "headers": response.raw_headers,
            }
        )
        await send({"type": "websocket.http.response.body", "body": bytes(response.body)})
    else:
        await send({"type": "websocket.close", "code": 4401, "reason": error.code})


def _is_navigation(request: Request) -> bool:
    """Say whether a person waits for a page (Fetch Metadata; `Accept` for older browsers)."""
    headers = request.headers
    if request.method not in ("GET", "HEAD"):
        return False
    mode = headers.get("sec-fetch-mode")
    if mode is not None:
        return mode == "navigate"
    if "hx-request" in headers or "x-requested-with" in headers:
        return False
    return "text/html" in headers.get("accept", "")


def _is_preflight(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "OPTIONS":
        return False
    names = {key for key, _ in scope["headers"]}
    return b"origin" in names and b"access-control-request-method" in names
