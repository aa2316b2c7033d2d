"""The delivery of emails and text messages, as features see it: its queue and its health."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from pwless_middleware.core.job import JobCount, Jobs
from pwless_middleware.delivery.outcomes import Channel
from pwless_middleware.delivery.queue import Deliveries
from pwless_middleware.delivery.texts.senders import TextSenders
from pwless_middleware.errors import StoreTimeout

SECONDS: Final = 1.0
"""How long a look at the queue may take: a page waits for it."""


class DeliveryView:
    """Tell what waits, and since when nothing goes out.

    Health is what this process has seen: each one sends, and finds out by itself.

    Args:
        jobs: the queue.
        deliveries: the worker's side of it.
        text_senders: who text messages go through.
        clock: gives unix seconds.
    """

    def __init__(
        self,
        jobs: Jobs,
        deliveries: Deliveries,
        text_senders: TextSenders,
        clock: Callable[[], int],
    ) -> None:
        self._jobs = jobs
        self._deliveries = deliveries
        self._text_senders = text_senders
        self._clock = clock

    @property
    def queue_down_since(self) -> int | None:
        """Since when the queue cannot be asked, unix seconds; `None` where it can."""
        return self._deliveries.queue_down_since

    def down_since(self, channel: Channel = "mail") -> int | None:
        """Return since when messages do not go out on a channel, unix seconds; `None`: they do.

        Text messages never fail where nobody sends any.
        """
        if channel == "sms" and self._text_senders.parallel == 0:
            return None
        return self._deliveries.down_since(channel)

    async def count(self) -> JobCount:
        """Return how many jobs the queue has now.

        Raises:
            StoreError: it could not be asked, or took more than a second to answer.
        """
        try:
            async with asyncio.timeout(SECONDS):
                return await self._jobs.count(now=self._clock())
        except TimeoutError as error:
            raise StoreTimeout("the queue did not answer in time") from error
