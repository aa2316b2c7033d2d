"""Users where nobody keeps a table: ids that are derived from addresses."""

from __future__ import annotations

import hmac

from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import ConfigError

MIN_SALT_BYTES = 16
"""128 bits, where they are random: nobody tries them all (NIST SP 800-131A Rev. 2 asks for 112)."""


class StableUsers:
    """Know everybody: a stable id for each canonical address, and no table at all.

    The id is a labelled SHA-256 of the address: the same in every process, after every restart and
    key rotation. Without a salt whoever guesses an address can compute its id, so an id is as
    personal as the address. Without a table nobody is ever new.

    Args:
        id_salt: at least 16 random bytes as text, under which ids are an HMAC-SHA-256 instead:
            nobody without it can tell whose an id is. Adding or changing it changes every id.
            `None` is none.

    Raises:
        ConfigError: it is short, or no text.
    """

    def __init__(self, id_salt: str | None = None) -> None:
        is_text = isinstance(id_salt, str)
        if id_salt is not None and not (is_text and len(id_salt.encode()) >= MIN_SALT_BYTES):
            raise ConfigError(
                "id_salt",
                "set a random text of at least 16 bytes that never changes, "
                "e.g. of `python -m pwless_middleware secret`",
            )
        self._salt = id_salt.encode() if id_salt is not None else None

    def id_of(self, email: str) -> str:
        """Return the id that belongs to a canonical address."""
        id = digest("user", email)
        if self._salt is not None:
            id = hmac.digest(self._salt, id, "sha256")[: len(id)]
        return b64(id)

    async def find(self, email: str) -> User | None:
        """Return the user that belongs to an address."""
        return User(id=self.id_of(email), email=email)

    create = find

    async def load(self, user_id: str) -> User | None:
        """Return `None`: without a table the session itself carries what there is to know."""
        return None
