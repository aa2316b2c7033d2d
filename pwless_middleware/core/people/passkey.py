"""A passkey: a key pair of which we keep the public half (WebAuthn Level 3)."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64

MAX_ID_BYTES: Final = 1023
"""Bytes of a credential id, at most (WebAuthn Level 3 §4, "Credential ID"; security rule 32)."""
USER_HANDLE_BYTES: Final = 32
"""Random bytes of a user handle, which is at most 64 (WebAuthn Level 3 §5.4.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """What is kept of one passkey (a "credential record", WebAuthn Level 3 §4).

    Attributes:
        id: the credential id, 1 to 1023 bytes; no other passkey has it, whoever's.
        user_id: whose it is.
        user_handle: 32 random bytes, one value for all passkeys of a user and nobody else's; the
            authenticator keeps it, so it tells nothing (security rule 32).
        public_key: as a COSE key (RFC 9052 §7).
        sign_count: the authenticator's last one; 0 where it does not count.
        aaguid: the authenticator's model, as the text of a UUID; all zeros where it is not told.
        transports: how the authenticator was reached, e.g. `("hybrid", "internal")`; a hint.
        is_synced: whether it can be on several devices (backup eligible); never changes.
        is_backed_up: whether it is kept elsewhere as well, as of its last use.
        rp_id: the relying party id that it was made for; for another it is of no use.
        name: what the person calls it.
        created_at: unix seconds.
        used_at: unix seconds of its last use; `None` before the first.
    """

    id: bytes
    user_id: str
    user_handle: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    is_synced: bool
    is_backed_up: bool
    rp_id: str
    name: str = field(repr=False)
    created_at: int
    used_at: int | None = None

    @property
    def public_id(self) -> str:
        """The credential id as it stands in URLs and JSON: base64url without padding."""
        return b64(self.id)

    def admits_count(self, sign_count: int) -> bool:
        """Whether a use may have this sign count.

        A count that does not grow is a sign of a copied key, so a device-bound passkey is refused
        with it. A synced one is on several devices, whose counts go their own ways (security rule
        33). Two zeros are of an authenticator that does not count (WebAuthn Level 3 §6.1.1).
        """
        return self.is_synced or sign_count > self.sign_count or sign_count == self.sign_count == 0
