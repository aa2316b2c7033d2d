"""The digest that names things: store keys and user ids."""

from __future__ import annotations

from hashlib import sha256


def digest(label: str, *parts: str) -> bytes:
    """Return the 16-byte unkeyed name of something, under a label."""
    text = "\x00".join(("pwless", label, *parts))
    return sha256(text.encode()).digest()[:16]
