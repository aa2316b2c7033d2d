"""Webhooks in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.operators.webhook import Webhook
from pwless_middleware.database.events.events import new_stand_in
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.operators.webhooks import MOST, WebhookChange


class MemoryWebhooks:
    """Keep webhooks in this process (`database.operators.webhooks.WebhookRepository`).

    Args:
        events: takes the events of changes.
    """

    def __init__(self, events: MemoryEvents) -> None:
        self._events = events
        self._webhooks: dict[str, Webhook] = {}

    async def list(self) -> Sequence[Webhook]:
        """Return all that are not deleted."""
        found = [one for one in self._webhooks.values() if one.deleted_at is None]
        return sorted(found, key=lambda one: (one.created_at, one.id))

    async def find(self, id: str) -> Webhook | None:
        """Return the webhook with this id, if it is not deleted."""
        found = self._webhooks.get(id)
        return found if found is not None and found.deleted_at is None else None

    async def put(
        self, webhook: Webhook, *, seen: int | None, audit: Event | None = None
    ) -> WebhookChange:
        """Keep a webhook."""
        there = self._webhooks.get(webhook.id)
        if seen is None:
            if len(await self.list()) >= MOST:
                return "full"
            if there is not None:
                return "stale"
            webhook = replace(webhook, failing_since=None)
        else:
            if there is None or there.version != seen or there.deleted_at is not None:
                return "stale"
            is_turned_on = webhook.off_reason is None and there.off_reason is not None
            webhook = replace(
                webhook,
                created_at=there.created_at,
                by=there.by,
                failing_since=None if is_turned_on else there.failing_since,
            )
        self._webhooks[webhook.id] = webhook
        if audit is not None:
            self._events.insert(audit)
        return "done"

    async def note_failure(self, id: str, *, at: int) -> None:
        """Note that a try failed."""
        there = self._webhooks.get(id)
        if there is not None and there.failing_since is None:
            self._webhooks[id] = replace(there, failing_since=at)

    async def note_success(self, id: str) -> None:
        """Note that a try succeeded."""
        if id in self._webhooks:
            self._webhooks[id] = replace(self._webhooks[id], failing_since=None)

    async def list_deleted(self) -> Sequence[str]:
        """Return the ids of those that are deleted, and still have a row."""
        return [id for id, one in self._webhooks.items() if one.deleted_at is not None]

    async def drop(self, id: str) -> None:
        """Forget the row of one that is deleted."""
        if id in await self.list_deleted():
            del self._webhooks[id]

    async def erase(self, user_id: str) -> None:
        """Forget who has made webhooks, where it was this person."""
        stand_in = f"operator:{new_stand_in()}"
        for id, one in self._webhooks.items():
            if one.by == f"operator:{user_id}":
                self._webhooks[id] = replace(one, by=stand_in)
