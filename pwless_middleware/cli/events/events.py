"""`events`: show what happened, and follow it.

pwless events --person jo@example.com --since 2d --app main:app
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import (
    add_arguments,
    find_database,
    find_passwordless,
    serve_nobody,
)
from pwless_middleware.errors import InvalidArgument

if TYPE_CHECKING:
    from pwless_middleware.core.events.event_search import StoredEvent
    from pwless_middleware.flows.events.event_history import EventHistory

_PAGE: Final = 500
_POLL: Final = 1.0
"""Seconds between two questions to the database."""
LATE: Final = 5
"""Seconds by which an event may come after newer ones, from a process that wrote later."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def add_to(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "events",
        help="show what happened, and follow it",
        description="Show the events of the database, the oldest first. Times are in UTC.",
    )
    parser.add_argument(
        "--person",
        metavar="WHO",
        help="of one person: an id; an address too, where the keys are known (--app)",
    )
    parser.add_argument("--attempt", metavar="LOGIN", help="of one login: its story")
    parser.add_argument("--kind", action="append", default=[], help="of this kind; may be repeated")
    when = "unix seconds, a date and time in UTC, or how long ago, e.g. 30m, 2d"
    parser.add_argument("--since", metavar="WHEN", help=f"not before: {when}")
    parser.add_argument("--until", metavar="WHEN", help="before: the same")
    parser.add_argument("--last", type=int, default=50, metavar="N", help="how many; default 50")
    parser.add_argument("--all", action="store_true", help="all that there are, not the last")
    parser.add_argument("--follow", action="store_true", help="go on with what happens")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_arguments(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the events.

    Raises:
        UsageError: no database is named, or an option is not what it has to be.
        ConfigError: there is no database, or it can never be used so.
        StoreError: the database cannot be reached.
        AppFailed: the app's own code raised.
    """
    if not 1 <= options.last <= 100_000:
        raise UsageError("--last: 1 to 100000; --all prints all")
    try:
        asyncio.run(_run(options))
        sys.stdout.flush()
    except KeyboardInterrupt:  # how --follow ends
        pass
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


async def _run(options: argparse.Namespace) -> None:
    async with _open(options) as history:
        show = _printer(options, history)
        try:
            filters = await _filters(options, history)
            newest = ""
            async for stored in _existing(history, filters, options):
                show(stored)
                newest = stored.event.id or ""
            if options.follow:
                async for stored in follow(history, filters, newest, pause=asyncio.sleep):
                    show(stored)
        except InvalidArgument as error:
            raise UsageError(error.public_message) from None


@asynccontextmanager
async def _open(options: argparse.Namespace) -> AsyncIterator[EventHistory]:
    """Hold the history open: with the keys where the whole configuration is named."""
    if options.app is not None or os.environ.get("PWLESS_BASE_URL"):
        async with serve_nobody(find_passwordless(options)) as passwordless:
            yield passwordless.events
        return
    from pwless_middleware.database.events.events import SQLEvents
    from pwless_middleware.flows.clock import make_clock
    from pwless_middleware.flows.events.event_history import EventHistory
    from pwless_middleware.flows.events.events import Events

    database = find_database(options)
    try:
        await database.open()
        yield EventHistory(Events(None, make_clock(None)), SQLEvents(database))
    finally:
        await database.aclose()


def _printer(options: argparse.Namespace, history: EventHistory) -> Callable[[StoredEvent], None]:
    from pwless_middleware.cli.events.event_text import write_line

    is_terminal = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def show(stored: StoredEvent) -> None:
        if options.json:
            text = json.dumps(stored.to_dict())
        else:
            text = write_line(
                stored,
                history.kinds,
                has_colors=is_terminal,
                of_attempt=options.attempt is not None,
            )
        print(text, flush=options.follow)

    return show


async def _filters(options: argparse.Namespace, history: EventHistory) -> Mapping[str, Any]:
    """Return what `EventHistory.find` is asked for.

    A person is who has the id, or all that happened at the address and to whom it belonged last.
    """
    now = int(time.time())
    for kind in options.kind:
        if kind not in history.kinds:
            names = ", ".join(sorted(history.kinds))
            raise UsageError(f"--kind: there is no {kind!r}, but {names}")
    filters: dict[str, Any] = {
        "kind": options.kind,
        "attempt": options.attempt,
        "since": parse_when("--since", options.since, now),
        "until": parse_when("--until", options.until, now),
    }
    if options.person is not None and "@" in options.person:
        if options.app is None and not os.environ.get("PWLESS_BASE_URL"):
            raise UsageError(
                "--person: an address is found by its digest, which needs the keys: "
                "add --app module:app, or name the person's id"
            )
        filters["address"] = options.person
        page = await history.find(
            address=options.person, kind=["session.created", "session.renewed"], limit=1
        )
        if page.events:
            filters["user_id"] = page.events[0].event.user_id
    elif options.person is not None:
        filters["user_id"] = options.person
    return filters


async def _existing(
    history: EventHistory, filters: Mapping[str, Any], options: argparse.Namespace
) -> AsyncIterator[StoredEvent]:
    """Go through what there is, the oldest first."""
    if options.all or options.attempt is not None:
        after: str | None = ""
        while after is not None:
            page = await history.find(**filters, after=after, limit=_PAGE)
            for stored in page.events:
                yield stored
            after = page.next
        return
    found: list[StoredEvent] = []
    before: str | None = None
    while len(found) < options.last:
        limit = min(_PAGE, options.last - len(found))
        page = await history.find(**filters, before=before, limit=limit)
        found += page.events
        before = page.next
        if before is None:
            break
    for stored in reversed(found):
        yield stored


async def follow(
    history: EventHistory,
    filters: Mapping[str, Any],
    newest: str,
    *,
    pause: Callable[[float], Any],
) -> AsyncIterator[StoredEvent]:
    """Go through what happens from now on; never ends.

    Args:
        history: where.
        filters: as `EventHistory.find` takes them.
        newest: id of the newest one that is known; empty where there is none.
        pause: sleeps.
    """
    from pwless_middleware.core.events.event_id import first_number, format_number, parse_event_id

    # What comes late has an older id than what was seen: a few seconds are read again.
    late = first_number(LATE)
    seen: set[str] = set()
    known = newest
    while True:
        start = format_number(max((parse_event_id(newest) or 0) - late, 0))
        seen = {id for id in seen if id >= start}
        after: str | None = start
        while after is not None:
            page = await history.find(**filters, after=after, limit=_PAGE)
            for stored in page.events:
                id = stored.event.id or ""
                if id in seen:
                    continue
                seen.add(id)
                if id > known:
                    newest = max(newest, id)
                    yield stored
            after = page.next
        known = ""  # what is older and new from now on came late
        await pause(_POLL)


def parse_when(option: str, text: str | None, now: int) -> int | None:
    """Return the unix second that an option names; `None` for none.

    Raises:
        UsageError: it is no time.
    """
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,10}", text):
        return int(text)
    ago = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    if ago is not None:
        return max(0, now - int(ago[1]) * _UNITS[ago[2]])
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option}: set unix seconds, 2026-12-31T18:00, or 30m, 2h, 7d") from None
    return int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp())
