"""The session resource of the JSON API."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.logins.session import Session
from pwless_middleware.errors import ForbiddenOrigin, NotFound, Unauthenticated
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.responses.responses import (
    EVERYWHERE,
    SIGNED_OUT,
    json_response,
    with_cookies,
)
from pwless_middleware.web.responses.session_json import SESSION, public_session
from pwless_middleware.web.routing.operations import (
    ORIGIN,
    SESSION_COOKIE,
    SESSION_TOKEN,
    Operation,
)
from pwless_middleware.web.routing.routes import Route


class SessionApi:
    """Answer the session resource."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        base = "/api/v1"
        self.routes = (
            Route(
                f"{base}/session",
                {"GET": self.get, "DELETE": self.end},
                "api",
                {"GET": _GET, "DELETE": _END},
            ),
            Route(
                f"{base}/sessions",
                {"GET": self.list, "DELETE": self.end_others},
                "api",
                {"GET": _LIST, "DELETE": _END_OTHERS},
            ),
            Route(f"{base}/sessions/{{id}}", {"DELETE": self.end_one}, "api", {"DELETE": _END_ONE}),
        )

    async def get(self, request: Request) -> Response:
        """Return the session that the request comes with, and its user."""
        account = await self._kit.accounts.require(request)
        session = account.session
        user = {"id": session.user_id, "email": account.user.email, "role": account.user.role}
        return json_response({"user": user, "session": _public(session, session)})

    async def end(self, request: Request) -> Response:
        """End that session."""
        session = (await self._kit.accounts.require(request)).session
        await self._kit.sessions.end(session)
        return await self._no_content(request)

    async def list(self, request: Request) -> Response:
        """List the person's sessions; `current` marks this one."""
        session = (await self._kit.accounts.require(request)).session
        rows = await self._kit.sessions.list(session.user_id)
        return json_response({"sessions": [_public(row, session) for row in rows]})

    async def end_others(self, request: Request) -> Response:
        """End all of the person's sessions but this one."""
        session = (await self._kit.accounts.require(request)).session
        await self._kit.sessions.revoke_others(session.user_id, keep=session.id)
        return await self._no_content(request)

    async def end_one(self, request: Request) -> Response:
        """End one of the person's sessions; another person's is 404."""
        session = (await self._kit.accounts.require(request)).session
        if not await self._kit.sessions.revoke(session.user_id, request.path_params["id"]):
            raise NotFound
        return await self._no_content(request)

    async def _no_content(self, request: Request) -> Response:
        """Answer 204, and take away a cookie whose session is over.

        A token may have ended another session than the one of the cookie beside it, and that one
        stays.
        """
        signed = self._kit.cookies.session(request.scope["headers"])
        is_over = signed is not None and await self._kit.sessions.find(signed) is None
        if not is_over:
            return Response(status_code=204, headers=EVERYWHERE)
        response = Response(status_code=204, headers={**EVERYWHERE, **SIGNED_OUT})
        return with_cookies(response, [self._kit.cookies.clear_session()])


_WAYS = ((SESSION_TOKEN,), (SESSION_COOKIE,))
_WRITES = ((SESSION_TOKEN,), (SESSION_COOKIE, ORIGIN))


_SESSION = Fields(
    {
        **SESSION.fields,
        "current": Field(
            kind="boolean", about="Whether it is the one that asks.", example=True, required=True
        ),
    }
)
_USER = Fields(
    {
        "id": Field(about="The user's stable id.", example="u-1024", required=True),
        "email": Field(about="The user's address.", example="jo@example.com", required=True),
        "role": Field(
            about="The user's role in the organization of the session; empty outside of one.",
            example="admin",
            required=True,
        ),
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
    parameters={"id": "The public id of a session."},
    security=_WRITES,
    answers={204: None},
    sets_cookie=True,
    errors=(Unauthenticated, ForbiddenOrigin, NotFound),
)


def _public(session: Session, current: Session) -> Mapping[str, object]:
    return {**public_session(session), "current": session.id == current.id}
