"""Tell page loads of people from requests of programs, by Fetch Metadata or `Accept`."""

from __future__ import annotations

from starlette.requests import Request

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
