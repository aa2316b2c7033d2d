"""One attempt as a story, and one event: the pages that a link can name for good."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.events.attempt import Attempt
from pwless_middleware.core.events.event_id import format_number, second_of
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.errors import NotFound
from pwless_middleware.features.dashboard.log.list_page import PATH
from pwless_middleware.features.dashboard.log.reasons import why_text
from pwless_middleware.features.dashboard.log.rows import (
    AttemptRow,
    EventRow,
    did_fail,
    outcome_of,
)
from pwless_middleware.features.dashboard.log.search import LogSearch
from pwless_middleware.features.dashboard.log.words import IN_PROGRESS
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.organization_parts import ORGANIZATIONS_PATH, organization_path
from pwless_middleware.web.parts.person_parts import PEOPLE_PATH, has_page, person_path
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.event_json import public_event
from pwless_middleware.web.responses.makers import Makers
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.routes import Route

_QUERY = Fields({"format": Field(about="How it is told.", one_of=("json",))})
_GONE = Text("There is no such attempt, or it was so long ago that it has been deleted.")


class AttemptPages:
    """Show the pages.

    Args:
        kit: everything below.
        search: finds attempts and events.
    """

    def __init__(self, kit: Kit, search: LogSearch) -> None:
        self._kit = kit
        self._makers = Makers(kit)
        self._search = search
        self.routes = (
            Route(f"{PATH}/{{attempt}}", {"GET": self.show}),
            Route(f"{PATH}/events/{{id}}", {"GET": self.show_event}),
        )

    async def show(self, request: Request) -> Response:
        """Show an attempt: what came of it, why, and everything that happened; or all as JSON."""
        operator = await self._kit.operators.require(request)
        query = read_query(request, _QUERY)
        await self._kit.history.catch_up()
        attempt, story = await self._load(request)
        if query.get("format") == "json":
            return json_response(_to_json(attempt, story))
        now, kinds = self._kit.clock(), self._kit.events.kinds
        decided = format_number(attempt.decided_by)
        event = next((one.event for one in story if one.event.id == decided), None)
        asked = next((one.event.details for one in story if one.event.details), None) or {}
        began = second_of(attempt.first)
        makers = await self._makers.name(one.event.by for one in story if one.event.by)
        names = await self._search.name_organizations(
            [attempt.organization, *(one.event.organization for one in story)]
        )
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/log/attempt.html",
            path=PATH,
            attempt=AttemptRow.of(attempt, now),
            did_fail=did_fail(attempt) and outcome_of(attempt, now) != IN_PROGRESS,
            why=translate(why_text(attempt.outcome, event)),
            decisive=EventRow.of(StoredEvent(event), kinds) if event is not None else None,
            organization=names.get(attempt.organization or "", attempt.organization or ""),
            organization_path=self._organization_path(attempt.organization, names),
            asked_by=attempt.caller or "",
            language=asked.get("language", ""),
            person=self._person_path(attempt.user_id),
            events=[
                EventRow.of(one, kinds, since=began, makers=makers, organizations=names)
                for one in story
            ],
            json=json.dumps(_to_json(attempt, story), ensure_ascii=False, indent=2),
        )

    async def show_event(self, request: Request) -> Response:
        """Show one event, with everything that it says."""
        operator = await self._kit.operators.require(request)
        stored = await self._search.load_event(request.path_params["id"])
        if stored is None:
            raise NotFound(Text("There is no such event, or it has been deleted."))
        makers = await self._makers.name([stored.event.by] if stored.event.by else [])
        names = await self._search.name_organizations([stored.event.organization])
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/log/event.html",
            path=PATH,
            event=EventRow.of(stored, self._kit.events.kinds, makers=makers, organizations=names),
            person=self._person_path(stored.event.user_id),
            organization=self._organization_path(stored.event.organization, names),
            json=json.dumps(public_event(stored), ensure_ascii=False, indent=2),
        )

    async def _load(self, request: Request) -> tuple[Attempt, Sequence[StoredEvent]]:
        found = await self._search.load_attempt(request.path_params["attempt"])
        if found is None:
            raise NotFound(_GONE)
        return found

    def _person_path(self, user_id: str | None) -> str:
        """Return where a person's page is, below the prefix; empty where there is none."""
        pages = self._kit.offers.dashboard_pages
        if user_id is None or not has_page(user_id):
            return ""
        return person_path(user_id) if any(one.path == PEOPLE_PATH for one in pages) else ""

    def _organization_path(self, id: str | None, names: Mapping[str, str]) -> str:
        """Return where an organization's page is, below the prefix; empty where there is none."""
        pages = self._kit.offers.dashboard_pages
        has_pages = any(one.path == ORGANIZATIONS_PATH for one in pages)
        return organization_path(id) if has_pages and id is not None and id in names else ""


def _to_json(attempt: Attempt, story: Sequence[StoredEvent]) -> dict[str, object]:
    return {
        "attempt": attempt_to_dict(attempt),
        "events": [public_event(stored) for stored in story],
    }


def attempt_to_dict(attempt: Attempt) -> dict[str, object]:
    """Return what an attempt has, ready for JSON; times are unix seconds."""
    told = {
        "name": attempt.name,
        "began_at": str(second_of(attempt.first)),
        "ended_at": str(second_of(attempt.last)),
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "user_id": attempt.user_id,
        "email": attempt.email,
        "address": attempt.address,
        "organization": attempt.organization,
        "method": attempt.method,
        "step": attempt.step,
        "country": attempt.country,
        "device": attempt.device,
    }
    return {name: value for name, value in told.items() if value is not None}
