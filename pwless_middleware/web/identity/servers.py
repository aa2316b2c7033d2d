"""Find the backend behind a credential: an API key of code or database, or an access token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pwless_middleware.core.operators.api_key import KEY_PREFIX, ApiKey
from pwless_middleware.web.identity.access_tokens import AccessTokens
from pwless_middleware.web.identity.keys import ConfiguredKeys, Server

if TYPE_CHECKING:  # not loaded where there is no database
    from pwless_middleware.flows.operators.stored_keys import StoredKeys

_STORED = "@"
"""How the name of a key in an access token begins that is one of the database: `@` and its id."""


class Servers:
    """Find backends.

    Args:
        configured: the keys in code.
        stored: those of the database; `None` without one.
        tokens: sign access tokens.
    """

    def __init__(
        self, configured: ConfiguredKeys, stored: StoredKeys | None, tokens: AccessTokens
    ) -> None:
        self._configured = configured
        self._stored = stored
        self._tokens = tokens

    @property
    def names_in_code(self) -> frozenset[str]:
        """The names of the keys in code."""
        return self._configured.names

    async def find(self, credential: str) -> Server | None:
        """Return the backend that has this API key or access token, or `None`.

        Raises:
            StoreError: the database that may have the key cannot be asked.
        """
        if credential.startswith(KEY_PREFIX):
            return await self._find_by_key(credential)
        named = self._tokens.read(credential)
        if named is None:
            return None
        name, key = named
        if not key.startswith(_STORED):
            return self._configured.find_by_fingerprint(name, key)
        if self._stored is None:
            return None
        return _server(await self._stored.find_by_id(key.removeprefix(_STORED)))

    async def issue_token(self, client_id: str, client_secret: str) -> str | None:
        """Return an access token for a key, or `None` if it is not one of that name.

        Raises:
            StoreError: as `find`.
        """
        server = await self._find_by_key(client_secret)
        if server is None or server.name != client_id:
            return None
        return self._tokens.issue(server.name, server.key)

    async def _find_by_key(self, text: str) -> Server | None:
        server = self._configured.find(text)
        if server is None and self._stored is not None:
            server = _server(await self._stored.find(text))
        return server


def _server(key: ApiKey | None) -> Server | None:
    return None if key is None else Server(key.name, f"{_STORED}{key.id}", key.scopes)
