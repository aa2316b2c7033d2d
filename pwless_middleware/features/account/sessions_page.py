"""The page of a person's own sessions."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.device import device_text, icon_of
from pwless_middleware.core.logins.session import Session
from pwless_middleware.errors import NotFound
from pwless_middleware.features.account.logout_page import SIGNED_OUT_EVERYWHERE, end_here
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_ago, format_iso
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import AccountPage
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.routing.routes import Route

PATH = "/sessions"

_DONE: Mapping[str, Text] = {
    "one": Text("That browser is signed out."),
    "others": Text("All other browsers are signed out."),
}
"""What the page says after a form has done its work; the query names it, so that it survives the
redirect without a script and without a cookie, and nobody can write a message into a link."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of the sessions page; the times as people read them, and as machines do.

    Attributes:
        id: the session's public id.
        device: the browser in our own words.
        icon: `phone`, `tablet`, `computer` or `program`.
        created_at, created_iso: when it began.
        seen_at, seen_iso: when it was last used.
        current: whether it is this browser's.
    """

    id: str
    device: str
    icon: str
    created_at: str
    created_iso: str
    seen_at: str
    seen_iso: str
    current: bool


class SessionPages:
    """Show the page, and end what is asked for."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.account_page = AccountPage(title=Text("Sessions"), path=PATH, order=50)
        self.routes = (
            Route(PATH, {"GET": self.show_sessions}),
            Route(f"{PATH}/revoke", {"POST": self.revoke}),
        )

    async def show_sessions(self, request: Request) -> Response:
        """List the sessions: this browser's first, then the last used."""
        account = await self._kit.accounts.require(request, back=PATH)
        session, user = account.session, account.user
        sessions = await self._kit.sessions.list(session.user_id)
        sessions = sorted(sessions, key=lambda one: one.id != session.id)
        done = request.query_params.get("done", "")
        if done == "others" and len(sessions) > 1:
            done = ""  # of an earlier answer; another browser has signed in since
        return self._kit.pages.page(
            request,
            "sessions.html",
            sessions=[_row(one, session, self._kit.clock()) for one in sessions],
            user_email=user.email,
            user_name=user.display_name if user.display_name != user.email else "",
            account_pages=self._kit.offers.account_pages,
            current_path=PATH,
            notice=translate(_DONE[done]) if done in _DONE else None,
        )

    async def revoke(self, request: Request) -> Response:
        """End one session, all others, or all."""
        form = await read_form(request)
        session = (await self._kit.accounts.require(request, back=PATH)).session
        keeper = self._kit.sessions
        done = "one"
        if form.get("all"):
            await keeper.revoke_all(session.user_id)
            return end_here(self._kit, request, done=SIGNED_OUT_EVERYWHERE)
        if form.get("others"):
            await keeper.revoke_others(session.user_id, keep=session.id)
            done = "others"
        elif not await keeper.revoke(session.user_id, form.get("id", "")):
            raise NotFound(Text("That session is over already, or was never yours."))
        if form.get("id") == session.id:
            return end_here(self._kit, request)
        return self._kit.pages.redirect(request, f"{PATH}?done={done}")


def _row(session: Session, current: Session, now: int) -> SessionRow:
    return SessionRow(
        id=session.id,
        device=translate(device_text(session.device) if session.device else Text("A program")),
        icon=icon_of(session.device),
        created_at=format_ago(session.created_at, now),
        created_iso=format_iso(session.created_at),
        seen_at=format_ago(session.seen_at, now),
        seen_iso=format_iso(session.seen_at),
        current=session.id == current.id,
    )
