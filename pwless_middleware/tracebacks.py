"""Tracebacks for the log: where it happened, and nothing of what somebody else's text quotes."""

from __future__ import annotations

import traceback


def traceback_without_text(error: BaseException) -> str:
    """Return a traceback for the log without the exception's text.

    The text of somebody else's exception may quote an address, a row or a message (security
    rule 13); frames and type say where to look.
    """
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{frames}{type(error).__module__}.{type(error).__qualname__}"
