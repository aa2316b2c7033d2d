"""Access tokens for servers: OAuth 2.0 client credentials (RFC 6749 §4.4) over the API keys.

A client written for an OAuth API sends its id and secret once and gets a token for an hour. The
token is signed, so nothing is stored; it names its API key, so that it ends with the key: one that
is taken out of the configuration, revoked or rotated out opens nothing any more, token or not.
"""

from __future__ import annotations

from collections.abc import Callable

from pwless_middleware.core.keys.keyring import Keyring

TOKEN_PREFIX = "pwt_"  # noqa: S105  # how a token begins, not one
TOKEN_SECONDS = 3600
"""Life of an access token: an hour, as in RFC 6749's own examples (§4.4.3)."""


class AccessTokens:
    """Sign access tokens, and read them; whether their key still counts is for `Servers` to say.

    Args:
        keyring: signs the tokens.
        clock: gives unix seconds.
    """

    def __init__(self, keyring: Keyring, clock: Callable[[], int]) -> None:
        self._keyring = keyring
        self._clock = clock

    def issue(self, name: str, key: str) -> str:
        """Return a token for the backend of a name; `key` says which key of it."""
        until = self._clock() + TOKEN_SECONDS
        return TOKEN_PREFIX + self._keyring.sign("access", f"{name}~{key}~{until}")

    def read(self, token: str) -> tuple[str, str] | None:
        """Return the name and the key that a token stands for, or `None` if it is not good now."""
        if not token.startswith(TOKEN_PREFIX):
            return None
        value = self._keyring.unsign("access", token.removeprefix(TOKEN_PREFIX))
        if value is None:
            return None
        name, key, until = value.split("~")
        return (name, key) if self._clock() < int(until) else None
