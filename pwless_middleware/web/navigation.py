"""People and programs are told apart: Fetch Metadata, and `Accept` for older browsers."""

from __future__ import annotations

from starlette.requests import Request


def is_navigation(request: Request) -> bool:
    """Whether a person waits for a page."""
    headers = request.headers
    mode = headers.get("sec-fetch-mode")
    if mode is not None:
        return mode == "navigate"
    if "hx-request" in headers or "x-requested-with" in headers:
        return False
    return "text/html" in headers.get("accept", "")
