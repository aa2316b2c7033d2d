"""What a feature computes from the secret key: handles and secrets of its own, and no other's."""

from __future__ import annotations

import re
from typing import cast

from pwless_middleware.core.keys.keyring import Keyring, Purpose
from pwless_middleware.core.keys.stored_secret import Decrypted, SecretCipher
from pwless_middleware.errors import ConfigError

MOST_BYTES = 256
"""Bytes that a handle holds, at most."""
_PURPOSE = re.compile(r"[a-z][a-z0-9_]{0,39}")


class FeatureSecrets:
    """Seal, encrypt and derive, under keys that only this feature has.

    A purpose is a name of up to 40 letters, digits and underscores, fixed in the code: what was
    made for one opens for no other.

    Args:
        keyring: of the feature's own keys (`Keyring.derive`).
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._ciphers: dict[str, SecretCipher] = {}  # no more entries than there are purposes

    def seal(self, purpose: str, payload: bytes) -> str:
        """Return a handle that holds a payload: it tells nothing of it, and cannot be changed.

        The same payload gives the same handle; put random bytes into what must not be recognised,
        and the time into what must end.

        Args:
            purpose: what the handle is for.
            payload: 1 to 256 bytes.

        Raises:
            ValueError: the payload is empty or longer.
        """
        if not 1 <= len(payload) <= MOST_BYTES:
            raise ValueError(f"a handle holds 1 to {MOST_BYTES} bytes, not {len(payload)}")
        return self._keyring.seal(_check_purpose(purpose), payload)

    def open(self, purpose: str, handle: str) -> bytes | None:
        """Return what a handle holds, or `None` if it was not sealed by us for this purpose.

        Args:
            purpose: what it must have been sealed for.
            handle: as it came; any text.
        """
        opened = self._keyring.open(_check_purpose(purpose), handle, size=1, most=MOST_BYTES)
        return opened.payload if opened is not None else None

    def encrypt(self, purpose: str, context: str, secret: bytes) -> bytes:
        """Return a secret as a database may keep it: for what is needed in clear again.

        The same secret looks different each time; it is longer by 37 bytes. It decrypts as long as
        its key is in the list of `secret_key`: encrypt anew what is not under the current one, as
        it is used and in `Mounted.rewrap`.

        Args:
            purpose: what the secret is for.
            context: its row and its owner, e.g. `f"{id} {user_id}"`. Moved to another row it is
                worth nothing.
            secret: 1 to 65,536 bytes.

        Raises:
            ConfigError: the extra `[crypto]` is not installed.
            ValueError: the secret is empty or longer.
        """
        return self._cipher(purpose).encrypt(context, secret)

    def decrypt(self, purpose: str, context: str, stored: bytes) -> Decrypted | None:
        """Return a secret that was encrypted; `None` if it was changed, moved, or its key is gone.

        Args:
            purpose: what it must have been encrypted for.
            context: as it was encrypted with.
            stored: as it was stored; any bytes.

        Raises:
            ConfigError: the extra `[crypto]` is not installed.
        """
        return self._cipher(purpose).decrypt(context, stored)

    def _cipher(self, purpose: str) -> SecretCipher:
        cipher = self._ciphers.get(purpose)
        if cipher is None:
            keys = self._keyring.derive_keys(f"stored\x00{_check_purpose(purpose)}")
            cipher = self._ciphers[purpose] = SecretCipher(keys)
        return cipher

    def derive(self, purpose: str) -> str:
        """Return a secret that all processes with the secret key agree on: 22 characters.

        It changes as the secret key is rotated.
        """
        return self._keyring.derive_secret(_check_purpose(purpose))


def _check_purpose(purpose: str) -> Purpose:
    if not isinstance(purpose, str) or not _PURPOSE.fullmatch(purpose):
        raise ConfigError("features", f"{purpose!r} is no purpose: set up to 40 of a-z, 0-9 and _")
    return cast("Purpose", purpose)  # the keys are the feature's own: so are their purposes
