"""Lengths of time as they are typed: seconds, or a number with a unit."""

from __future__ import annotations

import re
from typing import Final

from pwless_middleware.cli.importing import UsageError

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def read_seconds(option: str, text: str) -> int:
    """Return the seconds of a time: a number, which may have s, m, h or d behind it.

    Args:
        option: whose, for the error.
        text: as it was typed.

    Raises:
        UsageError: it is none.
    """
    found = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text)
    if found is None:
        raise UsageError(f"{option} {text!r}: write a time such as 90d, 12h, 30m or 600")
    return int(found[1]) * _UNITS[found[2] or "s"]
