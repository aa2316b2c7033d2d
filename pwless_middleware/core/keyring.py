"""Everything that is computed from the secret key: codes, link tokens, handles, signatures, names.

Theory. A challenge's code and link token are *derived* from its id and generation with HMAC-SHA-256
(RFC 2104), under the one key that its record names. Nothing that opens a session is therefore ever
stored, queued or logged, and who reads the store without the key has nothing to guess against.

Every handle that leaves us is `MAC + masked payload` under a purpose of its own, so that none can
be computed from another: who holds the mail (`link`) can forge neither the flow cookie (`flow`) nor
the request id (`request`). The mask is a keystream made from the MAC, as in SIV mode (RFC 5297):
without the key a handle is noise, which can neither be tested against an address nor be matched
with another handle of the same person. Each label carries the *realm* (base URL and cookie name) as
well: two brands or stages that share a key do not accept each other's handles.

Names (store keys, user ids) are unkeyed labelled SHA-256, 128 bits: they survive a key rotation.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from typing import Literal, NamedTuple

from itsdangerous import BadSignature, Signer

from pwless_middleware.core.challenges import ID_BYTES, ChallengeId
from pwless_middleware.errors import ConfigError

Purpose = Literal["flow", "request", "link", "pending", "session", "token", "device", "access"]
CodeStyle = Literal["standard", "high"]

MIN_KEY_BYTES = 32
"""RFC 2104 §3: a key shorter than the hash's output weakens the MAC."""
MAC_BYTES = 16
"""RFC 2104 §5 allows truncation to half the hash; 128 bits is SECURITY's floor for a link token."""
MAX_HANDLE = 200
"""Characters of a handle, at most; longer ones are not ours."""

# Letters that are hard to misread, without vowels so that no word appears (RFC 8628 §6.1).
HIGH_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
_PLACEHOLDERS = ("changeme", "change-me", "change_me", "your-secret", "your_secret", "insecure")


def b64(data: bytes) -> str:
    """Write bytes as base64url without padding (RFC 4648 §5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes | None:
    """Read canonical base64url; `None` for anything else.

    A decoder that forgives gives one value several spellings; we take exactly one.
    """
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    return data if b64(data) == text else None


def digest(label: str, *parts: str) -> bytes:
    """Give the 16-byte unkeyed name of something, under a label."""
    text = "\x00".join(("pwless", label, *parts))
    return sha256(text.encode()).digest()[:16]


def normalise_code(text: str, style: CodeStyle) -> str | None:
    """Read a code as a person types it: spaces and dashes anywhere, letters in either case.

    Returns:
        The bare code, or `None` if it is not one of this style. ASCII only: `str.isdigit` also
        takes other scripts' digits, and `int` takes underscores (SECURITY rule 12).
    """
    bare = text.replace(" ", "").replace("-", "")
    if style == "high":
        # Before `upper`, which makes ASCII of what is none: `ſ` becomes S, `ﬀ` becomes FF.
        bare = bare.upper() if bare.isascii() else ""
        return bare if len(bare) == 8 and all(c in HIGH_ALPHABET for c in bare) else None
    return bare if len(bare) == 6 and all(c in "0123456789" for c in bare) else None


def shown_code(code: str, style: CodeStyle) -> str:
    """Write a bare code as the mail shows it."""
    return f"{code[:4]}-{code[4:]}" if style == "high" else code


class Opened(NamedTuple):
    """What a handle holds.

    Attributes:
        payload: what was sealed.
        key_id: fingerprint of the key that sealed it.
    """

    payload: bytes
    key_id: str


class Keyring:
    """Hold the secret keys, and compute with them.

    Args:
        secret_key: one key, or several, oldest first: all verify, the last one signs and derives
            (itsdangerous' order). Each at least 32 bytes of UTF-8.
        realm: base URL and cookie name; part of every label.

    Raises:
        ConfigError: no key, or one that is too short, a placeholder, or a repeated pattern.
    """

    def __init__(self, secret_key: str | Sequence[str], *, realm: str) -> None:
        # `None` is what an unset environment variable gives.
        if not secret_key or not isinstance(secret_key, Sequence):
            raise ConfigError("secret_key", "set a key; `python -m pwless_middleware secret`")
        keys = [secret_key] if isinstance(secret_key, str) else list(secret_key)
        for key in keys:
            _check_key(key)
        self.realm = realm
        self._keys = {self._fingerprint(key.encode()): key.encode() for key in keys}
        self._secrets = [key.encode() for key in keys]
        self.current = self._fingerprint(self._secrets[-1])
        self._signers: dict[str, Signer] = {}

    def __repr__(self) -> str:
        return f"<Keyring {' '.join(self._keys)}>"

    def _fingerprint(self, key: bytes) -> str:
        # Keyed, so that a sample of fingerprints says nothing about a weak key's text.
        mac = hmac.digest(key, f"pwless\x00fingerprint\x00{self.realm}".encode(), "sha256")
        return b64(mac[:6])

    def _mac(self, key: bytes, purpose: str, payload: bytes) -> bytes:
        label = f"pwless\x00{purpose}\x00{self.realm}\x00".encode()
        return hmac.digest(key, label + payload, "sha256")

    # --- handles -------------------------------------------------------------------------------

    def seal(self, purpose: Purpose, payload: bytes, *, key_id: str | None = None) -> str:
        """Write `MAC + masked payload` under a purpose, as base64url.

        The same payload gives the same handle; put random bytes into what must not be recognised.

        Args:
            purpose: what the handle is for; it opens for nothing else.
            payload: at most 128 bytes.
            key_id: fingerprint of the key; `None` takes the current one.

        Raises:
            KeyError: this process lacks the key; ask `holds` first.
        """
        key = self._keys[key_id or self.current]
        mac = self._mac(key, purpose, payload)[:MAC_BYTES]
        return b64(mac + self._masked(key, purpose, mac, payload))

    def open(self, purpose: Purpose, handle: str, *, size: int, most: int = 1) -> Opened | None:
        """Return what a handle holds, or `None` if no key of ours made it for this purpose.

        Args:
            purpose: what it must have been made for.
            handle: as the client presents it; any text.
            size: bytes of one item of the payload.
            most: how many items of that size the payload may have; at least one.
        """
        data = unb64(handle) if handle.isascii() and len(handle) <= MAX_HANDLE else None
        if data is None:
            return None
        mac, masked = data[:MAC_BYTES], data[MAC_BYTES:]
        if len(masked) % size or not 1 <= len(masked) // size <= most:
            return None
        found = None
        for key_id, key in self._keys.items():
            payload = self._masked(key, purpose, mac, masked)
            if hmac.compare_digest(self._mac(key, purpose, payload)[:MAC_BYTES], mac):
                found = Opened(payload, key_id)
        return found

    def _masked(self, key: bytes, purpose: str, mac: bytes, text: bytes) -> bytes:
        """Mask a payload, or take the mask off again."""
        stream = b"".join(
            self._mac(key, f"{purpose}-mask", mac + bytes([block]))
            for block in range(-(-len(text) // 32))
        )
        bits = int.from_bytes(text, "big") ^ int.from_bytes(stream[: len(text)], "big")
        return bits.to_bytes(len(text), "big")

    def holds(self, key_id: str) -> bool:
        """Say whether this process has that key."""
        return key_id in self._keys

    # --- what a challenge's secrets are ----------------------------------------------------------

    def code(self, id: ChallengeId, generation: int, key_id: str, style: CodeStyle) -> str:
        """Derive a challenge's bare code: 6 digits, or 8 letters for `high`.

        The modulo's bias is below 2**-40: 64 bits are reduced to at most 35.

        Raises:
            KeyError: this process lacks the key; ask `holds` first.
        """
        mac = self._mac(self._keys[key_id], "code", id + bytes([generation]))
        number = int.from_bytes(mac[:8], "big")
        if style == "standard":
            return f"{number % 1_000_000:06d}"
        letters = []
        for _ in range(8):
            number, index = divmod(number, len(HIGH_ALPHABET))
            letters.append(HIGH_ALPHABET[index])
        return "".join(letters)

    def link_token(self, id: ChallengeId, generation: int, key_id: str) -> str:
        """Derive a challenge's link token: 60 characters, 128 bits of MAC.

        Raises:
            KeyError: this process lacks the key; ask `holds` first.
        """
        return self.seal("link", id + bytes([generation]), key_id=key_id)

    def open_link(self, token: str) -> tuple[ChallengeId, int] | None:
        """Give a link token's challenge and generation, or `None` if it is not ours."""
        opened = self.open("link", token, size=ID_BYTES + 1)
        return opened and (ChallengeId(opened.payload[:-1]), opened.payload[-1])

    # --- cookies -------------------------------------------------------------------------------

    def sign(self, purpose: Purpose, value: str) -> str:
        """Sign a cookie's value; the result is `value.signature`."""
        return self._signer(purpose).sign(value).decode()

    def unsign(self, purpose: Purpose, signed: str) -> str | None:
        """Give the value of a signed cookie, or `None` if no key of ours signed it for this.

        One value has one spelling: itsdangerous forgives padding and strange characters in a
        signature, and each such spelling would take a place of its own in what is kept in process.
        """
        if unb64(signed.rpartition(".")[2]) is None:
            return None
        try:
            return self._signer(purpose).unsign(signed).decode()
        except (BadSignature, UnicodeError):
            return None

    def _signer(self, purpose: str) -> Signer:
        signer = self._signers.get(purpose)
        if signer is None:
            salt = f"pwless\x00{purpose}\x00{self.realm}"
            signer = self._signers[purpose] = _PrimedSigner(
                self._secrets, salt=salt, key_derivation="hmac", digest_method=sha256
            )
        return signer

    # --- names and random ------------------------------------------------------------------------

    def name(self, label: str, *parts: str) -> str:
        """Name something in the store: 22 characters; other realms get other names."""
        return b64(digest(label, self.realm, *parts))

    def derived(self, label: str) -> str:
        """Return a secret that all processes with these keys agree on: 22 characters."""
        return b64(self._mac(self._secrets[-1], f"derived-{label}", b"")[:MAC_BYTES])

    def log_name(self, text: str) -> str:
        """Name an address in a log line: keyed, so that the log cannot be searched by guessing."""
        return b64(self._mac(self._secrets[-1], "log", text.encode())[:6])


def new_operation() -> str:
    """Make the random id under which a store remembers one operation (64 bits)."""
    return secrets.token_urlsafe(8)


class _PrimedSigner(Signer):
    """Derive each key of a purpose once; itsdangerous does so for each signature, half its time."""

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        """See `Signer.derive_key`."""
        given = self.secret_keys[-1] if secret_key is None else secret_key
        derived = self._derived.get(given)
        if derived is None:
            derived = self._derived[given] = super().derive_key(given)
        return derived

    @cached_property
    def _derived(self) -> dict[str | bytes, bytes]:
        return {}  # no more entries than there are secret keys


def _check_key(key: object) -> None:
    if not isinstance(key, str) or len(key.encode()) < MIN_KEY_BYTES:
        raise ConfigError(
            "secret_key",
            "set a random key of at least 32 bytes; `python -m pwless_middleware secret` makes one",
        )
    lowered = key.lower()
    repeated = any(lowered == (lowered[:n] * len(lowered))[: len(lowered)] for n in range(1, 9))
    if repeated or any(word in lowered for word in _PLACEHOLDERS):
        raise ConfigError(
            "secret_key",
            "this is a sample, not a secret; `python -m pwless_middleware secret` makes one",
        )
