"""The code of a test address, and the token of its link, as the database keeps them: encrypted."""

from __future__ import annotations

import json
from dataclasses import field
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.test_address import TestAddress, new_code, new_token
from pwless_middleware.core.challenges.codes import CodeStyle
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets

if TYPE_CHECKING:
    from pwless_middleware.database.people.test_addresses import TestAddressRepository

_PURPOSE: Final = "test_address"


@dataclass(frozen=True, slots=True)
class TestSecret:
    """What signs somebody in as a test address.

    Attributes:
        style: of the code.
        code: bare.
        token: of the link.
    """

    __test__ = False  # its name is a noun to pytest, too

    style: CodeStyle
    code: str = field(repr=False)
    token: str = field(repr=False)


class TestSecrets:
    """Make secrets, encrypt and decrypt them.

    Args:
        secrets: of the feature.
        repository: keeps them.
    """

    __test__ = False

    def __init__(self, secrets: FeatureSecrets, repository: TestAddressRepository) -> None:
        self._secrets = secrets
        self._repository = repository

    def make(self, id: str, style: CodeStyle) -> tuple[TestSecret, bytes]:
        """Return a new secret, in clear and as it is kept."""
        secret = TestSecret(style, new_code(style), new_token(id))
        return secret, self._encrypt(id, secret)

    def read(self, address: TestAddress) -> TestSecret | None:
        """Return a secret in clear; `None` where it was changed or moved, or its key is gone."""
        opened = self._secrets.decrypt(_PURPOSE, address.id, address.secret)
        return None if opened is None else TestSecret(*json.loads(opened.secret))

    async def encrypt_all_anew(self) -> int:
        """Encrypt with the newest key what is not, and return how many they were.

        Raises:
            ConfigError: some cannot be decrypted by any key of the list; all others are done.
            StoreError: the database cannot be asked.
        """
        count, lost = 0, 0
        for address in await self._repository.list():
            opened = self._secrets.decrypt(_PURPOSE, address.id, address.secret)
            if opened is None:
                lost += 1
            elif not opened.is_current:
                new = self._encrypt(address.id, TestSecret(*json.loads(opened.secret)))
                count += await self._repository.replace(address.id, secret=new, ends_at=None)
        if lost:
            raise ConfigError(
                "secret_key",
                f"no key of the list decrypts the codes of some test addresses ({lost}): put the "
                "one back that they are encrypted under, or give those addresses new codes. All "
                "others are under the newest key",
            )
        return count

    def _encrypt(self, id: str, secret: TestSecret) -> bytes:
        text = json.dumps([secret.style, secret.code, secret.token])
        return self._secrets.encrypt(_PURPOSE, id, text.encode())
