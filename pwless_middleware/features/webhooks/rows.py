"""Webhooks and their deliveries as the pages show them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.webhook import (
    DeliveryState,
    OffReason,
    Webhook,
    WebhookDelivery,
)
from pwless_middleware.errors import FAULTS
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.numbers import format_number
from pwless_middleware.languages.times import format_iso, format_time
from pwless_middleware.text import Text

STATES: Final[Mapping[DeliveryState, Text]] = {
    "waiting": Text("Waiting"),
    "delivered": Text("Delivered"),
    "failed": Text("Failed"),
}
_TONES: Final[Mapping[DeliveryState, str]] = {
    "waiting": "info",
    "delivered": "good",
    "failed": "bad",
}
_OFF: Final[Mapping[OffReason, Text]] = {
    "operator": Text("Off"),
    "failing": Text("Off: it failed for days"),
    "gone": Text("Off: it answered that it is gone"),
}
_FAULTS: Final = {
    **FAULTS,
    "off": Text("The webhook was off."),
    "lost": Text("No try came to its end: see the log of the app."),
    "secret": Text("No key of the configuration decrypts its secret. Rotate the secret."),
}
"""Why there was no good answer; those of requests, and three of our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRow:
    """A webhook as a page shows it.

    Attributes:
        id, description, by: as they are.
        url: as it is, or its beginning.
        kinds: of events; empty for all.
        is_on: whether events are sent to it.
        state: in words.
        tone: of the words: good, bad, warn.
        version: for a form.
        created_at, created_iso: when it was made.
        failing_at, failing_iso: since when it fails; empty where it does not.
        old_until, old_iso: until when an old secret signs too; empty where none does.
    """

    id: str
    url: str
    description: str
    by: str
    kinds: tuple[str, ...]
    is_on: bool
    state: str
    tone: str
    version: int
    created_at: str
    created_iso: str
    failing_at: str = ""
    failing_iso: str = ""
    old_until: str = ""
    old_iso: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """A delivery as a page shows it.

    Attributes:
        event_id, kind, tries, tries_left, answer: as they are.
        at, iso: when it happened.
        state, tone: what has become of it, in words, and their tone.
        is_waiting: whether it is still to be tried.
        outcome: the last answer, in words; empty before the first try.
        tried_at, tried_iso: when it was tried last; empty before.
        next_at, next_iso: when it is tried next; empty if it is not.
        milliseconds: what the last try took; empty before.
        body: what is sent, with line breaks.
    """

    event_id: str
    kind: str
    tries: int
    tries_left: int
    answer: str
    at: str
    iso: str
    state: str
    tone: str
    is_waiting: bool
    outcome: str
    tried_at: str = ""
    tried_iso: str = ""
    next_at: str = ""
    next_iso: str = ""
    milliseconds: str = ""
    body: str = ""


def show_webhook(webhook: Webhook, *, now: int, with_path: bool) -> WebhookRow:
    """Return a webhook for a page.

    Args:
        webhook: which.
        now: unix seconds.
        with_path: whether all of the URL is shown: with many services whoever has its path may
            write there, so it is a secret to who cannot change it (security rule 62).
    """
    failing = webhook.failing_since if webhook.is_on else None
    if webhook.off_reason is not None:
        state, tone = translate(_OFF[webhook.off_reason]), "bad"
        tone = "" if webhook.off_reason == "operator" else tone
    else:
        state = translate(Text("On") if failing is None else Text("Failing"))
        tone = "good" if failing is None else "warn"
    old = webhook.old_until if webhook.old_secret and now < (webhook.old_until or 0) else None
    return WebhookRow(
        id=webhook.id,
        url=webhook.url if with_path else _without_path(webhook.url),
        description=webhook.description,
        by=webhook.by,
        kinds=webhook.kinds,
        is_on=webhook.is_on,
        state=state,
        tone=tone,
        version=webhook.version,
        created_at=format_time(webhook.created_at),
        created_iso=format_iso(webhook.created_at),
        failing_at=format_time(failing) if failing is not None else "",
        failing_iso=format_iso(failing) if failing is not None else "",
        old_until=format_time(old) if old is not None else "",
        old_iso=format_iso(old) if old is not None else "",
    )


def _without_path(url: str) -> str:
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}/"
    return url if url in (origin, origin[:-1]) else f"{origin}…"


def show_delivery(delivery: WebhookDelivery) -> DeliveryRow:
    """Return a delivery for a page."""
    tried, next_at = delivery.tried_at, delivery.next_at
    return DeliveryRow(
        event_id=delivery.event_id,
        kind=delivery.kind,
        tries=delivery.tries,
        tries_left=delivery.tries_left,
        answer=delivery.answer,
        at=format_time(delivery.at),
        iso=format_iso(delivery.at),
        state=translate(STATES[delivery.state]),
        tone=_TONES[delivery.state],
        is_waiting=delivery.state == "waiting",
        outcome=_outcome(delivery),
        tried_at=format_time(tried) if tried is not None else "",
        tried_iso=format_iso(tried) if tried is not None else "",
        next_at=format_time(next_at) if next_at is not None else "",
        next_iso=format_iso(next_at) if next_at is not None else "",
        milliseconds=format_number(delivery.milliseconds)
        if delivery.milliseconds is not None
        else "",
        body=json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False),
    )


def _outcome(delivery: WebhookDelivery) -> str:
    if delivery.status is not None:
        return translate(Text("Answer %(status)s", status=delivery.status))
    return translate(_FAULTS[delivery.fault]) if delivery.fault in _FAULTS else ""
