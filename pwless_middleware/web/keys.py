"""API keys: the backends that may call, each under its own name."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256

from pwless_middleware.core.options import check_kind
from pwless_middleware.errors import ConfigError

KEY_PREFIX = "pwk_"


class ApiKeys:
    """Recognise API keys in constant time.

    Args:
        api_keys: name to key. A key is `pwk_` and at least 20 more characters (120 bits in base64;
            NIST SP 800-131A asks for 112). To rotate, configure the new one under a second name,
            and remove the first when nobody uses it any more.

    Raises:
        ConfigError: a bad name, or a key that is short or lacks the prefix.
    """

    def __init__(self, api_keys: Mapping[str, str] | None) -> None:
        self._digests: dict[str, bytes] = {}
        example = "a mapping of names to keys, e.g. {'backend': 'pwk_…'}"
        check_kind("api_keys", api_keys or {}, Mapping, example=example)
        for name, key in (api_keys or {}).items():
            if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", name):
                raise ConfigError("api_keys", f"{name!r}: name keys by letters, digits, - _ and .")
            if isinstance(key, str) and key != key.strip():
                raise ConfigError(
                    "api_keys",
                    f"{name!r}: white space or a line break stands at its end: strip it",
                )
            if not isinstance(key, str) or not re.fullmatch(r"pwk_[!-~]{20,200}", key):
                raise ConfigError(
                    "api_keys", f"{name!r}: a key is 'pwk_' and at least 20 random characters"
                )
            self._digests[name] = sha256(key.encode()).digest()
        if len(set(self._digests.values())) != len(self._digests):
            raise ConfigError("api_keys", "two names have the same key")

    def name_of(self, key: str) -> str | None:
        """Return the name of a key, or `None`. Every configured key is compared, every time."""
        given = sha256(key.encode()).digest()
        found = None
        for name, digest in self._digests.items():
            if hmac.compare_digest(digest, given):
                found = name
        return found

    def fingerprint(self, name: str) -> str | None:
        """Return a short digest of the key of this name, or `None` if there is none."""
        digest = self._digests.get(name)
        return None if digest is None else sha256(b"fingerprint" + digest).hexdigest()[:16]


def bearer(authorization: list[str]) -> str | None:
    """Return the credential of an `Authorization: Bearer` header, or `None` for anything else.

    Args:
        authorization: all headers of that name; two of them are none.
    """
    if len(authorization) != 1:
        return None
    scheme, _, credential = authorization[0].partition(" ")
    return credential.strip(" ") if scheme.lower() == "bearer" else None
