"""The secrets of authenticator apps as the database keeps them: encrypted, bound to their row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pwless_middleware.core.keys.stored_secret import Decrypted
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets

if TYPE_CHECKING:
    from pwless_middleware.database.factors.factors import FactorRepository

_PURPOSE: Final = "totp"
_PAGE: Final = 200


class TOTPSecrets:
    """Encrypt secrets, decrypt them, and encrypt them anew after a key was rotated.

    Args:
        secrets: of the feature.
        factors: keeps them.
    """

    def __init__(self, secrets: FeatureSecrets, factors: FactorRepository) -> None:
        self._secrets = secrets
        self._factors = factors

    def encrypt(self, id: str, user_id: str, secret: bytes) -> bytes:
        """Return a secret as it is kept.

        Args:
            id: of the factor.
            user_id: whose.
            secret: in clear.
        """
        return self._secrets.encrypt(_PURPOSE, _context(id, user_id), secret)

    def decrypt(self, id: str, user_id: str, stored: bytes) -> Decrypted | None:
        """Return a secret in clear; `None` where it was changed or moved, or its key is gone."""
        return self._secrets.decrypt(_PURPOSE, _context(id, user_id), stored)

    async def encrypt_anew(self, factor: Factor) -> bool:
        """Encrypt a factor's secret with the newest key; false where it is, or cannot be.

        Raises:
            StoreError: the database cannot be asked.
        """
        opened = self.decrypt(factor.id, factor.user_id, factor.secret)
        if opened is None or opened.is_current:
            return False
        new = self.encrypt(factor.id, factor.user_id, opened.secret)
        return await self._factors.replace_secret(factor.id, old=factor.secret, new=new)

    async def are_lost(self) -> bool:
        """Whether secrets are under a key that is gone.

        The ids are random, so that 200 factors tell of it, however many there are.

        Raises:
            StoreError: the database cannot be asked.
        """
        page = await self._factors.list_secrets("", _PAGE)
        return any(self.decrypt(one.id, one.user_id, one.secret) is None for one in page)

    async def encrypt_all_anew(self) -> int:
        """Encrypt with the newest key what is not, of all people, and return how many they were.

        Raises:
            ConfigError: some cannot be decrypted by any key of the list; all others are done.
            StoreError: the database cannot be asked.
        """
        count, lost, after = 0, 0, ""
        while page := await self._factors.list_secrets(after, _PAGE):
            for factor in page:
                count += await self.encrypt_anew(factor)
                lost += self.decrypt(factor.id, factor.user_id, factor.secret) is None
            after = page[-1].id
        if lost:
            raise ConfigError(
                "secret_key",
                f"no key of the list decrypts the secrets of some authenticator apps ({lost}): "
                "put the one back that they are encrypted under, and try again. All others are "
                "under the newest key",
            )
        return count


def _context(id: str, user_id: str) -> str:
    return f"{id} {user_id}"
