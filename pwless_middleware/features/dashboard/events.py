"""The events of the dashboard."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.events.event import EventKind

KINDS: Final = (
    EventKind(
        "operator.added",
        "somebody may use the dashboard; `details` has their role",
        ("user_id", "by", "details"),
        details=("role",),
    ),
    EventKind(
        "operator.changed",
        "an operator has another role; `details` has from which to which",
        ("user_id", "by", "details"),
        details=("from", "to"),
    ),
    EventKind(
        "operator.removed",
        "an operator may no longer use the dashboard; `details` has the role that they had",
        ("user_id", "by", "details"),
        details=("role",),
    ),
    EventKind(
        "delivery.retried",
        "an operator had messages tried again at once; `details` has how many, and which",
        ("by", "details"),
        details=("count", "state", "topics", "why"),
    ),
    EventKind(
        "delivery.dropped",
        "an operator dropped messages; `details` has how many, and which",
        ("by", "details"),
        details=("count", "state", "topics", "why"),
    ),
    EventKind(
        "log.exported",
        "an operator took what the log shows along; `details` has how",
        ("by", "details"),
        details=("format", "view"),
    ),
    EventKind(
        "template.tested",
        "an operator sent a template to themselves, as it was being edited",
        ("by", "details"),
        details=("name", "language"),
    ),
)
"""Every kind that the dashboard records, besides those of what it changes."""
