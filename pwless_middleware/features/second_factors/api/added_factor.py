"""The JSON answer to who has just added a second factor: the factor, and the session it renewed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.features.second_factors.api.factor_fields import public_factor
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.flows.sessions.sessions import TOKEN_PREFIX
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses.login_responses import session_cookie
from pwless_middleware.web.responses.responses import json_response


def holder_of(kit: Kit, request: Request, account: Account) -> Caller:
    """Return who holds the session: a browser, or an app that has it as a token."""
    browser = kit.callers.browser(request)
    is_token = account.signed.startswith(TOKEN_PREFIX)
    return browser.as_token_holder() if is_token else browser


def respond_with_factor(kit: Kit, caller: Caller, factor: Factor, done: LoginResult) -> Response:
    """Return the factor, and the renewed session as its holder has it; `ADDED` describes it.

    Args:
        kit: everything below.
        caller: who holds the session, of `holder_of`.
        factor: what was added.
        done: the session, renewed by it.
    """
    content: dict[str, object] = {"factor": public_factor(factor)}
    if caller.is_browser:
        return json_response(content, status=201, cookies=[session_cookie(kit, done)])
    content["session_token"] = done.token
    content["session_expires_at"] = str(done.session.expires_at)
    return json_response(content, status=201)
