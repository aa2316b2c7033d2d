"""Second factors as rows, whose secrets are none: for tests in which nobody proves one."""

from __future__ import annotations

from typing import Any

from pwless_middleware.core.people.factor import Factor, FactorReset, TrustedBrowser

MADE_AT = 1_767_225_600


def make_factor(user_id: str = "jo", number: int = 1, **changes: Any) -> Factor:
    """Return an authenticator app; each number has an id of its own, for all users the same."""
    given: dict[str, Any] = {
        "id": f"{number:022}",
        "user_id": user_id,
        "kind": "totp",
        "name": "Jo's app",
        "secret": b"sealed \x00\xff of " + user_id.encode(),
        "created_at": MADE_AT,
    }
    return Factor(**given | changes)


def make_phone(user_id: str = "jo", number: int = 1, **changes: Any) -> Factor:
    """Return a phone number; each number has one of its own, for all users the same."""
    given: dict[str, Any] = {
        "kind": "sms",
        "name": "Jo's phone",
        "secret": b"",
        "phone": f"+49151000000{number:02}",
    }
    return make_factor(user_id, number, **given | changes)


def make_browser(user_id: str = "jo", number: int = 1, **changes: Any) -> TrustedBrowser:
    """Return a trusted browser; each number has an id of its own, and is younger than the last."""
    given: dict[str, Any] = {
        "id": bytes([number]) * 16,
        "user_id": user_id,
        "address": b"address \x00\xff of jo"[:16],
        "device": "Firefox on Linux",
        "created_at": MADE_AT + number,
        "expires_at": MADE_AT + 1000 + number,
    }
    return TrustedBrowser(**given | changes)


def make_reset(user_id: str = "jo", number: int = 1, **changes: Any) -> FactorReset:
    """Return a reset that is open; each number has an id of its own, and is asked for later."""
    given: dict[str, Any] = {
        "id": bytes([number]) * 16,
        "user_id": user_id,
        "by": "command_line",
        "asked_at": MADE_AT + number,
        "due_at": MADE_AT + 1000 + number,
    }
    return FactorReset(**given | changes)
