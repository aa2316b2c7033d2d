"""What a browser's cookie says of the logins that it has begun at a provider."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64, unb64
from pwless_middleware.core.paths import safe_next

NONCE_BYTES: Final = 16
MOST_LOGINS: Final = 3
"""Logins at once that a browser is led back from, as in several tabs."""
NEXT_LENGTH: Final = 1500
"""Characters of a place to go on, at most: browsers keep 4,096 bytes of a cookie (RFC 6265bis
section 5.6)."""
_ROOM: Final = 2400
_KEPT: Final = ""
"""Stands for a place that the store has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunLogin:
    """A login that has begun in a browser.

    Attributes:
        id: of its `LoginState`.
        connection: the id of the connection that was asked.
        at: unix seconds.
        next: where it leads; already checked.
        is_kept: whether the store has where it leads (`LoginStates.keep_place`), and `next` not.
        organization: which one is to be entered, as it was given; empty for none, and where the
            connection says it.
    """

    id: bytes
    connection: str
    at: int
    next: str = "/"
    is_kept: bool = False
    organization: str = ""


@dataclass(frozen=True, slots=True)
class SSOBrowser:
    """What the cookie holds.

    Attributes:
        nonce: 16 random bytes, by which a login knows the browser that began it. They stay from
            login to login, so that several tabs work.
        logins: the last ones, newest first. One that is left out is still this browser's; it only
            leads to the start page.
    """

    nonce: bytes
    logins: tuple[BegunLogin, ...] = ()

    @classmethod
    def make(cls) -> SSOBrowser:
        """Return a browser that was never seen before."""
        return cls(secrets.token_bytes(NONCE_BYTES))

    @classmethod
    def unpack(cls, text: str | None) -> SSOBrowser | None:
        """Return what a cookie of ours holds; `None` for none, or one of another version."""
        data = unb64(text) if text else None
        if data is None or len(data) < NONCE_BYTES:
            return None
        try:
            rows = json.loads(data[NONCE_BYTES:] or b"[]")
            logins = tuple(
                BegunLogin(
                    id=bytes.fromhex(id),
                    connection=connection,
                    at=at,
                    next=safe_next(next) or "/",
                    is_kept=next == _KEPT,
                    organization="".join(organization),
                )
                for id, connection, at, next, *organization in rows
            )
        except (ValueError, TypeError):
            return None
        return cls(data[:NONCE_BYTES], logins)

    def pack(self) -> str:
        """Return what the cookie holds, as text."""
        rows = [
            [one.id.hex(), one.connection, one.at, _KEPT if one.is_kept else one.next]
            + ([one.organization] if one.organization else [])
            for one in self.logins
        ]
        while len(text := json.dumps(rows, separators=(",", ":"))) > _ROOM:
            rows.pop()
        return b64(self.nonce + text.encode())

    @property
    def name(self) -> str:
        """What names the browser as the holder of a login."""
        return f"browser:{self.nonce.hex()}"

    def find(self, id: bytes) -> BegunLogin | None:
        """Return one of its last logins."""
        return next((one for one in self.logins if one.id == id), None)

    def has_begun(self, connection: str, *, since: int) -> bool:
        """Whether a login by a connection has begun of late.

        Args:
            connection: its id.
            since: unix seconds.
        """
        return any(one.connection == connection and one.at >= since for one in self.logins)

    def with_login(self, login: BegunLogin) -> SSOBrowser:
        """Return it with one more login."""
        return replace(self, logins=(login, *self.logins)[:MOST_LOGINS])
