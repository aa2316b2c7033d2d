"""What was sent to webhooks about a person, as personal data."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pwless_middleware.flows.events.event_history import EventHistory
from pwless_middleware.flows.personal_data.personal_data import Record

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.operators.webhook_deliveries import WebhookDeliveryRepository
    from pwless_middleware.database.operators.webhooks import WebhookRepository


class WebhookData:
    """The events about a person that were sent to webhooks, or are to be.

    Args:
        webhooks, deliveries: keep them.
        history: erases once more what was on its way to them.
    """

    def __init__(
        self,
        webhooks: WebhookRepository,
        deliveries: WebhookDeliveryRepository,
        history: EventHistory,
    ) -> None:
        self._history = history
        self._webhooks = webhooks
        self._deliveries = deliveries

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through them, by webhook; what the other side answered is not the person's."""
        after = ("", "")
        while page := await self._deliveries.list_about(user_id, after=after):
            for one in page:
                yield {
                    "webhook": one.webhook_id,
                    "state": one.state,
                    "tried_at": one.tried_at,
                    "sent": json.loads(one.body),
                }
            after = (page[-1].webhook_id, page[-1].event_id)

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget them, sent or not, and that the person has made a webhook."""
        await self._deliveries.erase(user_id)
        await self._webhooks.erase(user_id)
        self._history.erase_again(partial(self._deliveries.erase, user_id))
