"""Who a request is from, and how the app is told (SECURITY rule 18)."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass

from starlette.authentication import AuthCredentials
from starlette.types import Scope

from pwless_middleware.core.sessions import Session
from pwless_middleware.core.users import ANONYMOUS, AnonymousUser, User
from pwless_middleware.errors import ConfigError, Unauthenticated
from pwless_middleware.flows.sessions import TOKEN_PREFIX, Held, Sessions
from pwless_middleware.flows.timely import begin_request
from pwless_middleware.flows.users import Users
from pwless_middleware.web.cookies import Cookies
from pwless_middleware.web.keys import bearer as bearer_of

RawHeader = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Identity:
    """Say who a request is from."""

    user: User | AnonymousUser
    session: Session | None


NOBODY = Identity(ANONYMOUS, None)


class Identities:
    """Find the identity of a request, and write it into the scope that the app gets.

    Args:
        sessions, users, cookies: the floors' own.
        origins: whose pages may open sockets with a cookie.
        bearer: whether session tokens are read, on any path.
        identity_header: the header that hands the address on; `None` for none.
        set_scope_user: whether `scope["user"]` and `scope["auth"]` are written.

    Raises:
        ConfigError: `identity_header` is no header name, or one that HTTP itself needs.
    """

    def __init__(
        self,
        sessions: Sessions,
        users: Users,
        cookies: Cookies,
        *,
        origins: Set[str],
        bearer: bool,
        identity_header: str | None,
        set_scope_user: bool,
    ) -> None:
        self._sessions = sessions
        self._users = users
        self._cookies = cookies
        self._origins = frozenset(origin.encode() for origin in origins)
        self._bearer = bearer
        self._header = _header_name(identity_header)
        self._folded = _fold(self._header) if self._header is not None else None
        self._set_scope_user = set_scope_user

    async def of(self, scope: Scope) -> Identity:
        """Give the identity of an http or websocket request.

        Raises:
            Unauthenticated: a cookie and a token of different users.
            StoreError, Unavailable: it cannot be known now; neither in nor out.
        """
        headers: list[RawHeader] = scope["headers"]
        signed = self._cookies.session(headers)
        if signed is not None and scope["type"] == "websocket" and self._is_foreign(headers):
            # A page of another site opens the socket with the person's cookie (RFC 6455 §10.2).
            signed = None
        held = await self._find(signed) if signed is not None else None
        if self._bearer:
            token = _session_token(headers)
            if token is not None:
                by_token = await self._find(token)
                if held and by_token and held.session.user_id != by_token.session.user_id:
                    raise Unauthenticated("The cookie and the token are of different users.")
                held = by_token
        if held is None:
            return NOBODY
        if self._users.is_table:
            user = await self._users.load(held.session.user_id)
            return NOBODY if user is None else Identity(user, held.session)
        if held.user is None:
            held.user = User(id=held.session.user_id, email=held.session.email)
        return Identity(held.user, held.session)

    async def _find(self, signed: str) -> Held | None:
        held = self._sessions.held(signed)
        if held is None:
            begin_request()
            held = await self._sessions.find(signed)
        return held

    def _is_foreign(self, headers: list[RawHeader]) -> bool:
        origins = [value for key, value in headers if key == b"origin"]
        return any(origin not in self._origins for origin in origins)

    def told(self, scope: Scope, identity: Identity) -> Scope:
        """Give a copy of the scope that says who it is, whatever it said before.

        Our cookies and tokens are out of it, and every spelling of the identity header.
        """
        user, session = identity.user, identity.session
        state = dict(scope.get("state") or ())
        state["user"] = user
        state["session"] = session
        told = {**scope, "state": state}
        if self._set_scope_user:
            told["user"] = user
            told["auth"] = AuthCredentials(["authenticated"] if session is not None else [])
        headers = self._cookies.hidden(scope["headers"])
        if self._bearer:
            headers = [h for h in headers if not _is_session_token(h)]
        if self._header is not None:
            headers = [h for h in headers if _fold(h[0]) != self._folded]
            if session is not None:
                headers.append((self._header, user.email.encode()))
        told["headers"] = headers
        return told


def _session_token(headers: list[RawHeader]) -> str | None:
    values = [v.decode("latin-1") for key, v in headers if key == b"authorization"]
    token = bearer_of(values)
    return token if token is not None and token.startswith(TOKEN_PREFIX) else None


def _is_session_token(header: RawHeader) -> bool:
    return header[0] == b"authorization" and _session_token([header]) is not None


def _fold(name: bytes) -> bytes:
    """Read a header name as a CGI-minded server does: every non-alphanumeric is one character."""
    return re.sub(rb"[^a-z0-9]", b"-", name.lower())


def _header_name(name: str | None) -> bytes | None:
    if name is None:
        return None
    reserved = {"host", "cookie", "authorization", "content-length", "content-type", "connection"}
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{1,60}", name) or name.lower() in reserved:
        raise ConfigError("identity_header", "set a header name of its own, e.g. 'Remote-User'")
    return name.lower().encode()
