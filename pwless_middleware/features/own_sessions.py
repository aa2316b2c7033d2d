"""A person's own sessions: log out, see them, end them. Pages and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.paths import safe_next
from pwless_middleware.core.sessions import Session
from pwless_middleware.errors import ForbiddenOrigin, NotFound, Unauthenticated
from pwless_middleware.flows.sessions import TOKEN_PREFIX
from pwless_middleware.web.bodies import read_form
from pwless_middleware.web.fields import Field, Fields
from pwless_middleware.web.keys import bearer
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.operations import ORIGIN, SESSION_COOKIE, SESSION_TOKEN, Operation
from pwless_middleware.web.responses import EVERYWHERE, json_response, with_cookies
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


class OwnSessions:
    """Mount logout, the sessions page and the session resource."""

    def mount(self, kit: Kit) -> Mounted:
        """Give their routes."""
        skin = _Skin(kit)
        api = "/api/v1"
        return Mounted(
            routes=(
                Route("/logout", {"GET": skin.show_logout, "POST": skin.logout}),
                Route("/sessions", {"GET": skin.show_sessions}),
                Route("/sessions/revoke", {"POST": skin.revoke}),
                Route(
                    f"{api}/session",
                    {"GET": skin.get, "DELETE": skin.end},
                    "api",
                    {"GET": _GET, "DELETE": _END},
                ),
                Route(
                    f"{api}/sessions",
                    {"GET": skin.list, "DELETE": skin.end_others},
                    "api",
                    {"GET": _LIST, "DELETE": _END_OTHERS},
                ),
                Route(
                    f"{api}/sessions/{{id}}", {"DELETE": skin.end_one}, "api", {"DELETE": _END_ONE}
                ),
            )
        )


class _Skin:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    # --- pages ---------------------------------------------------------------------------------

    async def show_logout(self, request: Request) -> Response:
        next = safe_next(request.query_params.get("next")) or ""
        session = await self._by_cookie(request)
        return self._kit.pages.page(
            request,
            "logout.html",
            leads_away=True,
            user_email=session.email if session else None,
            next=next,
        )

    async def logout(self, request: Request) -> Response:
        form = await read_form(request)
        session = await self._by_cookie(request)
        if session is not None:
            await self._kit.sessions.end(session)
        next = safe_next(form.get("next"))
        cookies = [self._kit.cookies.clear_session()]
        if next is None:
            return self._kit.pages.redirect(request, "/logout", cookies=cookies)
        return self._kit.pages.redirect(request, next, ours=False, cookies=cookies)

    async def show_sessions(self, request: Request) -> Response:
        session = await self._present(request)
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
        session = await self._present(request)
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
            return self._kit.pages.redirect(request, "/logout", cookies=cookies)
        return self._kit.pages.redirect(request, "/sessions")

    def _to_login(self, request: Request) -> Response:
        return self._kit.pages.redirect(request, "/login")

    # --- JSON ----------------------------------------------------------------------------------

    async def get(self, request: Request) -> Response:
        session, email = await self._by_either(request)
        user = {"id": session.user_id, "email": email}
        return json_response({"user": user, "session": _public(session, session)})

    async def end(self, request: Request) -> Response:
        session, _ = await self._by_either(request, writes=True)
        await self._kit.sessions.end(session)
        return await self._no_content(request)

    async def list(self, request: Request) -> Response:
        session, _ = await self._by_either(request)
        rows = await self._kit.sessions.list(session.user_id)
        return json_response({"sessions": [_public(row, session) for row in rows]})

    async def end_others(self, request: Request) -> Response:
        session, _ = await self._by_either(request, writes=True)
        await self._kit.sessions.revoke_others(session.user_id, keep=session.id)
        return await self._no_content(request)

    async def end_one(self, request: Request) -> Response:
        session, _ = await self._by_either(request, writes=True)
        if not await self._kit.sessions.revoke(session.user_id, request.path_params["id"]):
            raise NotFound
        return await self._no_content(request)

    async def _no_content(self, request: Request) -> Response:
        """Answer 204, and take away a cookie whose session is over.

        A token may have ended another session than the one of the cookie beside it, and that one
        stays.
        """
        signed = self._kit.cookies.session(request.scope["headers"])
        is_over = signed is not None and await self._find(signed) is None
        cookies = [self._kit.cookies.clear_session()] if is_over else []
        return with_cookies(Response(status_code=204, headers=EVERYWHERE), cookies)

    # --- who asks ------------------------------------------------------------------------------

    async def _by_cookie(self, request: Request) -> Session | None:
        signed = self._kit.cookies.session(request.scope["headers"])
        return await self._find(signed)

    async def _present(self, request: Request) -> Session | None:
        """Give the session of the cookie, if its user is still there."""
        session = await self._by_cookie(request)
        if session is None or not self._kit.users.is_table:
            return session
        return session if await self._kit.users.load(session.user_id) is not None else None

    async def _by_either(self, request: Request, *, writes: bool = False) -> tuple[Session, str]:
        """Give the session of a token or a cookie, and the user's address as it is now.

        A write by cookie must come from a page of ours.

        Raises:
            Unauthenticated: neither, a bad token, the two of different users, or a user who is
                gone: the app sees nobody then, and so does this.
            ForbiddenOrigin: a write by cookie from a foreign page.
        """
        by_cookie = await self._by_cookie(request)
        authorization = request.headers.getlist("authorization")
        if authorization:
            token = bearer(authorization) or ""
            by_token = await self._find(token) if token.startswith(TOKEN_PREFIX) else None
            if by_token is None:
                raise Unauthenticated("This session token is not valid.")
            if by_cookie is not None and by_cookie.user_id != by_token.user_id:
                raise Unauthenticated("The cookie and the token are of different users.")
            return by_token, await self._address_of(by_token)
        if by_cookie is None:
            raise Unauthenticated
        if writes:
            self._kit.callers.check_origin(request)
        return by_cookie, await self._address_of(by_cookie)

    async def _address_of(self, session: Session) -> str:
        if not self._kit.users.is_table:
            return session.email
        user = await self._kit.users.load(session.user_id)
        if user is None:
            raise Unauthenticated
        return user.email

    async def _find(self, signed: str | None) -> Session | None:
        held = await self._kit.sessions.find(signed) if signed else None
        return held.session if held is not None else None


_WAYS = ((SESSION_TOKEN,), (SESSION_COOKIE,))
_WRITES = ((SESSION_TOKEN,), (SESSION_COOKIE, ORIGIN))


def _time(about: str) -> Field:
    also = {"pattern": "^[0-9]+$"}
    return Field(about=f"{about}, unix seconds.", example="1767225600", required=True, also=also)


_SESSION = Fields(
    {
        "id": Field(about="Its public id.", example="AhVYWQw2o6mzunDOx_bV4A", required=True),
        "created_at": _time("When it began"),
        "authenticated_at": _time("When the person last proved who they are"),
        "seen_at": _time("When it was last used, within a twenty-fourth of its idle time"),
        "expires_at": _time("When it ends whatever happens"),
        "methods": Field(
            kind="strings", about="How it was proven.", example=["email_code"], required=True
        ),
        "device": Field(
            about="The browser in our own words; empty for programs.",
            example="Firefox on Linux",
            required=True,
        ),
        "current": Field(
            kind="boolean", about="Whether it is the one that asks.", example=True, required=True
        ),
    }
)
_USER = Fields(
    {
        "id": Field(about="The user's stable id.", example="u-1024", required=True),
        "email": Field(about="The user's address.", example="jo@example.com", required=True),
    }
)
_GET = Operation(
    id="getSession",
    summary="Who is signed in",
    security=_WAYS,
    answers={
        200: Fields(
            {
                "user": Field(kind="object", about="Who.", required=True, fields=_USER),
                "session": Field(
                    kind="object", about="This session.", required=True, fields=_SESSION
                ),
            }
        )
    },
    errors=(Unauthenticated,),
)
_END = Operation(
    id="endSession",
    summary="Sign out",
    security=_WRITES,
    answers={204: None},
    sets_cookie=True,
    errors=(Unauthenticated, ForbiddenOrigin),
)
_LIST = Operation(
    id="listSessions",
    summary="A person's own sessions, the last used first",
    security=_WAYS,
    answers={
        200: Fields(
            {
                "sessions": Field(
                    kind="objects", about="All that live.", required=True, fields=_SESSION
                )
            }
        )
    },
    errors=(Unauthenticated,),
    next={"endOneSession": ("id", "$response.body#/sessions/0/id")},
)
_END_OTHERS = Operation(
    id="endOtherSessions",
    summary="End all sessions but this one",
    security=_WRITES,
    answers={204: None},
    errors=(Unauthenticated, ForbiddenOrigin),
)
_END_ONE = Operation(
    id="endOneSession",
    summary="End one of a person's own sessions",
    security=_WRITES,
    answers={204: None},
    sets_cookie=True,
    errors=(Unauthenticated, ForbiddenOrigin, NotFound),
)


def _public(session: Session, current: Session) -> Mapping[str, object]:
    return {
        "id": session.id,
        "created_at": str(session.created_at),
        "authenticated_at": str(session.authenticated_at),
        "seen_at": str(session.seen_at),
        "expires_at": str(session.expires_at),
        "methods": list(session.methods),
        "device": session.device,
        "current": session.id == current.id,
    }


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
