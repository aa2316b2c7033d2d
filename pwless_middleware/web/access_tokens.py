"""Access tokens for servers: OAuth 2.0 client credentials (RFC 6749 §4.4) over the API keys.

A client written for an OAuth API sends its id and secret once and gets a token for an hour. The
token is signed, so nothing is stored; it names its API key by a digest, so that it ends with the
key: one that is taken out of the configuration opens nothing any more, token or not.
"""

from __future__ import annotations

from collections.abc import Callable

from pwless_middleware.core.keyring import Keyring
from pwless_middleware.web.keys import ApiKeys

TOKEN_PREFIX = "pwt_"  # noqa: S105  # how a token begins, not one
TOKEN_SECONDS = 3600
"""Life of an access token: an hour, as in RFC 6749's own examples (§4.4.3)."""


class AccessTokens:
    """Issue access tokens for API keys, and read them.

    Args:
        keys: the API keys; a key's name is its client id, the key itself the secret.
        keyring: signs the tokens.
        clock: gives unix seconds.
    """

    def __init__(self, keys: ApiKeys, keyring: Keyring, clock: Callable[[], int]) -> None:
        self._keys = keys
        self._keyring = keyring
        self._clock = clock

    def issue(self, client_id: str, client_secret: str) -> str | None:
        """Return a token for an API key, or `None` if it is not one of that name."""
        if self._keys.name_of(client_secret) != client_id:
            return None
        until = self._clock() + TOKEN_SECONDS
        value = f"{client_id}~{self._keys.fingerprint(client_id)}~{until}"
        return TOKEN_PREFIX + self._keyring.sign("access", value)

    def name_of(self, token: str) -> str | None:
        """Return the API key's name that a token stands for, or `None` if it is not good now."""
        if not token.startswith(TOKEN_PREFIX):
            return None
        value = self._keyring.unsign("access", token.removeprefix(TOKEN_PREFIX))
        if value is None:
            return None
        name, fingerprint, until = value.split("~")
        is_good = fingerprint == self._keys.fingerprint(name) and self._clock() < int(until)
        return name if is_good else None
