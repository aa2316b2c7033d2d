"""The list of attempts, or of single events, and what can be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.events.event_id import format_number, parse_event_id
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.dashboard.log.filters import (
    SPANS,
    VIEWS,
    LogQuery,
    read_log_query,
)
from pwless_middleware.features.dashboard.log.rows import AttemptRow, EventRow
from pwless_middleware.features.dashboard.log.search import ATTEMPT_NAME, LogSearch, Subject
from pwless_middleware.features.dashboard.log.words import METHODS, OUTCOMES
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route

PATH: Final = "/dashboard/log"
PAGE: Final = 50
"""Attempts or events on one page."""

_SPAN_NAMES: Final = {
    "hour": Text("Last hour"),
    "day": Text("Last day"),
    "week": Text("Last week"),
    "month": Text("Last month"),
    "quarter": Text("Last quarter"),
}


class ListPage:
    """Show the list.

    Args:
        kit: everything below.
        search: finds attempts and events.
    """

    def __init__(self, kit: Kit, search: LogSearch) -> None:
        self._kit = kit
        self._search = search
        self.routes = (Route(PATH, {"GET": self.show}),)

    async def show(self, request: Request) -> Response:
        """Show a page of it; what cannot be asked for is told, and nothing is listed."""
        operator = await self._kit.operators.require(request)
        query = LogQuery()
        await self._kit.history.catch_up()
        try:
            query = read_log_query(request, tuple(self._kit.events.kinds))
            led_to = await self._find_named(query.q)
            if led_to:
                return self._kit.pages.redirect(request, PATH + led_to)
            subject = await self._search.find_subject(query)
        except InvalidArgument as error:
            return await self._page(request, operator, query, error=error)
        if query.view == "attempts":
            return await self._attempts(request, operator, query, subject)
        return await self._events(request, operator, query, subject)

    async def _find_named(self, text: str) -> str:
        """Return the path of what a search names exactly, below the log's; empty for nothing."""
        if parse_event_id(text) is not None and await self._search.load_event(text) is not None:
            return f"/events/{text}"
        if ATTEMPT_NAME.fullmatch(text) and await self._search.load_attempt(text) is not None:
            return f"/{text}"
        return ""

    async def _attempts(
        self, request: Request, operator: Operator, query: LogQuery, subject: Subject
    ) -> Response:
        found = await self._search.find_attempts(query, subject, PAGE)
        now = self._kit.clock()
        rows = [AttemptRow.of(attempt, now) for attempt in found.attempts]
        return await self._page(
            request, operator, query, attempts=rows, next=found.next, is_cut=found.is_cut
        )

    async def _events(
        self, request: Request, operator: Operator, query: LogQuery, subject: Subject
    ) -> Response:
        found = await self._search.find_events(query, subject, PAGE)
        kinds = self._kit.events.kinds
        rows = [EventRow.of(stored, kinds) for stored in found.events]
        return await self._page(
            request, operator, query, events=rows, next=found.next, is_cut=found.is_cut
        )

    async def _page(
        self,
        request: Request,
        operator: Operator,
        query: LogQuery,
        *,
        attempts: Sequence[AttemptRow] = (),
        events: Sequence[EventRow] = (),
        next: int | None = None,
        is_cut: bool = False,
        error: InvalidArgument | None = None,
    ) -> Response:
        is_live = query.view == "live"
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/log/list.html",
            path=PATH,
            status=error.status if error is not None else 200,
            problem=public_message(error) if error is not None else None,
            query=query,
            views=[
                (query.to_query(view=view, before=""), title, view == query.view)
                for view, title in VIEWS.items()
            ],
            attempts=attempts,
            events=events,
            older="" if next is None or is_live else query.to_query(before=format_number(next)),
            exports=[
                (f"/export?format={form}{_more(query)}", name)
                for form, name in (("csv", "CSV"), ("ndjson", "NDJSON"))
            ],
            newest=query.to_query(before="") or "?" if query.before else "",
            is_cut=is_cut and not is_live,
            tail="/live" + query.to_query() if is_live and error is None else "",
            outcomes=[(name, translate(text)) for name, (text, _) in OUTCOMES.items()],
            kinds=sorted(self._kit.events.kinds),
            methods=[(name, translate(text)) for name, text in METHODS.items()],
            spans=[(span, translate(_SPAN_NAMES[span])) for span in SPANS],
        )


def _more(query: LogQuery) -> str:
    """Return what is looked for as the rest of a query string."""
    return query.to_query(before="").replace("?", "&", 1)
