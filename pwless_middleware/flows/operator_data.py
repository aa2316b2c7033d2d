"""That somebody is or was an operator, as personal data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from pwless_middleware.flows.personal_data import Record

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.operators import OperatorRepository


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
