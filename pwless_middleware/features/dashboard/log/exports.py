"""Take the log along: what is looked for, as CSV or as NDJSON, however much it is.

It goes out page by page and holds one page at a time. It may take long, so who it goes to is asked
for anew with each page: an operator who may no longer read it gets no more, and the stream breaks.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pwless_middleware.core.events.event_id import format_number
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.dashboard.log.attempt_page import attempt_to_dict
from pwless_middleware.features.dashboard.log.csv_lines import write_csv_line
from pwless_middleware.features.dashboard.log.filters import LogQuery, read_log_query
from pwless_middleware.features.dashboard.log.list_page import PATH
from pwless_middleware.features.dashboard.log.search import LogSearch, Subject
from pwless_middleware.languages.times import format_iso
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses.event_json import EVENT, public_event
from pwless_middleware.web.responses.responses import EVERYWHERE
from pwless_middleware.web.routing.routes import Route

_PAGE: Final = 500
_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "ndjson": "application/x-ndjson",
}
_EVENT_COLUMNS: Final = tuple(EVENT.fields)
_ATTEMPT_COLUMNS: Final = (
    *("name", "began_at", "ended_at", "outcome", "reason", "user_id", "email", "address"),
    *("organization", "method", "step", "country", "device"),
)
_TIMES: Final = frozenset({"at", "began_at", "ended_at"})

Entry = Mapping[str, object]
"""An event or attempt, ready for JSON."""


class Exports:
    """Send the log as a file.

    Args:
        kit: everything below.
        search: finds attempts and events.
    """

    def __init__(self, kit: Kit, search: LogSearch) -> None:
        self._kit = kit
        self._search = search
        self.routes = (Route(f"{PATH}/export", {"GET": self.send}),)

    async def send(self, request: Request) -> Response:
        """Send what is looked for, the newest first."""
        operator = await self._kit.operators.require(request, "support")
        query = read_log_query(request, tuple(self._kit.events.kinds), "format")
        form = _read_format(request)
        await self._kit.history.catch_up()
        subject = await self._search.find_subject(query)
        # The first page before the answer begins: what is wrong can still be an error.
        first = await self._page(query, subject)
        is_attempts = query.view == "attempts"
        now = datetime.fromtimestamp(self._kit.clock(), UTC).strftime("%Y%m%d-%H%M%S")
        name = f"{'attempts' if is_attempts else 'events'}-{now}.{form}"
        headers = {**EVERYWHERE, "content-disposition": f'attachment; filename="{name}"'}
        if request.method == "HEAD":
            return Response(media_type=_TYPES[form], headers=headers)
        view = "attempts" if is_attempts else "events"
        self._kit.events.record(
            "log.exported", by=operator.by, details={"format": form, "view": view}
        )
        columns = _ATTEMPT_COLUMNS if is_attempts else _EVENT_COLUMNS

        async def may_go_on() -> None:
            await self._kit.operators.require(request, "support")

        entries = self._entries(query, subject, first, may_go_on)
        lines = _csv_lines(entries, columns) if form == "csv" else _json_lines(entries)
        return StreamingResponse(lines, media_type=_TYPES[form], headers=headers)

    async def _entries(
        self,
        query: LogQuery,
        subject: Subject,
        page: tuple[Sequence[Entry], int | None],
        may_go_on: Callable[[], Awaitable[None]],
    ) -> AsyncIterator[Sequence[Entry]]:
        while True:
            entries, next = page
            yield entries
            if next is None:
                return
            await may_go_on()
            page = await self._page(replace(query, before=format_number(next)), subject)

    async def _page(self, query: LogQuery, subject: Subject) -> tuple[Sequence[Entry], int | None]:
        if query.view == "attempts":
            attempts = await self._search.find_attempts(query, subject, _PAGE)
            return [attempt_to_dict(one) for one in attempts.attempts], attempts.next
        events = await self._search.find_events(query, subject, _PAGE)
        return [public_event(one) for one in events.events], events.next


def _read_format(request: Request) -> Literal["csv", "ndjson"]:
    form = request.query_params.get("format", "csv")
    if form == "csv":
        return "csv"
    if form == "ndjson":
        return "ndjson"
    raise InvalidArgument.of("format", Text("Choose one of what is offered."), "enum")


async def _json_lines(pages: AsyncIterator[Sequence[Entry]]) -> AsyncIterator[str]:
    async for entries in pages:
        yield "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)


async def _csv_lines(
    pages: AsyncIterator[Sequence[Entry]], columns: Sequence[str]
) -> AsyncIterator[str]:
    head = write_csv_line(columns)
    async for entries in pages:
        lines = (
            write_csv_line([_cell(name, entry.get(name)) for name in columns]) for entry in entries
        )
        yield head + "".join(lines)
        head = ""


def _cell(name: str, value: object) -> object:
    if name in _TIMES and isinstance(value, str):
        return format_iso(int(value))
    if isinstance(value, list | tuple):
        return " + ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else value
