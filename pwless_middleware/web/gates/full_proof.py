"""Before what a person could lose their account by: all that a login asks of them, proven lately.

Whoever has a second factor proves it before they change their address or delete the account, also
in a session that began before they had one, and in a trusted browser (ASVS 5.0, 7.5.1).
"""

from __future__ import annotations

from starlette.requests import Request

from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit


async def require_full_proof(
    kit: Kit, request: Request, *, fresh_within: int, back: str | None = None
) -> Account:
    """Return who is signed in, and has proven lately what a login asks of them.

    Args:
        kit: everything below.
        request: to a route of ours.
        fresh_within: seconds that a proof counts as fresh.
        back: as of `Accounts.require`.

    Raises:
        Unauthenticated, StepUpRequired, StoreError, Unavailable: as of `Accounts.require`.
        LoginDenied: a rule lets the person sign in no more.
    """
    account = await kit.accounts.require(request, fresh_within=fresh_within, back=back)
    since, caller = kit.clock() - fresh_within, kit.callers.browser(request)
    if await kit.logins.is_enough(account.session, caller, since=since):
        return account
    return await kit.accounts.require(
        request, fresh_within=fresh_within, strength="second_factor", back=back
    )
