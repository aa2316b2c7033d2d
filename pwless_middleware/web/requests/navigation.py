"""Tell page loads of people from requests of programs, and at which URL a browser is."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from starlette.requests import Request
from starlette.types import Scope

from pwless_middleware.core.paths import MAX_NEXT

# Sent by libraries that fetch pages, and ask for HTML as a page load does. Browsers say
# `Sec-Fetch-Mode` over https and on localhost only, older ones not at all.
_SCRIPTS = (
    "hx-request",
    "turbo-frame",
    "x-inertia",
    "x-requested-with",
    "x-turbo-request-id",
    "x-up-version",
)


def is_navigation(request: Request) -> bool:
    """Whether a person waits for a page."""
    headers = request.headers
    mode = headers.get("sec-fetch-mode")
    if mode is not None:
        return mode == "navigate"
    if any(name in headers for name in _SCRIPTS):
        return False
    return "text/html" in headers.get("accept", "")


def shown_url(scope: Scope, path: str) -> str:
    """Return the URL as the browser shows it: with the root path, as it was encoded, and its query.

    One with a path that is too long to come back to is not read (`MAX_NEXT`); the app's first page
    stands for it.

    Args:
        scope: the request's, for its root path, raw path and query.
        path: below the root path, decoded.
    """
    root: str = scope.get("root_path", "").rstrip("/")
    if len(path) > MAX_NEXT:
        return f"{root}/"
    raw = (scope.get("raw_path") or b"").split(b"?", 1)[0].decode("latin-1")
    if raw and unquote(raw) == root + path:
        url = raw
    elif raw and unquote(raw) == path:
        url = root + raw
    else:
        url = quote(root + path, errors="replace")
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{url}?{query}" if query else url


def htmx_page(request: Request) -> str | None:
    """Return the path and query of the page on which htmx runs, or `None`."""
    return _path_of(request.headers.get("hx-current-url", ""))


def _path_of(url: str) -> str | None:
    try:
        page = urlsplit(url)
    except ValueError:  # half an IPv6 address
        return None
    return f"{page.path}?{page.query}" if page.query else page.path


def referring_page(request: Request) -> str | None:
    """Return the path and query of the page that sent a request, or `None`."""
    return _path_of(request.headers.get("referer", ""))
