"""API keys in code: the backends that may call, each under its own name.

Those that operators make are in the database (`flows.operators.stored_keys`).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.api_key import check_key_name
from pwless_middleware.core.options.options import check_kind
from pwless_middleware.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Server:
    """The backend behind a request.

    Attributes:
        name: its key's.
        key: which key of the name: what its access tokens are bound to.
        scopes: what it may do; `None` is everything, as a key in code may.
    """

    name: str
    key: str
    scopes: tuple[str, ...] | None


class ConfiguredKeys:
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
        api_keys = {} if api_keys is None else api_keys
        check_kind("api_keys", api_keys, Mapping, example=example)
        for name, key in api_keys.items():
            check_key_name("api_keys", name)
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

    @property
    def names(self) -> frozenset[str]:
        """The names of all keys."""
        return frozenset(self._digests)

    def find(self, key: str) -> Server | None:
        """Return the backend whose key this is, or `None`."""
        name = self.name_of(key)
        return None if name is None else Server(name, self.fingerprint(name) or "", None)

    def find_by_fingerprint(self, name: str, fingerprint: str) -> Server | None:
        """Return the backend of a name, if its key is still the one of that fingerprint."""
        is_it = fingerprint == self.fingerprint(name)
        return Server(name, fingerprint, None) if is_it else None

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
