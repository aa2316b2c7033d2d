"""Secrets that a database keeps and that are needed in clear again: encrypted, and bound to a row.

A stored secret is `version (1) + fingerprint of the key (8) + nonce (12) + ciphertext and tag`: AES
with 256 bits in GCM (NIST SP 800-38D), whose nonce of 96 random bits is good for 2³² secrets under
one key (§8.3). What stands in front of the ciphertext, and the context that the caller names (the
ids of row and user), are authenticated with it: a secret that was changed, or moved to another row,
is none.

The keys come from the list of `secret_key`, one for each purpose: the last one encrypts, all of
them decrypt. Neither base URL nor cookie name is in them, unlike in the handles of
`core.keys.keyring`: what people have set up on their phones has to outlive a move to another host.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 64
"""Bytes that a cipher takes of each key: 32 encrypt, 8 are its fingerprint."""
MOST_BYTES = 65536
"""Bytes of a secret, at most."""
_VERSION = b"\x01"
_FINGERPRINT_BYTES = 8
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEAD_BYTES = len(_VERSION) + _FINGERPRINT_BYTES


@dataclass(frozen=True, slots=True)
class Decrypted:
    """A secret that was stored.

    Attributes:
        secret: what was encrypted.
        is_current: whether it was encrypted with the newest of the keys. Where it was not, encrypt
            it anew, before its key leaves the list of `secret_key`.
    """

    secret: bytes = field(repr=False)
    is_current: bool


class SecretCipher:
    """Encrypt secrets to be stored, and decrypt them again.

    Args:
        keys: `KEY_BYTES` each, derived for this use alone, oldest first: all of them decrypt, the
            last one encrypts.

    Raises:
        ConfigError: the library of the extra `[crypto]` is not installed.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        try:  # 20 ms, for those who keep such secrets
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError as error:
            raise ConfigError(
                "features",
                "stored secrets need cryptography: pip install 'pwless-middleware[crypto]'",
            ) from error
        self._ciphers: dict[bytes, AESGCM] = {}
        for key in keys:
            head = _VERSION + key[32 : 32 + _FINGERPRINT_BYTES]
            self._ciphers[head] = AESGCM(key[:32])
            self._current = head

    def encrypt(self, context: str, secret: bytes) -> bytes:
        """Return a secret as it is stored; the same one looks different each time.

        Args:
            context: where it is kept and whose it is; it decrypts with the same context alone.
            secret: 1 to 65,536 bytes.

        Raises:
            ValueError: the secret is empty or longer.
        """
        if not 1 <= len(secret) <= MOST_BYTES:
            raise ValueError(f"a secret has 1 to {MOST_BYTES} bytes, not {len(secret)}")
        head, nonce = self._current, secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[head].encrypt(nonce, secret, head + context.encode())
        return head + nonce + sealed

    def decrypt(self, context: str, stored: bytes) -> Decrypted | None:
        """Return a stored secret; `None` if it was changed, is another row's, or its key is gone.

        Args:
            context: as it was encrypted with.
            stored: as it was stored; any bytes.
        """
        from cryptography.exceptions import InvalidTag

        head, rest = stored[:_HEAD_BYTES], stored[_HEAD_BYTES:]
        cipher = self._ciphers.get(head)
        if cipher is None or len(rest) <= _NONCE_BYTES + _TAG_BYTES:
            return None
        nonce, sealed = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        try:
            secret = cipher.decrypt(nonce, sealed, head + context.encode())
        except InvalidTag:
            return None
        return Decrypted(secret, is_current=head == self._current)
