"""The events of webhooks. None of them is sent to webhooks: each would bring about the next."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.events.event import EventKind

OWN: Final = "webhook."
"""What the names of these kinds begin with."""
TEST: Final = "webhook.test"
"""What a test is of; nobody records it."""

KINDS: Final = (
    EventKind(
        "webhook.created",
        "an operator made a webhook; `details` has its host, without the path, and its kinds",
        ("by", "details"),
        details=("id", "host", "kinds"),
    ),
    EventKind(
        "webhook.changed",
        "an operator changed a webhook; `details` has host and kinds before and after",
        ("by", "details"),
        details=("id", "from", "to"),
    ),
    EventKind(
        "webhook.secret_rotated",
        "an operator rotated a webhook's secret; the old one also signs for `overlap` seconds",
        ("by", "details"),
        details=("id", "overlap"),
    ),
    EventKind(
        "webhook.turned_on", "an operator turned a webhook on", ("by", "details"), details=("id",)
    ),
    EventKind(
        "webhook.turned_off",
        "a webhook was turned off: by an operator, since it failed for days, or since it is gone",
        ("by", "reason", "details"),
        reasons=("operator", "failing", "gone"),
        details=("id",),
    ),
    EventKind(
        "webhook.deleted",
        "an operator deleted a webhook",
        ("by", "details"),
        details=("id", "host"),
    ),
    EventKind(
        "webhook.replayed",
        "an operator had an event sent to a webhook once more",
        ("by", "details"),
        details=("id", "event"),
    ),
    EventKind(
        "webhook.dropped",
        "so many events were sent to no webhook: too many waited",
        ("details",),
        details=("count",),
    ),
)
"""Every kind that the feature records."""
