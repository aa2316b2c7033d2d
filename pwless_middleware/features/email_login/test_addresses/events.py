"""The events of test addresses."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.events.event import CALLER, EventKind

REFUSALS: Final = ("ended", "network", "person", "operator", "other_use", "unreadable")
"""Why the code of a test address opens nothing: it has ended; the caller is in none of its
networks; the address is a person's by now, or an operator's; it was asked for to change an address;
or its code cannot be read, and has to be made anew."""

KINDS: Final = (
    EventKind(
        "test_address.added",
        "an address got a fixed code, for tests; it ends after `wait`",
        ("address", "by", "wait", "details"),
        details=("id", "networks"),
    ),
    EventKind(
        "test_address.changed",
        "a test address got another code, or another end, after `wait`",
        ("address", "by", "wait", "details"),
        details=("id",),
    ),
    EventKind(
        "test_address.removed",
        "a test address was removed, and its sessions have ended",
        ("address", "by", "details"),
        details=("id",),
    ),
    EventKind(
        "test_address.used",
        "somebody signs in by the fixed code, or link, of a test address",
        ("attempt", "address", "details", *CALLER),
        details=("id",),
    ),
    EventKind(
        "test_address.refused",
        "the fixed code of a test address was not taken",
        ("attempt", "address", "reason", "details", *CALLER),
        reasons=REFUSALS,
        details=("id",),
    ),
)
"""Every kind that is recorded of them."""
