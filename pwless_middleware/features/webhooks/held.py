"""The webhooks, held in this process: each event is compared with all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from pwless_middleware.core.operators.webhook import Webhook
from pwless_middleware.database.operators.webhooks import WebhookRepository
from pwless_middleware.flows.signals.signals import Signals

TOPIC: Final = "webhooks"
"""The topic of the signal."""
HOLD_SECONDS: Final = 30.0
"""For which they are held at most, for the change whose signal cannot reach this process."""


class HeldWebhooks:
    """Hold the webhooks.

    Args:
        repository: keeps them.
        signals: tell that one has changed.
    """

    def __init__(self, repository: WebhookRepository, signals: Signals) -> None:
        self._repository = repository
        self._signals = signals
        self._held: tuple[Sequence[Webhook], float] | None = None
        self._epoch = 0
        signals.subscribe(TOPIC, self.forget)

    async def list(self) -> Sequence[Webhook]:
        """Return all of them.

        Raises:
            StoreError: the database cannot be asked.
        """
        moment = asyncio.get_running_loop().time()
        held = self._held if self._signals.is_live else None
        if held is not None and moment < held[1]:
            return held[0]
        epoch = self._epoch
        found = await self._repository.list()
        # What was changed between the answer and now has changed the epoch.
        if epoch == self._epoch and self._signals.is_live:
            self._held = found, moment + HOLD_SECONDS
        return found

    def forget(self) -> None:
        """Forget them, so that the next one who asks is told what holds now."""
        self._epoch += 1
        self._held = None

    async def tell(self) -> None:
        """Have every process forget them; this one does so at once.

        Raises:
            StoreError: other processes cannot be told, and hold on for 30 more seconds at most.
        """
        self.forget()
        await self._signals.tell(TOPIC)
