"""The list of people: by address, by when they came, or those who may not sign in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.people.person import Person
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.dashboard.people.search import (
    VIEWS,
    FoundPeople,
    OwnSearch,
    PeopleQuery,
    PeopleSearch,
    TableSearch,
    View,
)
from pwless_middleware.flows.people.people import People
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_ago, format_iso
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import DashboardPage
from pwless_middleware.web.parts.person_parts import PEOPLE_PATH, has_page, person_path
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route

_DONE: Final[Mapping[str, Text]] = {
    "deleted": Text("Everything about this person is erased."),
}
"""What the page says after a person's own page is there no more."""
_QUERY: Final = Fields(
    {
        "q": Field(about="The beginning of an address, or an id.", longest=254),
        "view": Field(about="What is listed.", one_of=VIEWS),
        "after": Field(about="Where the page begins.", longest=500),
        "before": Field(about="Where the page ends.", longest=500),
        "done": Field(about="What was done.", one_of=tuple(_DONE)),
    }
)
_TITLES: Final[Mapping[View, Text]] = {
    "all": Text("All"),
    "newest": Text("Newest"),
    "disabled": Text("Disabled"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One line of the list; the times as people read them, and as machines do.

    Attributes:
        email, name, id: who it is.
        path: of their page, below the prefix; empty where no path can have their id.
        is_disabled: whether they may not sign in.
        created_at, created_iso, seen_at, seen_iso: empty where it is not known, or never was.
    """

    email: str
    name: str
    id: str
    path: str
    is_disabled: bool
    created_at: str
    created_iso: str
    seen_at: str
    seen_iso: str

    @classmethod
    def of(cls, person: Person, now: int) -> PersonRow:
        """Return a person as they are listed."""
        created = person.created_at or None
        return cls(
            email=person.email,
            name=person.name,
            id=person.id,
            path=person_path(person.id) if has_page(person.id) else "",
            is_disabled=person.is_disabled,
            created_at=format_ago(created, now) if created else "",
            created_iso=format_iso(created) if created else "",
            seen_at=format_ago(person.seen_at, now) if person.seen_at is not None else "",
            seen_iso=format_iso(person.seen_at) if person.seen_at is not None else "",
        )


class ListPage:
    """Show the list.

    Args:
        kit: everything below.
        people: finds those of the database.
    """

    def __init__(self, kit: Kit, people: People) -> None:
        self._kit = kit
        self._is_own = kit.users.keeps_people
        self._search: PeopleSearch = OwnSearch(people) if self._is_own else TableSearch(kit)
        self.dashboard_page = DashboardPage(
            title=Text("People"), path=PEOPLE_PATH, order=30, icon="people", key="p"
        )
        self.routes = (Route(PEOPLE_PATH, {"GET": self.show}),)

    async def show(self, request: Request) -> Response:
        """Show a page of it; what cannot be asked for is told, and nothing is listed."""
        operator = await self._kit.operators.require(request)
        query, done = PeopleQuery(), ""
        try:
            values = read_query(request, _QUERY)
            query = PeopleQuery(
                text=values.text("q"),
                view=cast("View", values.get("view") or "all"),  # one of VIEWS, as the table says
                after=values.text("after"),
                before=values.text("before"),
            )
            done = values.text("done")
            found = await self._search.find(query)
        except InvalidArgument as error:
            return await self._page(request, operator, query, FoundPeople(), error=error)
        return await self._page(request, operator, query, found, done=done)

    async def _page(
        self,
        request: Request,
        operator: Operator,
        query: PeopleQuery,
        found: FoundPeople,
        *,
        done: str = "",
        error: InvalidArgument | None = None,
    ) -> Response:
        now = self._kit.clock()
        base = {name: value for name, value in (("q", query.text), ("view", query.view)) if value}
        if query.view == "all":
            base.pop("view")

        def url(**more: str) -> str:
            given = {name: value for name, value in {**base, **more}.items() if value}
            return f"?{urlencode(given)}" if given else ""

        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/people/list.html",
            path=PEOPLE_PATH,
            status=error.status if error is not None else 200,
            problem=public_message(error) if error is not None else None,
            notice=translate(_DONE[done]) if done in _DONE else None,
            rows=[PersonRow.of(person, now) for person in found.people],
            is_own=self._is_own,
            can_search=self._is_own or self._kit.users.can_search,
            text=query.text,
            view=query.view,
            views=[
                (f"?{urlencode({'view': view})}" if view != "all" else "?", title, view)
                for view, title in _TITLES.items()
            ],
            before=url(before=found.before) if found.before else "",
            after=url(after=found.after) if found.after else "",
            is_first=not (query.after or query.before),
        )
