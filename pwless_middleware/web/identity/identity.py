"""The user and session of a request, and how the app is told (security rule 18)."""

from __future__ import annotations

import re
from collections.abc import Set
from functools import cached_property

from starlette.authentication import AuthCredentials
from starlette.types import Scope

from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.sessions.sessions import TOKEN_PREFIX, Sessions
from pwless_middleware.web.identity.accounts import NOBODY, Accounts, Identity
from pwless_middleware.web.identity.keys import bearer as bearer_of

RawHeader = tuple[bytes, bytes]


class Identities:
    """Find the identity of a request, and write it into the scope that the app gets.

    Args:
        sessions, accounts: what it works with.
        users_are_held: whether what is known of a user may be held (`Users.is_held`).
        origins: whose pages may open sockets with a cookie.
        require_socket_origin: whether a socket with a cookie must name its origin.
        bearer: whether session tokens are read, on any path.
        identity_header: the header that hands the address on; `None` for none.
        set_scope_user: whether `scope["user"]` and `scope["auth"]` are written.

    Raises:
        ConfigError: `identity_header` is no header name, or one that HTTP itself needs.
    """

    def __init__(
        self,
        sessions: Sessions,
        accounts: Accounts,
        *,
        users_are_held: bool,
        origins: Set[str],
        require_socket_origin: bool,
        bearer: bool,
        identity_header: str | None,
        set_scope_user: bool,
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._origins = frozenset(origin.encode() for origin in origins)
        self._require_socket_origin = require_socket_origin
        self._bearer = bearer
        self._header = _header_name(identity_header)
        self._folded = _fold(self._header) if self._header is not None else None
        self._set_scope_user = set_scope_user
        self._is_plain = not bearer and users_are_held
        self._edits_headers = bearer or self._header is not None

    @property
    def header(self) -> str | None:
        """The header that hands the address on, in lower case; `None` for none."""
        return self._header.decode() if self._header is not None else None

    def resolve_held(self, scope: Scope, signed: str | None) -> Identity | None:
        """Return the identity of a request where no I/O is needed; `None` says nothing: ask `of`.

        Args:
            scope: of an http or websocket connection.
            signed: the session cookie's value; `None` if there is none.
        """
        if self._is_plain:
            if signed is None:
                return NOBODY
            if scope["type"] == "http":
                held = self._sessions.find_held(signed)
                if held is not None and isinstance(held.made, Identity):
                    return held.made
        return None

    async def of(self, scope: Scope, signed: str | None) -> Identity:
        """Return the identity of a request.

        Raises:
            Unauthenticated: a cookie and a token of different users.
            StoreError, Unavailable: it cannot be known now; neither in nor out.
        """
        headers: list[RawHeader] = scope["headers"]
        if signed is not None and scope["type"] == "websocket" and self._is_foreign(headers):
            # A page of another site opens the socket with the person's cookie (RFC 6455 §10.2).
            signed = None
        token = _session_token(headers) if self._bearer else None
        account = await self._accounts.of(signed, token)
        return account if account is not None else NOBODY

    def _is_foreign(self, headers: list[RawHeader]) -> bool:
        origins = [value for key, value in headers if key == b"origin"]
        if not origins:
            return self._require_socket_origin
        return any(origin not in self._origins for origin in origins)

    def annotate(
        self, scope: Scope, headers: list[RawHeader], identity: Identity, caller: Scope
    ) -> Scope:
        """Return a copy of the scope that says who it is, whatever it said before.

        It is said in the caller's scope as well, for the middlewares outside. `state` is a new one
        there: a server may share the one that it gave between requests.

        Args:
            scope: as it came.
            headers: without our cookies. Session tokens, and every spelling of the identity
                header, are taken out here.
            identity: who it is.
            caller: the scope that our caller gave us.
        """
        user, session = identity.user, identity.session
        if self._edits_headers:
            headers = self._hand_on(headers, identity)
        app_scope = dict(scope)
        app_scope["headers"] = headers
        state = scope.get("state")
        state = dict(state) if state else {}
        state["user"] = user
        state["session"] = session
        state["organization"] = identity.organization
        app_scope["state"] = caller["state"] = state
        if self._set_scope_user:
            app_scope["user"] = caller["user"] = user
            auth = _Credentials() if session is None else _SignedIn()
            app_scope["auth"] = caller["auth"] = auth
        return app_scope

    def _hand_on(self, headers: list[RawHeader], identity: Identity) -> list[RawHeader]:
        """Return the headers without what is not the app's to read, with the identity header."""
        if self._bearer:
            headers = [h for h in headers if not _is_session_token(h)]
        if self._header is not None:
            headers = [h for h in headers if _fold(h[0]) != self._folded]
            if identity.session is not None:
                headers.append((self._header, identity.user.email.encode()))
        return headers


class _Credentials(AuthCredentials):
    """Starlette's credentials, whose list is made when it is first read: few apps do.

    One for each request, since the app may write into the list.
    """

    _granted: tuple[str, ...] = ()

    __init__ = object.__init__  # what Starlette's does, `scopes` does

    @cached_property
    def scopes(self) -> list[str]:  # type: ignore[override]  # an attribute there, as it is here
        """What Starlette's `requires` looks for."""
        return list(self._granted)


class _SignedIn(_Credentials):
    _granted = ("authenticated",)


def _session_token(headers: list[RawHeader]) -> str | None:
    values = [v.decode("latin-1") for key, v in headers if key == b"authorization"]
    token = bearer_of(values)
    return token if token is not None and token.startswith(TOKEN_PREFIX) else None


def _is_session_token(header: RawHeader) -> bool:
    return header[0] == b"authorization" and _session_token([header]) is not None


def _fold(name: bytes) -> bytes:
    """Read a header name as a CGI-minded server does: every non-alphanumeric is one character."""
    return re.sub(rb"[^a-z0-9]", b"-", name.lower())


# What servers, proxies and frameworks read for themselves: whoever sends one would lose it, and
# who is signed in would send an address in its place.
_RESERVED = frozenset(
    {
        *("host", "cookie", "set-cookie", "authorization", "connection", "upgrade", "expect"),
        *("te", "trailer", "transfer-encoding", "origin", "referer", "user-agent", "range"),
        *("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"),
    }
)
_RESERVED_BEGINNINGS = ("accept", "content-", "if-", "proxy-", "sec-", "access-control-")


def _header_name(name: str | None) -> bytes | None:
    if name is None:
        return None
    is_name = isinstance(name, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{1,60}", name)
    if not is_name or name.lower() in _RESERVED or name.lower().startswith(_RESERVED_BEGINNINGS):
        raise ConfigError("identity_header", "set a header name of its own, e.g. 'Remote-User'")
    return name.lower().encode()
