"""What an authenticator signs besides the client data (WebAuthn Level 3 §6.1).

32 bytes   SHA-256 of the relying party id
 1 byte    flags
 4 bytes   signature counter
 …         of a new passkey: its model, id and public key
 …         outputs of extensions, as a CBOR map
"""

from __future__ import annotations

from dataclasses import field
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.features.passkeys.webauthn.cbor import find_end

USER_PRESENT: Final = 0x01
USER_VERIFIED: Final = 0x04
BACKUP_ELIGIBLE: Final = 0x08
BACKED_UP: Final = 0x10
_HAS_CREDENTIAL = 0x40
_HAS_EXTENSIONS = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorData:
    """Authenticator data, of which nothing is verified yet.

    Attributes:
        rp_id_hash: of whom the authenticator was asked for.
        flags: as above.
        sign_count: the signature counter.
        id: of a new passkey, its id; empty in an answer.
        public_key: of a new passkey, its COSE key; empty in an answer.
    """

    rp_id_hash: bytes
    flags: int
    sign_count: int
    id: bytes = b""
    public_key: bytes = field(default=b"", repr=False)

    @property
    def is_verified(self) -> bool:
        """Whether the authenticator has checked who holds it (UV)."""
        return bool(self.flags & USER_VERIFIED)

    @property
    def is_synced(self) -> bool:
        """Whether the passkey can be on several devices (BE)."""
        return bool(self.flags & BACKUP_ELIGIBLE)

    @property
    def is_backed_up(self) -> bool:
        """Whether the passkey is kept elsewhere as well (BS)."""
        return bool(self.flags & BACKED_UP)


def read_authenticator_data(data: bytes, *, is_new: bool) -> AuthenticatorData:
    """Read authenticator data, all of it.

    Args:
        data: the bytes.
        is_new: whether it is of a passkey that was made, and so has its key; an answer has none.

    Raises:
        ValueError: it is cut off, or goes on, or has a key where there is none.
    """
    if len(data) < 37:
        raise ValueError("cut off")
    flags = data[32]
    at = 37
    id = public_key = b""
    if bool(flags & _HAS_CREDENTIAL) != is_new:
        raise ValueError("a key in an answer, or none in a new passkey")
    if is_new:
        at = 55 + int.from_bytes(data[53:55], "big")
        id = data[55:at]
        end = find_end(data, at)
        public_key = data[at:end]
        at = end
    if flags & _HAS_EXTENSIONS:
        if data[at : at + 1] == b"" or data[at] >> 5 != 5:
            raise ValueError("extensions that are no map")
        at = find_end(data, at)
    if at != len(data):
        raise ValueError("more than the flags say")
    return AuthenticatorData(
        rp_id_hash=data[:32],
        flags=flags,
        sign_count=int.from_bytes(data[33:37], "big"),
        id=id,
        public_key=public_key,
    )
