"""What the settings say of a person: which versions they have made as an operator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from pwless_middleware.flows.personal_data.personal_data import Record

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.operators.settings import SettingsRepository


class SettingsData:
    """The versions of the settings that a person has made.

    Args:
        settings: keeps them.
    """

    def __init__(self, settings: SettingsRepository) -> None:
        self._settings = settings

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through none: settings are the site's, and who changed them is in the events."""
        records: tuple[Record, ...] = ()
        for record in records:
            yield record

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget who has made them. What operators have set stays: it is not about the person."""
        await self._settings.erase(user_id)
