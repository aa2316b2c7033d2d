"""Bytes as text in URLs, cookies and names, with one spelling for each value."""

from __future__ import annotations

import base64
import binascii


def b64(data: bytes) -> str:
    """Write bytes as base64url without padding (RFC 4648 §5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes | None:
    """Read canonical base64url; `None` for anything else.

    A decoder that forgives gives one value several spellings; we take exactly one.
    """
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    return data if b64(data) == text else None
