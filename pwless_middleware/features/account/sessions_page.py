"""The page of a person's own sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.session import Session
from pwless_middleware.errors import NotFound
from pwless_middleware.features.account.logout_page import end_here
from pwless_middleware.web.bodies import read_form
from pwless_middleware.web.kit import Kit
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

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.routes = (
            Route("/sessions", {"GET": self.show_sessions}),
            Route("/sessions/revoke", {"POST": self.revoke}),
        )

    async def show_sessions(self, request: Request) -> Response:
        session = (await self._kit.accounts.require(request, back="/sessions")).session
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
        session = (await self._kit.accounts.require(request, back="/sessions")).session
        keeper = self._kit.sessions
        if form.get("all"):
            await keeper.revoke_all(session.user_id)
        elif form.get("others"):
            await keeper.revoke_others(session.user_id, keep=session.id)
        elif not await keeper.revoke(session.user_id, form.get("id", "")):
            raise NotFound("That session is over already, or was never yours.")
        if form.get("all") or form.get("id") == session.id:
            return end_here(self._kit, request)
        return self._kit.pages.redirect(request, "/sessions")


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
