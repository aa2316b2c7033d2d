"""What a person has left in the templates of mails: that it was they who edited them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from pwless_middleware.flows.personal_data.personal_data import Record

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.operators.mail_templates import MailTemplateRepository


class MailTemplateData:
    """The versions of templates that a person has made.

    Args:
        templates: keeps them.
    """

    def __init__(self, templates: MailTemplateRepository) -> None:
        self._templates = templates

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through none: the texts are the site's, and their history is in the events."""
        records: tuple[Record, ...] = ()
        for record in records:
            yield record

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget who has made them; the versions stay."""
        await self._templates.erase(user_id)
