"""What a browser's cookie says about it and passkeys: which browser it is, and of no person."""

from __future__ import annotations

import secrets
from dataclasses import replace
from struct import Struct
from typing import Final

from pwless_middleware.core.dataclass import dataclass

NONCE_BYTES: Final = 16
NEVER: Final = 0xFFFFFFFF
"""When a browser is offered a passkey again that does not want to be asked."""
_FORM: Final = Struct(f">B{NONCE_BYTES}sBI")
_VERSION: Final = 1
_HAS_AUTHENTICATOR: Final = 1


@dataclass(frozen=True, slots=True)
class PasskeyBrowser:
    """What the cookie holds.

    Attributes:
        nonce: 16 random bytes, by which a ceremony knows the browser that asked. They stay from
            page to page, so that several tabs work.
        has_authenticator: whether a script of ours has seen that the browser can make passkeys by
            itself (a platform authenticator).
        offer_at: unix seconds from which on it may be offered a passkey; 0 at once, `NEVER` never.
    """

    nonce: bytes
    has_authenticator: bool = False
    offer_at: int = 0

    @classmethod
    def make(cls) -> PasskeyBrowser:
        """Return a browser that was never seen before."""
        return cls(secrets.token_bytes(NONCE_BYTES))

    @classmethod
    def unpack(cls, payload: bytes | None) -> PasskeyBrowser | None:
        """Return what a cookie holds; `None` for none, or one of another version."""
        if payload is None or len(payload) != _FORM.size or payload[0] != _VERSION:
            return None
        _, nonce, flags, offer_at = _FORM.unpack(payload)
        return cls(nonce, bool(flags & _HAS_AUTHENTICATOR), offer_at)

    def pack(self) -> bytes:
        """Return what the cookie holds."""
        flags = _HAS_AUTHENTICATOR if self.has_authenticator else 0
        return _FORM.pack(_VERSION, self.nonce, flags, self.offer_at)

    def may_be_offered(self, now: int) -> bool:
        """Whether it can make a passkey, and may be asked whether it should."""
        return self.has_authenticator and self.offer_at <= now < NEVER

    def with_authenticator(self, has_authenticator: bool | None) -> PasskeyBrowser:
        """Return it with what a script has found out; `None` found out nothing."""
        if has_authenticator is None:
            return self
        return replace(self, has_authenticator=has_authenticator)
