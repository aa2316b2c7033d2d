"""Bytes as text in URLs, cookies and names, with one spelling for each value."""

from __future__ import annotations

import binascii
from typing import Final

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")


def b64(data: bytes) -> str:
    """Write bytes as base64url without padding (RFC 4648 §5)."""
    # Straight from `binascii`: a login does this some thirty times.
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode()


def unb64(text: str) -> bytes | None:
    """Read canonical base64url; `None` for anything else.

    A decoder that forgives gives one value several spellings; we take exactly one.
    """
    try:
        # It reads over what is not of its alphabet, and over too much padding; the comparison below
        # does not. `ValueError` is not ASCII, or a length that no bytes have.
        data = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"==")
    except ValueError:
        return None
    return data if b64(data) == text else None
