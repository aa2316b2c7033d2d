"""What operators leave as personal data: their role, and what they have made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from pwless_middleware.flows.personal_data.personal_data import Record

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.operators.api_keys import ApiKeyRepository
    from pwless_middleware.database.operators.operators import OperatorRepository
    from pwless_middleware.database.people.test_addresses import TestAddressRepository


class OperatorData:
    """The role that a person has or had in the dashboard.

    Args:
        operators: keeps it.
    """

    def __init__(self, operators: OperatorRepository) -> None:
        self._operators = operators

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through it; who has given it is another person's affair."""
        operator = await self._operators.find(user_id)
        if operator is not None:
            yield {
                "role": operator.role,
                "added_at": operator.added_at,
                "removed_at": operator.removed_at,
            }

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget it."""
        await self._operators.erase(user_id)


class ApiKeyData:
    """The API keys that a person has made, as an operator.

    Args:
        keys: keeps them.
    """

    def __init__(self, keys: ApiKeyRepository) -> None:
        self._keys = keys

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through them by name; what is exported opens nothing."""
        after, by = ("", 0), f"operator:{user_id}"
        while page := await self._keys.list(after=after):
            for key in page:
                if key.by == by:
                    yield {"name": key.name, "id": key.id, "created_at": key.created_at}
            after = page[-1].name, page[-1].generation

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget who has made them; the keys stay, since backends use them."""
        await self._keys.erase(user_id)


class TestAddressData:
    """The test address by which a user was made, whom nobody stands behind.

    Args:
        addresses: keeps it.
    """

    __test__ = False  # its name is a noun to pytest, too

    def __init__(self, addresses: TestAddressRepository) -> None:
        self._addresses = addresses

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through it; its code is nobody's to read."""
        for one in await self._addresses.list():
            if one.user_id == user_id or one.email in addresses:
                yield {
                    "email": one.email,
                    "made_at": one.made_at,
                    "ends_at": one.ends_at,
                    "used_at": one.used_at,
                }

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget it: it opens nothing any more."""
        await self._addresses.erase(user_id, addresses)
