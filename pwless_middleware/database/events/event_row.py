"""How an event stands in its row: the one place that knows the order of the columns."""

from __future__ import annotations

import json

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_number, parse_event_id
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.database.statement import Row, Value

_NUMBERS = ("wait", "tries", "tries_left", "methods")
"""Fields that are never looked for; they share a column, as JSON."""
_LONGEST = 600
"""Characters of a text: an entry of PostgreSQL's indexes has 2,704 bytes at most."""


def number_of(event: Event) -> int:
    """Return the number of an event's id.

    Raises:
        ValueError: it has none: `flows.events.events.Events` has not made it.
    """
    number = parse_event_id(event.id or "")
    if number is None:
        raise ValueError(f"an event {event.kind!r} without an id: let `Events.make` make it")
    return number


def pack_event(stored: StoredEvent) -> tuple[Value, ...]:
    """Return the values of an event's row.

    Raises:
        ValueError: the event has no id.
    """
    event = stored.event
    numbers = {name: getattr(event, name) for name in _NUMBERS}
    given = {name: value for name, value in numbers.items() if value is not None}
    return (
        number_of(event),
        event.at,
        event.kind,
        clean(event.attempt),
        clean(event.user_id),
        clean(event.organization),
        event.address,
        clean(stored.email),
        clean(event.by),
        clean(event.caller),
        event.client,
        clean(event.device),
        clean(event.method),
        clean(event.session),
        clean(event.reason),
        json.dumps(given) if given else None,
        json.dumps(dict(event.details)) if event.details is not None else None,
        event.country,
    )


def unpack_event(row: Row) -> StoredEvent:
    """Return the event of a row."""
    numbers = json.loads(row[15]) if row[15] is not None else {}
    methods = numbers.get("methods")
    event = Event(
        id=format_number(row[0]),
        at=row[1],
        kind=row[2],
        attempt=row[3],
        user_id=row[4],
        organization=row[5],
        address=row[6],
        by=row[8],
        caller=row[9],
        client=row[10],
        device=row[11],
        country=row[17],
        method=row[12],
        methods=tuple(methods) if methods is not None else None,
        session=row[13],
        reason=row[14],
        wait=numbers.get("wait"),
        tries=numbers.get("tries"),
        tries_left=numbers.get("tries_left"),
        details=json.loads(row[16]) if row[16] is not None else None,
    )
    return StoredEvent(event, row[7])


def clean(text: str | None) -> str | None:
    """Return a text that PostgreSQL takes: one that it refused would hold up all behind it."""
    if text is None or (text.isascii() and "\x00" not in text and len(text) <= _LONGEST):
        return text
    return text[:_LONGEST].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
