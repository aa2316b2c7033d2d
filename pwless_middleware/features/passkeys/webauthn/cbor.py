"""How far a CBOR item reaches, found before anything parses it.

A parser of CBOR makes what the bytes say: a list of as many items as they claim, or a nesting as
deep. Here nothing is made. What an authenticator writes is small, flat, and in CTAP2's canonical
form (CTAP 2.1 §8), which has definite lengths and no tags; all else is refused.
"""

from __future__ import annotations

from typing import Final

MAX_DEPTH: Final = 4
"""Levels of arrays and maps, as many as CTAP2 has; a TPM's attestation has three."""
MAX_ITEMS: Final = 256
"""Items in all."""

_LENGTHS = {24: 1, 25: 2, 26: 4, 27: 8}
"""Bytes of the argument that follow, by the low five bits of the first byte (RFC 8949 §3)."""


def find_end(data: bytes, start: int = 0) -> int:
    """Return where the item that begins at `start` ends.

    Args:
        data: bytes, of which not all need belong to the item.
        start: the offset of its first byte.

    Raises:
        ValueError: the item is cut off, too deep or too long, has a tag or an indefinite length.
    """
    at, seen = start, 0
    # How many items are still to come on each level that is open.
    left = [1]
    while left:
        if left[-1] == 0:
            left.pop()
            continue
        left[-1] -= 1
        seen += 1
        if seen > MAX_ITEMS:
            raise ValueError("too many items")
        major, argument, at = _read_head(data, at)
        if major in (2, 3):  # bytes, text
            at += argument
            if at > len(data):
                raise ValueError("cut off")
        elif major in (4, 5):  # array, map
            if len(left) > MAX_DEPTH or argument > MAX_ITEMS:
                raise ValueError("too deep or too long")
            left.append(argument * (major - 3))
    return at


def _read_head(data: bytes, at: int) -> tuple[int, int, int]:
    """Return an item's major type and argument, and where what follows begins."""
    if at >= len(data):
        raise ValueError("cut off")
    major, low = divmod(data[at], 32)
    at += 1
    if major == 6:
        raise ValueError("a tag")
    if low < 24:
        return major, low, at
    length = _LENGTHS.get(low)
    if length is None:
        raise ValueError("an indefinite length, or a reserved one")
    if at + length > len(data):
        raise ValueError("cut off")
    return major, int.from_bytes(data[at : at + length], "big"), at + length
