"""API keys that operators make: what is kept of one, what it may do, and how its text is read.

    pwk_ + id (16 of a-z, 2-7) + . + secret (43 of base64url, 256 bits)

The id is public: a key is looked up by it, and then compared by a digest in constant time, so that
nothing secret is ever searched for. The digest is plain SHA-256, which 256 random bits need no more
than (NIST SP 800-63B-4 §3.1.1.2 asks for slow hashing where a secret can be guessed).
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import field
from hashlib import sha256
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.errors import ConfigError
from pwless_middleware.text import Text

KEY_PREFIX: Final = "pwk_"
SCOPES: Final = {
    "passwordless": Text("send, resend and verify logins"),
    "users:read": Text("read users, and what hangs on them"),
    "users": Text("read and change users"),
    "organizations:read": Text("read organizations, and what is theirs"),
    "organizations": Text("read and change organizations, and what is theirs"),
    "events": Text("read events"),
    "metrics": Text("read metrics"),
}
"""What a key may be for, and what each scope allows."""
_IMPLIED: Final = {"users:read": "users", "organizations:read": "organizations"}
"""Scope to the one that includes it."""

_KEY: Final = r"pwk_([a-z2-7]{16})\.[A-Za-z0-9_-]{43}"
_NAME: Final = r"[A-Za-z0-9_.-]{1,40}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is kept of one key. A rotation makes another one of the same name.

    Attributes:
        id: its public part.
        name: of the backend that has it; challenges belong to the name.
        generation: 1 for the first of a name; each rotation adds one.
        digest: of the whole text.
        scopes: what it may do, of `SCOPES`.
        created_at: unix seconds.
        by: who made it.
        expires_at: unix seconds from which on it is none; `None` for no end.
        revoked_at: unix seconds since when it is revoked; `None` if it is not.
        used_at: unix seconds of a use, at most an hour old; `None` before the first.
    """

    id: str
    name: str
    generation: int
    digest: bytes = field(repr=False)
    scopes: tuple[str, ...]
    created_at: int
    by: str
    expires_at: int | None = None
    revoked_at: int | None = None
    used_at: int | None = None

    def is_alive(self, now: int) -> bool:
        """Whether it opens anything now."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def matches(self, text: str) -> bool:
        """Whether a text is this key; takes the same time for every text of a length."""
        return hmac.compare_digest(self.digest, digest_of_key(text))


def allows(scopes: tuple[str, ...] | None, scope: str) -> bool:
    """Whether scopes include one; `None` are those of a key in code, which may do everything."""
    return scopes is None or scope in scopes or _IMPLIED.get(scope) in scopes


def new_key_text() -> str:
    """Return the text of a new key: shown once, and kept nowhere."""
    id = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return f"{KEY_PREFIX}{id}.{b64(secrets.token_bytes(32))}"


def id_of_key(text: str) -> str | None:
    """Return the id in the text of a key, or `None` if it is not written as ours are."""
    found = re.fullmatch(_KEY, text)
    return found[1] if found else None


def digest_of_key(text: str) -> bytes:
    """Return what is kept of the text of a key."""
    return sha256(text.encode()).digest()


def check_key_name(option: str, name: object) -> str:
    """Return a name for a key.

    Raises:
        ConfigError: it is none.
    """
    if not isinstance(name, str) or not re.fullmatch(_NAME, name):
        raise ConfigError(option, f"{name!r}: name keys by 1 to 40 letters, digits, - _ and .")
    return name


def check_scopes(scopes: object) -> tuple[str, ...]:
    """Return the scopes of a key, sorted.

    Raises:
        ConfigError: there are none, or an unknown one.
    """
    if isinstance(scopes, str) or not isinstance(scopes, list | tuple | set | frozenset):
        raise ConfigError("scopes", 'give a list, e.g. ["passwordless"]')
    unknown = [scope for scope in scopes if scope not in list(SCOPES)]
    if unknown or not scopes:
        wrong = f"{unknown[0]!r} is none" if unknown else "give at least one"
        raise ConfigError("scopes", f"{wrong}; there are {', '.join(SCOPES)}")
    return tuple(sorted(set(scopes)))
