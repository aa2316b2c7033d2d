"""Who does a step: a server by its key, an app by a session token, else a browser."""

from __future__ import annotations

from starlette.requests import Request

from pwless_middleware.core.caller import Caller
from pwless_middleware.flows.sessions import TOKEN_PREFIX
from pwless_middleware.web.keys import bearer
from pwless_middleware.web.kit import Kit


async def caller_of(kit: Kit, request: Request) -> Caller:
    """Return who asks: a server by its key, else a browser; the routes check its origin."""
    if "authorization" in request.headers:
        return await kit.callers.api(request)
    return kit.callers.browser(request)


def holder(kit: Kit, request: Request) -> Caller:
    """Return who holds the live session of a request: an app by its token, else a browser."""
    browser = kit.callers.browser(request)
    return browser.as_token_holder() if is_of_session(request) else browser


def is_of_session(request: Request) -> bool:
    """Whether a request brings a session token, which is nobody's API key."""
    token = bearer(request.headers.getlist("authorization")) or ""
    return token.startswith(TOKEN_PREFIX)
