"""An event as a line for people: when, what, who, and in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from pwless_middleware.core.control_characters import BIDI, CONTROL, LINE_ENDS
from pwless_middleware.core.events.event import EventKind
from pwless_middleware.core.events.event_search import StoredEvent

RED, GREEN, YELLOW, DIM, _PLAIN = "31", "32", "33", "2", "0"
_UNSEEN: Final = re.compile(f"[{CONTROL}{LINE_ENDS}{BIDI}]")
_ENDINGS: Final = {
    "wrong": YELLOW,
    "refused": YELLOW,
    "reached": YELLOW,
    "deferred": YELLOW,
    "failed": RED,
    "dropped": RED,
    "deleted": RED,
    "disabled": RED,
    "created": GREEN,
    "verified": GREEN,
}


def write_line(
    stored: StoredEvent, kinds: Mapping[str, EventKind], *, has_colors: bool, of_attempt: bool
) -> str:
    """Return an event as one line.

    Args:
        stored: the event.
        kinds: say what each means; one that is not there stands as its name alone.
        has_colors: whether for a terminal, with colors.
        of_attempt: whether all lines are of one login, whose name need not be repeated.
    """
    event = stored.event
    declared = kinds.get(event.kind)
    when = datetime.fromtimestamp(event.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    who = stored.email or event.user_id or (f"#{event.address}" if event.address else "-")
    meaning = declared.meaning if declared is not None else ""
    facts = _facts(stored)
    if event.attempt and not of_attempt:
        facts.append(f"login {event.attempt}")
    color = _ENDINGS.get(event.kind.rpartition(".")[2].rpartition("_")[2], "")
    cells = [
        _paint(when, DIM, has_colors),
        _paint(f"{event.kind:<21}", color, has_colors),
        _clean(f"{who:<24}"),
        " · ".join(map(_clean, (text for text in (meaning, *facts) if text))),
    ]
    return "  ".join(cells).rstrip()


def _facts(stored: StoredEvent) -> list[str]:
    event = stored.event
    told = {
        "by": event.by,
        "method": event.method or (" and ".join(event.methods) if event.methods else None),
        "reason": event.reason,
        "wait": f"{event.wait} s" if event.wait is not None else None,
        "tries": event.tries,
        "tries left": event.tries_left,
    }
    # Apart, since a detail may have the name of a fact: `from` is a setting's value, too.
    details = {name: value if value != "" else "-" for name, value in (event.details or {}).items()}
    where = {
        "organization": event.organization,
        "session": event.session,
        "from": event.device,
        "caller": event.caller if event.caller != "browser" else None,
    }
    return [
        f"{name} {value}"
        for facts in (told, details, where)
        for name, value in facts.items()
        if value is not None
    ]


def _paint(text: str, color: str, has_colors: bool) -> str:
    return f"\x1b[{color}m{text}\x1b[{_PLAIN}m" if has_colors and color else text


def _clean(text: str) -> str:
    """Return a text without what a terminal would obey; a mail server may have sent it."""
    return _UNSEEN.sub("\ufffd", text)
