"""Numbers as people of any language read them."""

from __future__ import annotations


def format_number(number: int) -> str:
    """Return a number with narrow spaces between its thousands, as ISO 80000-1 has them."""
    return f"{number:,}".replace(",", "\u202f")
