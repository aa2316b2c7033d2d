"""The secrets of connections: encrypted for their rows, and in clear for who signs people in.

They are client secrets and private keys. Nobody else is given one in clear: no page, no answer, and
not the host's own code (security rule 56).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pwless_middleware.errors import ConfigError, InvalidArgument
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.database.organizations.connections import ConnectionRepository

MOST_SECRET: Final = 8_192
"""Bytes of a client secret or private key."""
_PURPOSE: Final = "connection"


class ConnectionSecrets:
    """Encrypt and decrypt the secrets of connections.

    Args:
        repository: keeps them, encrypted.
        secrets: encrypt them.
    """

    def __init__(self, repository: ConnectionRepository, secrets: FeatureSecrets) -> None:
        self._connections = repository
        self._secrets = secrets

    def encrypt(self, id: str, secret: bytes) -> bytes:
        """Return what is kept of a client secret or private key.

        Args:
            id: of its connection, which it can be decrypted for alone.
            secret: in clear, 1 to 8,192 bytes.

        Raises:
            InvalidArgument: it is empty or too long.
            ConfigError: the extra `[crypto]` is not installed.
        """
        if not 1 <= len(secret) <= MOST_SECRET:
            problem = Text("Send %(least)s to %(most)s characters.", least=1, most=MOST_SECRET)
            raise InvalidArgument.of("secret", problem, "length")
        return self._secrets.encrypt(_PURPOSE, id, secret)

    async def of(self, id: str) -> bytes | None:
        """Return the client secret or private key of a connection in clear, to sign people in by.

        `None` where it has none, or no key of the list decrypts it any more.

        Raises:
            StoreError: the database cannot be asked.
        """
        stored = await self._connections.secret_of(id)
        if stored is None:
            return None
        opened = self._secrets.decrypt(_PURPOSE, id, stored)
        return None if opened is None else opened.secret

    async def rewrap(self) -> int:
        """Encrypt with the newest key what is not, and return how many secrets that were.

        Raises:
            ConfigError: some cannot be decrypted by any key of the list; all others are done.
            StoreError: the database cannot be asked.
        """
        count, lost, after = 0, list[str](), ""
        while page := await self._connections.list_secrets(after=after):
            for id, stored in page:
                opened = self._secrets.decrypt(_PURPOSE, id, stored)
                if opened is None:
                    lost.append(id)
                elif not opened.is_current:
                    new = self._secrets.encrypt(_PURPOSE, id, opened.secret)
                    # What somebody changes meanwhile is under the newest key by that.
                    count += await self._connections.replace_secret(id, stored, new)
            after = page[-1][0]
        if lost:
            raise ConfigError(
                "secret_key",
                "no key of the list decrypts the secrets of some connections "
                f"({', '.join(lost)}): put the one back that they are encrypted under, and try "
                "again, or enter those secrets anew. All others are under the newest key",
            )
        return count
