"""Events as they come, of every process: server-sent events (WHATWG HTML, "Server-sent events").

Every process writes what it records twice a second, and a tail looks twice as often, so it is less
than a second behind. What comes late has an older id than what was sent: a few seconds are looked
at anew each time, by their ids alone, and of a flood only the newest are sent and the others told
by their number.

A tail ends with the session, with the role, with the age that a proof may have, and with the
process. Looking at it keeps nobody signed in. It also ends by itself after a quarter of a minute,
and the browser goes on where it was: servers wait for open answers as they shut down.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pwless_middleware.core.events.event_id import first_number, format_number, parse_event_id
from pwless_middleware.core.events.event_search import EventFilter, StoredEvent
from pwless_middleware.core.operators.operator import covers
from pwless_middleware.database.events.event_row import number_of
from pwless_middleware.errors import InvalidArgument, StoreError, Unavailable
from pwless_middleware.features.dashboard.log.filters import read_log_query
from pwless_middleware.features.dashboard.log.list_page import PATH
from pwless_middleware.features.dashboard.log.rows import EventRow
from pwless_middleware.features.dashboard.log.search import LogSearch
from pwless_middleware.languages.current import current_language, use_language
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import LOOK_SECONDS, Operator
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses.responses import EVERYWHERE
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.database.events.events import EventRepository

LOOK: Final = 0.25
"""Seconds between two looks."""
LATE: Final = 5
"""Seconds by which an event may come after newer ones."""
GAP: Final = 300
"""Seconds of a lost connection after which what came meanwhile is sent when it is there again."""
LASTS: Final = 15.0
"""Seconds after which a tail ends, to be taken up again by the browser."""
AGAIN_MS: Final = 250
"""Milliseconds after which it does so."""
LATER_MS: Final = 5_000
"""Milliseconds after which one comes again for whom there was no room."""
MOST_TAILS: Final = 20
"""In one process; who comes then is asked to come later (security rule 15)."""
MOST_IDS: Final = 5_000
"""Of those few seconds that are looked at: a thousand a second."""
MOST_SENT: Final = 50
"""Events of one look that are sent."""


class LiveTail:
    """Send events as they come.

    Args:
        kit: everything below.
        search: makes a filter of what is asked for.
        events: has them.
        pause: sleeps.
    """

    def __init__(
        self,
        kit: Kit,
        search: LogSearch,
        events: EventRepository,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._kit = kit
        self._search = search
        self._events = events
        self._pause = pause
        self._is_closing = False
        self.open = 0
        """How many there are in this process."""
        self.routes = (Route(f"{PATH}/live", {"GET": self.send}),)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """End the tails with the process."""
        self._is_closing = False
        try:
            yield
        finally:
            self._is_closing = True

    async def send(self, request: Request) -> Response:
        """Send what is looked for, from where the page or the tail before has ended."""
        operator = await self._kit.operators.require(request)
        query = read_log_query(request, tuple(self._kit.events.kinds), "after", view="live")
        if query.view != "live":
            raise InvalidArgument.of("view", Text("Choose one of what is offered."), "enum")
        after = request.headers.get("last-event-id") or request.query_params.get("after", "")
        if after and parse_event_id(after) is None:
            raise InvalidArgument.of("after", Text("This is not the id of an event."), "cursor")
        wanted = self._search.event_filter(query, await self._search.find_subject(query))
        if self.open >= MOST_TAILS or self._is_closing:
            raise Unavailable
        headers = {**EVERYWHERE, "x-accel-buffering": "no"}  # or nginx would hold it back
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=headers)
        chunks = self._chunks(request, operator, wanted, parse_event_id(after) if after else None)
        return StreamingResponse(chunks, media_type="text/event-stream", headers=headers)

    async def _chunks(
        self, request: Request, operator: Operator, wanted: EventFilter, after: int | None
    ) -> AsyncIterator[str]:
        if self.open >= MOST_TAILS:  # of many that came at once, some have begun by now
            yield f"retry: {LATER_MS}\n\n"
            return
        language = current_language()
        ends = asyncio.get_running_loop().time() + LASTS
        self.open += 1
        try:
            seen: set[int] | None = None
            newest = after or 0
            yield f"retry: {AGAIN_MS}\n\n"
            while asyncio.get_running_loop().time() < ends and not self._is_closing:
                try:
                    if not await self._may_look(operator):
                        return
                    start = first_number(self._kit.clock() - LATE)
                    if seen is None and after is not None:  # the connection was lost for longer
                        start = min(start, max(after, start - first_number(GAP)))
                    numbers = await self._events.find_recent(start, MOST_IDS)
                    if seen is None:  # of what there is, what the page had not
                        least = max(numbers, default=start) if after is None else after
                        seen = {number for number in numbers if number <= least}
                    new = [number for number in numbers if number not in seen]
                    found = await self._events.load(new[:MOST_SENT])
                except (StoreError, Unavailable):
                    found, new = [], []  # neither in nor out: nothing is sent until it is known
                else:
                    seen = {number for number in seen if number > start} | {*new}
                with use_language(language):
                    for stored in found:
                        newest = max(newest, number_of(stored.event))
                        if wanted.admits(stored.event):
                            yield self._message(request, stored, newest)
                    if len(new) > MOST_SENT:
                        yield f"event: more\ndata: {len(new) - MOST_SENT}\n\n"
                if not found:
                    yield ": \n\n"  # who has gone is noticed by what cannot be sent
                await self._pause(LOOK)
        finally:
            self.open -= 1

    async def _may_look(self, operator: Operator) -> bool:
        """Whether the session still counts, and its person may still look."""
        accounts, account = self._kit.accounts, operator.account
        if not accounts.surely_in(account.signed, used=False) and not await accounts.is_in(
            account.signed, used=False
        ):
            return False
        role = await self._kit.operators.role_of_account(account)
        is_fresh = accounts.is_fresh(account.session, LOOK_SECONDS)
        return role is not None and covers(role, "view") and is_fresh

    def _message(self, request: Request, stored: StoredEvent, newest: int) -> str:
        row = EventRow.of(stored, self._kit.events.kinds)
        html = self._kit.pages.part(request, "dashboard/log/rows.html", events=[row])
        data = "\n".join(f"data: {line}" for line in html.splitlines() if line)
        return f"id: {format_number(newest)}\n{data}\n\n"
