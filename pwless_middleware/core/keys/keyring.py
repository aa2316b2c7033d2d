"""Everything that is computed from the secret key: codes, link tokens, handles, signatures, names.

Theory. A challenge's code and link token are *derived* from its id, its generation and the salt in
its record with HMAC-SHA-256 (RFC 2104), under the one key that the challenge was made with. Nothing
that opens a session is therefore ever stored, queued or logged: who reads the store without the key
has nothing to guess against, and who has the key without the store lacks the salt.

Every handle that leaves us is `MAC + masked payload` under a purpose of its own, so that none can
be computed from another: who holds the mail (`link`) can forge neither the flow cookie (`flow`) nor
the request id (`request`). The mask is a keystream made from the MAC, as in SIV mode (RFC 5297):
without the key a handle is noise, which can neither be tested against an address nor be matched
with another handle of the same person. Each label carries the *realm* (base URL and cookie name) as
well: two brands or stages that share a key do not accept each other's handles.

Every record is *bound*: a MAC over its place and its value stands in front of it, so that who
writes to the store can change no address, and move no record to another place. A challenge, session
or pending login has one key: the handle that leads to it and its record carry the same one, or it
is as if the record were not there. An older key of the list therefore opens what was made under it,
and nothing else.

Names (store keys, user ids) are unkeyed labelled SHA-256, 128 bits: they survive a key rotation.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256
from typing import Literal, NamedTuple

from itsdangerous import BadSignature, Signer

from pwless_middleware.core.challenges.challenge import ID_BYTES, Challenge, ChallengeId
from pwless_middleware.core.challenges.codes import CodeStyle, code_of_number
from pwless_middleware.core.keys.base64url import b64, unb64
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.core.keys.secret_key import check_secret_key
from pwless_middleware.errors import ConfigError

Purpose = Literal[
    "flow",
    "request",
    "link",
    "pending",
    "step",
    "session",
    "token",
    "device",
    "passkeys",
    "trusted",
    "access",
    "hint",
    "setup",
    "setup_link",
    "sso",
]
RecordKind = Literal["challenge", "session", "pending", "job", "feature"]

MAC_BYTES = 16
"""RFC 2104 §5 allows truncation to half the hash; 128 bits are what ASVS 7.2.3 asks of a token."""
_SECRET_BYTES = 16
LINK_MAC_BYTES = 12
"""A link token's MAC only keeps forged ones from the store; behind it are 128 bits of secret."""
_LINK_BYTES = LINK_MAC_BYTES + ID_BYTES + _SECRET_BYTES
LINK_CHARACTERS = _LINK_BYTES * 8 // 5
"""96 of base32, which 60 bytes fill exactly: no two texts are one token (RFC 4648 §6)."""
MAX_HANDLE = 450
"""Characters of a handle, at most; longer ones are not ours. A hint of the longest address has
448."""


class Opened(NamedTuple):
    """What a handle holds.

    Attributes:
        payload: what was sealed.
        key_id: fingerprint of the key that sealed it.
    """

    payload: bytes
    key_id: str


class Link(NamedTuple):
    """What a link token holds; it proves nothing before `Keyring.is_link_of`.

    Attributes:
        id: of the challenge to look for.
        secret: what only the challenge's key and salt give.
        key_id: fingerprint of the key that sealed it.
    """

    id: ChallengeId
    secret: bytes
    key_id: str


class Keyring:
    """The secret keys, and what is computed with them.

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
            raise ConfigError(
                "secret_key",
                "there is none: is the environment variable set?"
                " `python -m pwless_middleware secret` makes one",
            )
        keys = [secret_key] if isinstance(secret_key, str) else list(secret_key)
        for key in keys:
            check_secret_key(key)
        self._hold([key.encode() for key in keys], realm)

    def _hold(self, keys: Sequence[bytes], realm: str) -> None:
        self.realm = realm
        self._labels: dict[str, bytes] = {}
        fingerprints = [self._fingerprint(key) for key in keys]
        self._keys = dict(zip(fingerprints, keys, strict=True))
        self._secrets = list(keys)
        self.current = fingerprints[-1]
        self._signers: dict[str, Signer] = {}

    def derive(self, use: str) -> Keyring:
        """Return a keyring of keys derived from these, for one use.

        It opens nothing that these keys, or those of another use, have made, and leads back to
        none of them (HMAC as a key derivation function, NIST SP 800-108r1 §4.1): what is given one
        can do what its keys do, and nothing else.
        """
        label = f"pwless\x00keys\x00{use}".encode()
        derived = Keyring.__new__(Keyring)
        derived._hold([hmac.digest(key, label, "sha256") for key in self._secrets], self.realm)
        return derived

    def __repr__(self) -> str:
        return f"<Keyring {' '.join(self._keys)}>"

    def _fingerprint(self, key: bytes) -> str:
        # Keyed, so that a sample of fingerprints says nothing about a weak key's text.
        mac = hmac.digest(key, f"pwless\x00fingerprint\x00{self.realm}".encode(), "sha256")
        return b64(mac[:6])

    def _mac(self, key: bytes, purpose: str, payload: bytes) -> bytes:
        return hmac.digest(key, self._label(purpose) + payload, "sha256")

    def _label(self, purpose: str) -> bytes:
        label = self._labels.get(purpose)
        if label is None:
            label = f"pwless\x00{purpose}\x00{self.realm}\x00".encode()
            self._labels[purpose] = label  # no more entries than there are purposes
        return label

    # --- handles -------------------------------------------------------------------------------

    def seal(self, purpose: Purpose, payload: bytes, *, key_id: str | None = None) -> str:
        """Write `MAC + masked payload` under a purpose, as base64url.

        The same payload gives the same handle; put random bytes into what must not be recognised.

        Args:
            purpose: what the handle is for; it opens for nothing else.
            payload: at most 320 bytes.
            key_id: fingerprint of the key; `None` takes the current one.

        Raises:
            KeyError: this process lacks the key.
        """
        return b64(self._seal(purpose, payload, key_id or self.current, MAC_BYTES))

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
        items, rest = divmod(len(data) - MAC_BYTES, size)
        return self._open(purpose, data, MAC_BYTES) if not rest and 1 <= items <= most else None

    def _seal(self, purpose: str, payload: bytes, key_id: str, size: int) -> bytes:
        key = self._keys[key_id]
        mac = self._mac(key, purpose, payload)[:size]
        return mac + self._mask(key, purpose, mac, payload)

    def _open(self, purpose: str, sealed: bytes, size: int) -> Opened | None:
        mac, masked = sealed[:size], sealed[size:]
        found = None
        for key_id, key in self._keys.items():
            payload = self._mask(key, purpose, mac, masked)
            if hmac.compare_digest(self._mac(key, purpose, payload)[:size], mac):
                found = Opened(payload, key_id)
        return found

    def _mask(self, key: bytes, purpose: str, mac: bytes, text: bytes) -> bytes:
        """Mask a payload, or take the mask off again."""
        size, label = len(text), self._label(f"{purpose}-mask") + mac
        # SHA-512: 64 bytes at once are enough for most handles.
        stream = hmac.digest(key, label, "sha512")
        for block in range(1, -(-size // 64)):
            stream += hmac.digest(key, label + bytes([block]), "sha512")
        bits = int.from_bytes(text, "big") ^ int.from_bytes(stream[:size], "big")
        return bits.to_bytes(size, "big")

    # --- records -------------------------------------------------------------------------------

    def bind(self, kind: RecordKind, place: str, value: bytes, *, key_id: str) -> bytes:
        """Return a record with the MAC that binds it to its place in front.

        Args:
            kind: what the record is.
            place: its key in the store; of a queue's job, its topic.
            value: the record.
            key_id: fingerprint of the key that the handle which leads to it was sealed under.

        Raises:
            KeyError: this process lacks the key.
        """
        return self._record_mac(self._keys[key_id], kind, place, value) + value

    def unbind(self, kind: RecordKind, place: str, stored: bytes) -> Opened | None:
        """Return a record and the key that binds it, or `None` if it is not ours, or not from here.

        The key has to be the one that the handle was sealed under; only the caller knows that.
        """
        mac, value = stored[:MAC_BYTES], stored[MAC_BYTES:]
        for key_id, key in self._keys.items():
            if hmac.compare_digest(self._record_mac(key, kind, place, value), mac):
                return Opened(value, key_id)
        return None

    def _record_mac(self, key: bytes, kind: RecordKind, place: str, value: bytes) -> bytes:
        # No place holds a NUL, so that the two parts have one reading.
        return self._mac(key, f"record-{kind}", f"{place}\x00".encode() + value)[:MAC_BYTES]

    # --- what a challenge's secrets are ----------------------------------------------------------

    def code(self, challenge: Challenge, style: CodeStyle) -> str:
        """Derive a challenge's bare code: 6 digits, or 8 letters for `high`.

        Raises:
            KeyError: this process lacks the challenge's key.
        """
        number = int.from_bytes(self._secret("code", challenge)[:8], "big")
        return code_of_number(number, style)

    def link_token(self, challenge: Challenge) -> str:
        """Derive a challenge's link token: 96 characters of lower-case base32, 128 bits of secret.

        Lower case survives what changes the case of addresses, and it is read in either.

        Raises:
            KeyError: this process lacks the challenge's key.
        """
        payload = challenge.id + self._secret("link", challenge)
        data = self._seal("link", payload, challenge.key_id, LINK_MAC_BYTES)
        return base64.b32encode(data).decode().lower()

    def open_link(self, token: str) -> Link | None:
        """Return what a link token holds, or `None` if it is not ours.

        Good for finding the challenge's record, and no more: whether it is that challenge's token
        is for `is_link_of` to say.
        """
        try:
            data = base64.b32decode(token.encode(), casefold=True)
        except ValueError:
            return None
        opened = self._open("link", data, LINK_MAC_BYTES) if len(data) == _LINK_BYTES else None
        if opened is None:
            return None
        id, secret = opened.payload[:ID_BYTES], opened.payload[ID_BYTES:]
        return Link(ChallengeId(id), secret, opened.key_id)

    def is_link_of(self, link: Link, challenge: Challenge) -> bool:
        """Whether a link is this challenge's, of its generation and under its own key."""
        expected = self._secret("link", challenge)
        return hmac.compare_digest(link.secret, expected) and link.key_id == challenge.key_id

    def _secret(self, purpose: str, challenge: Challenge) -> bytes:
        text = challenge.id + bytes([challenge.generation]) + challenge.salt
        return self._mac(self._keys[challenge.key_id], f"{purpose}-secret", text)[:_SECRET_BYTES]

    # --- cookies -------------------------------------------------------------------------------

    def sign(self, purpose: Purpose, value: str) -> str:
        """Sign a cookie's value; the result is `value.signature`."""
        return self._signer(purpose).sign(value).decode()

    def unsign(self, purpose: Purpose, signed: str) -> str | None:
        """Return the value of a signed cookie, or `None` if no key of ours signed it for this.

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

    def derive_secret(self, label: str) -> str:
        """Return a secret that all processes with these keys agree on: 22 characters."""
        return b64(self._mac(self._secrets[-1], f"derived-{label}", b"")[:MAC_BYTES])

    def derive_keys(self, label: str) -> tuple[bytes, ...]:
        """Return a key of 64 bytes from each of these keys, oldest first.

        For what has to outlive a change of base URL or cookie name: unlike everything else here,
        they are the same in every realm.
        """
        text = f"pwless\x00key\x00{label}".encode()
        return tuple(hmac.digest(key, text, "sha512") for key in self._secrets)

    def derive_number(self, label: str, text: bytes, *, key_id: str) -> int:
        """Return a random number of 64 bits that this text alone gives, under one key.

        Args:
            label: what the number is for; each has others.
            text: what it is derived from: random bytes, and what it is bound to.
            key_id: fingerprint of the key.

        Raises:
            KeyError: this process lacks the key.
        """
        return int.from_bytes(self._mac(self._keys[key_id], f"number-{label}", text)[:8], "big")

    def log_name(self, text: str) -> str:
        """Name an address in a log line: keyed, so that the log cannot be searched by guessing."""
        return b64(self._mac(self._secrets[-1], "log", text.encode())[:6])

    def log_names(self, text: str) -> tuple[str, ...]:
        """Return every name that an address has had under these keys, the oldest key's first."""
        return tuple(b64(self._mac(key, "log", text.encode())[:6]) for key in self._secrets)


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
