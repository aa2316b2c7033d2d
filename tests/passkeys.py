"""Passkeys as rows, whose keys are none: for tests in which nobody signs."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from pwless_middleware.core.people.passkey import Passkey

MADE_AT = 1_767_225_600


def handle_of(user_id: str) -> bytes:
    """Return the handle that all passkeys of a user have here."""
    return sha256(user_id.encode()).digest()


def make_passkey(user_id: str = "jo", number: int = 1, **changes: Any) -> Passkey:
    """Return a passkey; each number has an id of its own, for all users the same."""
    given: dict[str, Any] = {
        "id": bytes([number]) * 16,
        "user_id": user_id,
        "user_handle": handle_of(user_id),
        "public_key": b"key \x00\xff of " + user_id.encode(),
        "sign_count": 0,
        "aaguid": "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4",
        "transports": ("hybrid", "internal"),
        "is_synced": True,
        "is_backed_up": True,
        "rp_id": "example.com",
        "name": "Jo's phone",
        "created_at": MADE_AT,
    }
    return Passkey(**given | changes)
