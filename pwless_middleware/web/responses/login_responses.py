"""How an opened door is told to the caller: cookies and a redirect, or JSON.

A feature hands over the login it attempts; what comes of it (a session, a further step, a refusal)
looks the same for all of them.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.device_cookie import (
    Known,
    KnownAddress,
    add_known,
    find_known,
)
from pwless_middleware.core.logins.login import PENDING_LIFETIME
from pwless_middleware.core.storage.store_keys import user_slot
from pwless_middleware.errors import LoginElsewhere, StepRequired
from pwless_middleware.flows.challenges.limits import EXACT_BYTES, exact_tag
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.responses.responses import (
    SIGNED_OUT,
    json_error,
    json_response,
    with_cookies,
)

ORGANIZATION = Field(
    about="The organization that the login is to enter, by its id or by your own key of it. Who "
    "may not enter it gets no session.",
    example="org_AhVYWQw2o6mzunDOx_bV4A",
    shortest=1,
    longest=100,
)
"""What a login takes that enters an organization."""

SIGNED_IN = Fields(
    {
        "email": Field(about="The user's address.", example="jo@example.com", required=True),
        "user_id": Field(about="The user's stable id.", example="u-1024", required=True),
        "is_new_user": Field(
            kind="boolean",
            about="True if this login made the user.",
            example=False,
            required=True,
        ),
        "session_token": Field(
            about="With an API key: the session, as a bearer token.",
            example="pws_…",
            also={"pattern": "^pws_"},
        ),
        "device_token": Field(
            about="With an API key: keep it with this person's device, for the next login. "
            "It signs nobody in.",
            example="dGhpcyBpcyBvbmx5IGFuIGV4YW1wbGU",
        ),
        "session_expires_at": Field(
            about="With an API key: when the session ends whatever happens, unix seconds.",
            example="1769817600",
            also={"pattern": "^[0-9]+$"},
        ),
    }
)
"""What every login answers in JSON."""


async def respond_with_page(
    kit: Kit, request: Request, caller: Caller, attempt: Awaitable[LoginResult]
) -> Response:
    """Await a login and send the browser on: to its `next`, or to the step that is asked for.

    Raises:
        ApiError: whatever else the attempt raises; the page that asked shows it.
    """
    try:
        done = await attempt
    except StepRequired as error:
        cookies = _pending_cookies(kit, error)
        return kit.pages.redirect(request, error.path, cookies=cookies)
    except LoginElsewhere as error:
        return kit.pages.redirect(request, error.path)
    cookies = _session_cookies(kit, caller, done)
    page = None if done.is_renewal else await _page_before_next(kit, request, done)
    if page is None:
        response = kit.pages.redirect(request, done.login.next, ours=False, cookies=cookies)
    else:
        url = f"{page}?{urlencode({'next': done.login.next})}"
        response = kit.pages.redirect(request, url, cookies=cookies)
    return _ending(caller, done, response)


async def respond_with_json(kit: Kit, caller: Caller, attempt: Awaitable[LoginResult]) -> Response:
    """Await a login and answer in JSON: a cookie for a browser, a token for a server.

    Raises:
        ApiError: whatever the attempt raises, but `StepRequired`, which becomes its own answer.
    """
    try:
        done = await attempt
    except StepRequired as error:
        cookies = _pending_cookies(kit, error) if caller.is_browser else []
        return with_cookies(json_error(error), cookies)
    # What a method adds of its own comes first: it can replace nothing of what all logins answer.
    content: dict[str, object] = {
        "email": done.login.email,
        **done.login.answer,
        "user_id": done.user.id,
        "is_new_user": done.login.is_new,
    }
    if caller.is_browser:
        response = json_response(content, cookies=_session_cookies(kit, caller, done))
        return _ending(caller, done, response)
    content["session_token"] = done.token
    content["session_expires_at"] = str(done.session.expires_at)
    content["device_token"] = device_token(kit, caller, done)
    return json_response(content)


async def _page_before_next(kit: Kit, request: Request, done: LoginResult) -> str | None:
    """Return the first page that a feature shows after a login, below the prefix."""
    for ask in kit.offers.after_login:
        page = await ask(request, done)
        if page is not None:
            return page
    return None


def _ending(caller: Caller, done: LoginResult, response: Response) -> Response:
    """Clear what the browser kept of the session that this login has ended, perhaps another's."""
    if caller.session is not None and not done.is_renewal:
        response.headers.update(SIGNED_OUT)
    return response


def _session_cookies(kit: Kit, caller: Caller, done: LoginResult) -> list[str]:
    """Return the session, remember the device for its budget, and end what was pending.

    The flow cookie stays until it expires: its challenge is spent, and a link that is opened once
    more in this browser is then known as used, not taken for another browser's.
    """
    cookies = [
        session_cookie(kit, done),
        kit.cookies.set_device(_note_login(kit, caller, done)),
    ]
    # Chosen once, in whichever browser; the next login page here is in it.
    language = kit.languages.find(done.user.language) if done.user.language else None
    if language is not None:
        cookies.append(kit.cookies.set_language(language.code))
    if caller.pending is not None:
        cookies.append(kit.cookies.set_pending(None, max_age=0))
    return cookies


def session_cookie(kit: Kit, done: LoginResult) -> str:
    """Return the `Set-Cookie` of a login's session; it lives as long as the session can."""
    max_age = max(0, done.session.expires_at - kit.clock())
    return kit.cookies.set_session(done.cookie, max_age=max_age)


def device_token(kit: Kit, caller: Caller, done: LoginResult) -> str:
    """Return the device token that a server keeps with the person's device after a login."""
    return kit.cookies.seal_device(_note_login(kit, caller, done))


def _note_login(kit: Kit, caller: Caller, done: LoginResult) -> Known:
    """Return what a caller's device cookie or token says after a login: its budget stays."""
    exact = exact_tag(kit.keyring, Address(done.login.email))[:EXACT_BYTES]
    row = find_known(caller.known_to, exact)
    known = KnownAddress(
        exact,
        owner=user_slot(kit.keyring.realm, done.user.id),
        issued_at=done.session.authenticated_at,
        budget=row.budget if row is not None else secrets.randbits(32),
    )
    return add_known(caller.known_to, known)


def _pending_cookies(kit: Kit, error: StepRequired) -> list[str]:
    return [kit.cookies.set_pending(error.login_id, max_age=PENDING_LIFETIME)]
