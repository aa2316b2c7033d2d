"""Who does a step: a server by its key, an app by a session token, else a browser."""

from __future__ import annotations

from starlette.requests import Request

from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import PendingLogin
from pwless_middleware.errors import RequestExpired
from pwless_middleware.flows.sessions.sessions import TOKEN_PREFIX
from pwless_middleware.web.identity.keys import bearer
from pwless_middleware.web.kit import Kit


async def caller_of(kit: Kit, request: Request) -> Caller:
    """Return who asks: a server by its key, else a browser; the routes check its origin."""
    if "authorization" in request.headers:
        return await kit.callers.api(request)
    return kit.callers.browser(request)


async def pending_of(kit: Kit, request: Request, login_id: str) -> tuple[PendingLogin, Caller]:
    """Return a pending login, and who does its step.

    An app with a session token does the steps that its own session waits for: to be renewed, or to
    enter another organization.

    Raises:
        RequestExpired: the login is unknown, over, or another caller's.
        Unauthenticated: the key, or the token, is none.
        Unavailable: it cannot be known.
    """
    if not is_of_session(request):
        caller = await caller_of(kit, request)
        return await kit.logins.pending(login_id, caller), caller
    account, caller = await kit.accounts.require(request), holder(kit, request)
    pending = await kit.logins.pending(login_id, caller)
    if pending.renews != account.session.id:
        raise RequestExpired
    return pending, caller


def holder(kit: Kit, request: Request) -> Caller:
    """Return who holds the live session of a request: an app by its token, else a browser."""
    browser = kit.callers.browser(request)
    return browser.as_token_holder() if is_of_session(request) else browser


def is_of_session(request: Request) -> bool:
    """Whether a request brings a session token, which is nobody's API key."""
    token = bearer(request.headers.getlist("authorization")) or ""
    return token.startswith(TOKEN_PREFIX)
