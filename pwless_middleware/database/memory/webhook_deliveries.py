"""What is sent to webhooks, in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.operators.webhook import TRIES, DeliveryState, NextTry, WebhookDelivery
from pwless_middleware.database.operators.webhook_deliveries import AT_ONCE

_Key = tuple[str, str]


class MemoryWebhookDeliveries:
    """Keep deliveries (`database.operators.webhook_deliveries.WebhookDeliveryRepository`)."""

    def __init__(self) -> None:
        self._deliveries: dict[_Key, WebhookDelivery] = {}

    async def add(self, deliveries: Sequence[WebhookDelivery]) -> None:
        """Keep new ones; one that is there already stays as it is."""
        for one in deliveries:
            self._deliveries.setdefault((one.webhook_id, one.event_id), one)

    async def find(self, webhook_id: str, event_id: str) -> WebhookDelivery | None:
        """Return a delivery, or `None`."""
        return self._deliveries.get((webhook_id, event_id))

    async def list(
        self,
        webhook_id: str,
        *,
        state: DeliveryState | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[WebhookDelivery]:
        """Return deliveries to a webhook, the newest event first."""
        found = [
            one
            for _, one in sorted(self._deliveries.items(), reverse=True)
            if one.webhook_id == webhook_id
            and state in (None, one.state)
            and (before is None or one.event_id < before)
        ]
        return found[:limit]

    async def take(self, one: NextTry, *, at: int, again_at: int) -> WebhookDelivery | None:
        """Begin a try, if nobody else has."""
        key = one.webhook_id, one.event_id
        there = self._deliveries.get(key)
        if there is None or there.tries != one.tries or there.state != "waiting":
            return None
        self._deliveries[key] = taken = replace(
            there,
            tries=there.tries + 1,
            tries_left=there.tries_left - 1,
            tried_at=at,
            next_at=again_at,
        )
        return taken

    async def settle(self, delivery: WebhookDelivery) -> None:
        """Write how a try ended, unless another one has begun."""
        key = delivery.webhook_id, delivery.event_id
        there = self._deliveries.get(key)
        if there is None or there.tries != delivery.tries or there.state != "waiting":
            return
        self._deliveries[key] = replace(
            there,
            state=delivery.state,
            tries_left=delivery.tries_left,
            next_at=delivery.next_at,
            status=delivery.status,
            fault=delivery.fault,
            answer=delivery.answer,
            milliseconds=delivery.milliseconds,
        )

    async def due(self, *, now: int, again_at: int, limit: int) -> Sequence[NextTry]:
        """Return what is to be tried now, and have it wait until `again_at`."""
        waiting = [
            (one.next_at, key, one)
            for key, one in self._deliveries.items()
            if one.next_at is not None and one.next_at <= now
        ]
        found = [(key, one) for _, key, one in sorted(waiting, key=lambda row: row[:2])[:limit]]
        for key, one in found:
            self._deliveries[key] = replace(one, next_at=again_at)
        return [NextTry(*key, one.tries) for key, one in found]

    async def replay(self, webhook_id: str, event_id: str, *, again_at: int) -> NextTry | None:
        """Have a delivery that is not waiting tried anew, as often as a new one."""
        key = webhook_id, event_id
        there = self._deliveries.get(key)
        if there is None or there.state == "waiting":
            return None
        self._deliveries[key] = replace(there, state="waiting", tries_left=TRIES, next_at=again_at)
        return NextTry(webhook_id, event_id, there.tries)

    async def delete_before(self, webhook_id: str, event_id: str | None) -> bool:
        """Delete up to `AT_ONCE` of a webhook's, whose event is older."""
        found = [
            key
            for key in sorted(self._deliveries)
            if key[0] == webhook_id and (event_id is None or key[1] < event_id)
        ][:AT_ONCE]
        for key in found:
            del self._deliveries[key]
        return len(found) == AT_ONCE

    async def list_about(
        self, user_id: str, *, after: tuple[str, str] = ("", ""), limit: int = AT_ONCE
    ) -> Sequence[WebhookDelivery]:
        """Return deliveries of events about a person, by webhook and event."""
        found = [
            one
            for key, one in sorted(self._deliveries.items())
            if one.user_id == user_id and key > after
        ]
        return found[:limit]

    async def erase(self, user_id: str) -> None:
        """Forget all that tell of a person, or of what they did as an operator."""
        for key, one in list(self._deliveries.items()):
            if user_id == one.user_id or one.by == f"operator:{user_id}"[:100]:
                del self._deliveries[key]
