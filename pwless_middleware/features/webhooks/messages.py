"""The message that tells of an event: JSON, the same bytes with each try."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.operators.webhook import WebhookDelivery
from pwless_middleware.features.webhooks.events import TEST

_STAYS: Final = frozenset(("at", "kind", "address", "client"))
"""What is told otherwise, and the digests: they tell nobody else anything, and could be matched."""
MESSAGE: Final = "msg_"


def make_delivery(event: Event, webhook_id: str, *, look_at: int) -> WebhookDelivery:
    """Return an event on its way to a webhook.

    Args:
        event: one that has an id.
        webhook_id: where to.
        look_at: unix seconds at which it is looked at, should nobody try it at once.
    """
    data = {name: value for name, value in event.to_dict().items() if name not in _STAYS}
    return WebhookDelivery(
        webhook_id=webhook_id,
        event_id=event.id or "",
        kind=event.kind,
        at=event.at,
        body=_write(event.kind, event.at, data),
        user_id=event.user_id,
        by=event.by,
        next_at=look_at,
    )


def make_test(webhook_id: str, event_id: str, *, at: int, look_at: int) -> WebhookDelivery:
    """Return a test of a webhook, which tells of no event."""
    body = _write(TEST, at, {"id": event_id, "message": "This is a test. It works."})
    return WebhookDelivery(
        webhook_id=webhook_id, event_id=event_id, kind=TEST, at=at, body=body, next_at=look_at
    )


def _write(kind: str, at: int, data: Mapping[str, object]) -> str:
    timestamp = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    message = {"type": kind, "timestamp": timestamp, "data": data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
