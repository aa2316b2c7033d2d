"""How codes look: 6 digits, or 8 letters."""

from __future__ import annotations

from typing import Literal

CodeStyle = Literal["standard", "high"]

# Letters that are hard to misread, without vowels so that no word appears (RFC 8628 §6.1).
HIGH_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"


def code_of_number(number: int, style: CodeStyle) -> str:
    """Return the bare code that a random number of 64 bits stands for.

    The modulo's bias is below 2**-29: 64 bits are reduced to at most 35.
    """
    if style == "standard":
        return f"{number % 1_000_000:06d}"
    letters = []
    for _ in range(8):
        number, index = divmod(number, len(HIGH_ALPHABET))
        letters.append(HIGH_ALPHABET[index])
    return "".join(letters)


def format_code(code: str, style: CodeStyle) -> str:
    """Return a bare code as the mail shows it."""
    return f"{code[:4]}-{code[4:]}" if style == "high" else code
