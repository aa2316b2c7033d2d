"""Delete what was sent to webhooks when it is old, and what is left of deleted ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.database.operators.webhook_deliveries import WebhookDeliveryRepository
from pwless_middleware.database.operators.webhooks import WebhookRepository

KEPT_DAYS: Final = 30
"""For which what was sent is seen, and can be sent again."""
_PAUSE: Final = 0.1
"""Seconds between two transactions, for who else has to write."""


class OldDeliveries:
    """Delete what is too old.

    Args:
        webhooks, deliveries: keep them.
        clock: returns unix seconds.
        pause: sleeps.
    """

    def __init__(
        self,
        webhooks: WebhookRepository,
        deliveries: WebhookDeliveryRepository,
        clock: Callable[[], int],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._clock = clock
        self._pause = pause

    async def delete(self) -> None:
        """Delete in small parts; cut off anywhere, the next run goes on.

        Raises:
            StoreError: the database cannot be asked.
        """
        oldest = format_event_id(self._clock() - KEPT_DAYS * 86_400, 0)
        for webhook in await self._webhooks.list():
            await self._delete(webhook.id, oldest)
        for id in await self._webhooks.list_deleted():
            await self._delete(id, None)
            await self._webhooks.drop(id)

    async def _delete(self, webhook_id: str, before: str | None) -> None:
        while await self._deliveries.delete_before(webhook_id, before):
            await self._pause(_PAUSE)
