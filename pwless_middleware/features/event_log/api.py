"""The `events` resource of the JSON API, for servers: one page, or all of it line by line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pwless_middleware.core.events.event_kinds import KINDS
from pwless_middleware.errors import Unauthenticated
from pwless_middleware.flows.events.event_history import MOST, EventPage
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.fields import Field, Fields, Values
from pwless_middleware.web.requests.queries import PRINTABLE, read_query
from pwless_middleware.web.responses.event_json import EVENT, public_event
from pwless_middleware.web.responses.responses import EVERYWHERE, json_response
from pwless_middleware.web.routing.operations import API_KEY, Operation
from pwless_middleware.web.routing.routes import Route

NDJSON: Final = "application/x-ndjson"
_PAGE: Final = 100


class EventsApi:
    """Answer the `events` resource.

    Args:
        kit: the feature's.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.routes = (Route("/api/v1/events", {"GET": self.list}, "api", {"GET": _LIST}),)

    async def list(self, request: Request) -> Response:
        """Return a page of events, or a stream of all that follow, for who accepts that."""
        await self._kit.callers.server(request, scope="events")
        query = read_query(request, self._fields())
        limit = query.integer("limit")
        if not _accepts_lines(request):
            page = await self._find(query, query.get("before"), query.get("after"), limit or _PAGE)
            answer: dict[str, object] = {"events": [public_event(stored) for stored in page.events]}
            if page.next is not None:
                answer["next"] = page.next
            return json_response(answer)
        # The first page before the answer begins: what is wrong can still be an error.
        first = await self._find(query, query.get("before"), query.get("after"), limit or MOST)
        lines = self._lines(request, query, first, limit)
        if request.method == "HEAD":
            return Response(media_type=NDJSON, headers=EVERYWHERE)
        return StreamingResponse(lines, media_type=NDJSON, headers=EVERYWHERE)

    async def _lines(
        self, request: Request, query: Values, page: EventPage, limit: int | None
    ) -> AsyncIterator[str]:
        is_newest_first = query.get("after") is None
        while True:
            for stored in page.events:
                yield json.dumps(public_event(stored), ensure_ascii=False) + "\n"
            if page.next is None or limit is not None:
                return
            # It may take hours, and a key that is revoked meanwhile gets no more: it is cut off.
            await self._kit.callers.server(request, scope="events")
            before, after = query.get("before"), page.next
            if is_newest_first:
                page = await self._find(query, page.next, None, MOST)
            else:
                page = await self._find(query, before, after, MOST)

    async def _find(
        self, query: Values, before: str | None, after: str | None, limit: int
    ) -> EventPage:
        return await self._kit.history.find(
            kind=query.get("kind") or (),
            attempt=query.get("attempt"),
            user_id=query.get("user_id"),
            address=query.get("address"),
            organization=query.get("organization"),
            method=query.get("method"),
            country=query.get("country"),
            since=query.integer("since"),
            until=query.integer("until"),
            before=before,
            after=after,
            limit=limit,
        )

    def _fields(self) -> Fields:
        """Return the table with the kinds of all features, which are there by now."""
        kind = replace(_QUERY.fields["kind"], one_of=tuple(self._kit.events.kinds))
        return Fields({**_QUERY.fields, "kind": kind})


def _accepts_lines(request: Request) -> bool:
    accepted = ",".join(request.headers.getlist("accept")).split(",")
    return NDJSON in (one.partition(";")[0].strip().lower() for one in accepted)


def _text(about: str, example: str, longest: int = 200) -> Field:
    also = {"pattern": PRINTABLE}
    return Field(about=about, example=example, shortest=1, longest=longest, also=also)


def _time(about: str) -> Field:
    return Field(kind="integer", about=about, example=1767225600, least=0, most=2**32 - 1)


def _id(about: str) -> Field:
    also = {"pattern": "^[0-7][0-9a-f]{15}$"}
    return Field(about=about, example="34ab5c8000000001", shortest=16, longest=16, also=also)


_QUERY = Fields(
    {
        "kind": Field(about="Of one kind; features may add more.", one_of=tuple(KINDS)),
        "attempt": _text("Of one login.", "8Vx1zJ0a"),
        "user_id": _text("Of one user; with `address`, of the user or the address.", "u-1024"),
        "address": Field(
            about="Of one address.",
            example="jo@example.com",
            shortest=1,
            longest=254,
            also={"format": "email"},
        ),
        "organization": _text("Of one organization, by its id.", "o-7"),
        "method": _text("That name one method.", "passkey"),
        "country": _text("Of clients in one country, ISO 3166-1.", "DE", 2),
        "since": _time("From this unix second on."),
        "until": _time("Before this unix second."),
        "before": _id("Older than the event with this id."),
        "after": _id("Newer than the event with this id; the oldest first."),
        "limit": Field(
            kind="integer",
            about="How many at most; 100, or as lines all of them, if it is not sent.",
            example=100,
            least=1,
            most=MOST,
        ),
    }
)
_LIST = Operation(
    id="listEvents",
    summary="What happened, the newest first",
    about=f"With `Accept: {NDJSON}` one event a line: all that there are, or `limit` of them.",
    security=((API_KEY,),),
    query=_QUERY,
    answers={
        200: Fields(
            {
                "events": Field(
                    kind="objects", about="A page of events.", required=True, fields=EVENT
                ),
                "next": Field(
                    about="For `before`, or `after`, of the next page; absent on the last.",
                    example="34ab5c8000000001",
                ),
            }
        )
    },
    lines=NDJSON,
    errors=(Unauthenticated,),
)
