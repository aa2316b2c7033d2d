"""Instants, as SAML writes them: `2026-11-29T15:40:41Z` (SAML 2.0 Core section 1.3.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_INSTANT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,20})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)


def read_instant(text: str | None) -> int | None:
    """Return unix seconds, or `None` where the text is no instant.

    One without a time zone is UTC: all of SAML's are.
    """
    found = _INSTANT.fullmatch(text or "")
    if found is None:
        return None
    zone = found[3] or "Z"
    try:
        return int(datetime.fromisoformat(found[1] + zone.replace("Z", "+00:00")).timestamp())
    except (ValueError, OverflowError):
        return None


def format_instant(at: int) -> str:
    """Return unix seconds as SAML writes them."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
