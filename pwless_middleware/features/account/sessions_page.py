"""The skin for people: log out, and the list of one's own sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.paths import safe_next
from pwless_middleware.core.session import Session
from pwless_middleware.errors import NotFound
from pwless_middleware.features.account.accounts import Accounts
from pwless_middleware.web.bodies import read_form
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses import SIGNED_OUT, root_path
from pwless_middleware.web.routes import Route


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of the sessions page; the times as people read them, and as machines do."""

    id: str
    device: str
    created_at: str
    created_iso: str
    seen_at: str
    seen_iso: str
    current: bool


class SessionPages:
    """Show the pages."""

    def __init__(self, kit: Kit, accounts: Accounts) -> None:
        self._kit = kit
        self._accounts = accounts
        self.routes = (
            Route("/logout", {"GET": self.show_logout, "POST": self.logout}),
            Route("/sessions", {"GET": self.show_sessions}),
            Route("/sessions/revoke", {"POST": self.revoke}),
        )

    async def show_logout(self, request: Request) -> Response:
        next = safe_next(request.query_params.get("next")) or ""
        session = await self._accounts.by_cookie(request)
        return self._kit.pages.page(
            request,
            "logout.html",
            leads_away=True,
            user_email=session.email if session else None,
            next=next,
        )

    async def logout(self, request: Request) -> Response:
        form = await read_form(request)
        session = await self._accounts.by_cookie(request)
        if session is not None:
            await self._kit.sessions.end(session)
        next = safe_next(form.get("next"))
        cookies = [self._kit.cookies.clear_session()]
        is_ours = next is None
        response = self._kit.pages.redirect(
            request, next or "/logout", ours=is_ours, cookies=cookies
        )
        response.headers.update(SIGNED_OUT)
        return response

    async def show_sessions(self, request: Request) -> Response:
        session = await self._accounts.present(request)
        if session is None:
            return self._to_login(request)
        sessions = await self._kit.sessions.list(session.user_id)
        return self._kit.pages.page(
            request,
            "sessions.html",
            sessions=[_row(s, session, self._kit.clock()) for s in sessions],
            user_email=session.email,
            notice=None,
        )

    async def revoke(self, request: Request) -> Response:
        form = await read_form(request)
        session = await self._accounts.present(request)
        if session is None:
            return self._to_login(request)
        keeper = self._kit.sessions
        if form.get("all"):
            await keeper.revoke_all(session.user_id)
        elif form.get("others"):
            await keeper.revoke_others(session.user_id, keep=session.id)
        elif not await keeper.revoke(session.user_id, form.get("id", "")):
            raise NotFound("That session is over already, or was never yours.")
        if form.get("all") or form.get("id") == session.id:
            cookies = [self._kit.cookies.clear_session()]
            response = self._kit.pages.redirect(request, "/logout", cookies=cookies)
            response.headers.update(SIGNED_OUT)
            return response
        return self._kit.pages.redirect(request, "/sessions")

    def _to_login(self, request: Request) -> Response:
        here = root_path(request) + self._kit.prefix + "/sessions"
        return self._kit.pages.redirect(request, "/login?" + urlencode({"next": here}))


def _row(session: Session, current: Session, now: int) -> SessionRow:
    return SessionRow(
        id=session.id,
        device=session.device or "A program",
        created_at=_ago(session.created_at, now),
        created_iso=_iso(session.created_at),
        seen_at=_ago(session.seen_at, now),
        seen_iso=_iso(session.seen_at),
        current=session.id == current.id,
    )


_UNITS: Sequence[tuple[int, str]] = ((86400, "day"), (3600, "hour"), (60, "minute"))


def _ago(at: int, now: int) -> str:
    for seconds, unit in _UNITS:
        count = (now - at) // seconds
        if count >= 1:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
