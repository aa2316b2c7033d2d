"""Whose sessions: of the cookie, or of the token."""

from __future__ import annotations

from starlette.requests import Request

from pwless_middleware.core.session import Session
from pwless_middleware.errors import Unauthenticated
from pwless_middleware.flows.sessions import TOKEN_PREFIX
from pwless_middleware.web.keys import bearer
from pwless_middleware.web.kit import Kit


class Accounts:
    """Find out whose sessions a request is about."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def by_cookie(self, request: Request) -> Session | None:
        """Return the session of the cookie, or `None`."""
        signed = self._kit.cookies.session(request.scope["headers"])
        return await self.find(signed)

    async def present(self, request: Request) -> Session | None:
        """Return the session of the cookie, if its user is still there."""
        session = await self.by_cookie(request)
        if session is None or not self._kit.users.is_table:
            return session
        return session if await self._kit.users.load(session.user_id) is not None else None

    async def by_either(self, request: Request, *, writes: bool = False) -> tuple[Session, str]:
        """Return the session of a token or a cookie, and the user's address as it is now.

        A write by cookie must come from a page of ours.

        Raises:
            Unauthenticated: neither, a bad token, the two of different users, or a user who is
                gone: the app sees nobody then, and so does this.
            ForbiddenOrigin: a write by cookie from a foreign page.
        """
        by_cookie = await self.by_cookie(request)
        authorization = request.headers.getlist("authorization")
        if authorization:
            token = bearer(authorization) or ""
            by_token = await self.find(token) if token.startswith(TOKEN_PREFIX) else None
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

    async def find(self, signed: str | None) -> Session | None:
        """Return the live session of a cookie value or token, or `None`."""
        held = await self._kit.sessions.find(signed) if signed else None
        return held.session if held is not None else None
