"""The page that asks whether to sign out, and does."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.paths import safe_next
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import SIGNED_OUT
from pwless_middleware.web.routing.routes import Route

SIGNED_OUT_EVERYWHERE = "everywhere"
"""What the query of the page says after every session of the person was ended."""


DELETED = "deleted"
"""What it says after the person's account was deleted."""


class LogoutPage:
    """Show the page. A session can be ended whether or not its user is still in the table."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.routes = (Route("/logout", {"GET": self.show, "POST": self.logout}),)

    async def show(self, request: Request) -> Response:
        """Ask, or say that nobody is signed in."""
        next = safe_next(request.query_params.get("next")) or ""
        session = await self._session(request)
        asked = self._kit.offers.sign_outs if session is not None else ()
        others = [await ask(request, session) for ask in asked if session is not None]
        return self._kit.pages.page(
            request,
            "logout.html",
            leads_away=True,
            user_email=session.email if session else None,
            next=next,
            others=[one for one in others if one is not None],
            is_everywhere=request.query_params.get("done") == SIGNED_OUT_EVERYWHERE,
            is_deleted=request.query_params.get("done") == DELETED,
        )

    async def logout(self, request: Request) -> Response:
        """End the session, and go to `next`, or to the page that says so."""
        form = await read_form(request)
        session = await self._session(request)
        if session is not None:
            await self._kit.sessions.end(session)
        next = safe_next(form.get("next"))
        return end_here(self._kit, request, next)

    async def _session(self, request: Request) -> Session | None:
        signed = self._kit.cookies.session(request.scope["headers"])
        return await self._kit.sessions.find(signed) if signed else None


def end_here(kit: Kit, request: Request, next: str | None = None, *, done: str = "") -> Response:
    """Take the session cookie away and send the browser on.

    Args:
        kit: everything below.
        request: of the browser.
        next: a checked path; `None` is the page that says that nobody is signed in.
        done: what that page's query says of it; empty (default) says nothing.
    """
    cookies = [kit.cookies.clear_session()]
    path = next if next is not None else "/logout" + (f"?done={done}" if done else "")
    response = kit.pages.redirect(request, path, ours=next is None, cookies=cookies)
    response.headers.update(SIGNED_OUT)
    return response
