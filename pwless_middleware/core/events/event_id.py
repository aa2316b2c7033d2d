"""The id of an event: ordered by time, and given where it is recorded.

63 bits: the unix second, then 31 bits that count up from a random start in each process. So writing
an event again is seen to be a repetition, pages follow ids, and two processes meet only where their
counts do within one second. Outside it is 16 hexadecimal digits, whose order as text is the same.
"""

from __future__ import annotations

import re
from typing import Final

_SERIAL_BITS: Final = 31
SERIALS: Final = 1 << _SERIAL_BITS
"""How many ids one second has."""
_LATEST: Final = (1 << 32) - 1
_TEXT: Final = r"[0-7][0-9a-f]{15}"

NEWEST: Final = (1 << 63) - 1
"""No event has a greater number."""


def first_number(at: int) -> int:
    """Return the smallest number that an event of this second can have.

    Args:
        at: unix seconds; what no id can hold is taken for the nearest that one can.
    """
    return min(max(at, 0), _LATEST) << _SERIAL_BITS


def format_event_id(at: int, serial: int) -> str:
    """Return the id of the event with this serial number in a second."""
    return format_number(first_number(at) | serial % SERIALS)


def format_number(number: int) -> str:
    """Return the id for a number."""
    return f"{number:016x}"


def parse_event_id(text: str) -> int | None:
    """Return the number of an id, or `None` where a text is none."""
    return int(text, 16) if re.fullmatch(_TEXT, text) else None


def second_of(number: int) -> int:
    """Return the unix second of an event by the number of its id."""
    return number >> _SERIAL_BITS
