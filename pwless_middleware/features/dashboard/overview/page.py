"""The page: numbers, charts, what is down, what would go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.events.event_counters import DAY, start_of
from pwless_middleware.core.events.event_search import EventCount
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.features.dashboard.overview.charts import label_bars
from pwless_middleware.features.dashboard.overview.down import Down, DownParts
from pwless_middleware.features.dashboard.overview.figures import Figures, sum_up
from pwless_middleware.features.dashboard.overview.problems import Problems
from pwless_middleware.features.dashboard.overview.ranges import RANGES, USUAL, Range
from pwless_middleware.features.dashboard.overview.sections import (
    Active,
    describe_emails,
    describe_failures,
    describe_people,
    describe_sign_ins,
)
from pwless_middleware.features.dashboard.section import DashboardOptions
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_iso, format_time
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.parts.offers import DashboardPage
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.database.repositories import Repositories
    from pwless_middleware.web.gates.operators import Operator

PATH: Final = "/dashboard/overview"
SECONDS: Final = 1.5
"""How long the numbers may take; after that the page comes without them (at most 2 s in all)."""
_QUERY: Final = Fields(
    {"range": Field(about="The time that is shown.", example=USUAL, one_of=tuple(RANGES))}
)


class Overview:
    """Show how sign-ins go, and what needs somebody's eyes.

    Args:
        kit: everything below.
        options: the dashboard's.
    """

    def __init__(self, kit: Kit, options: DashboardOptions) -> None:
        self._kit = kit
        self._repositories = cast("Repositories", kit.repositories)  # the dashboard made sure
        self._down = DownParts(kit)
        self._problems = Problems(kit)

    def mount(self) -> Mounted:
        """Return the route and the page."""
        return Mounted(
            routes=(Route(PATH, {"GET": self.show}),),
            dashboard_pages=(
                DashboardPage(
                    title=Text("Overview"),
                    path=PATH,
                    order=10,
                    group="",
                    icon="overview",
                    key="h",
                ),
            ),
        )

    async def show(self, request: Request) -> Response:
        """Show a time, the last week if none is named."""
        operator = await self._kit.operators.require(request)
        name = read_query(request, _QUERY).get("range") or USUAL
        chosen = RANGES[name]
        down, numbers, problems = await asyncio.gather(
            self._down.find(), self._read(chosen), self._problems.find()
        )
        context: dict[str, Any] = {
            "down": [_show(one) for one in down],
            "problems": problems,
            "ranges": [(key, translate(one.title), key == name) for key, one in RANGES.items()],
            "has_numbers": numbers is not None,
            "log": f"/dashboard/log?view=events&span={name}&kind=",
            "steps": [],
        }
        if numbers is not None:
            figures, active = numbers
            are_hours = chosen.span == "hour"
            labels = label_bars(chosen.starts(active.now), are_hours=are_hours)
            context |= {
                "sign_ins": describe_sign_ins(figures, labels, before=chosen.before),
                "failures": describe_failures(figures),
                "emails": describe_emails(figures, labels),
                "people": describe_people(figures, labels, active, are_hours=are_hours),
                "steps": self._steps(operator, active),
            }
        else:
            context["problem"] = translate(
                Text("The database does not answer, so there are no numbers now.")
            )
        return await self._kit.operators.page(
            request, operator, "dashboard/overview.html", path=PATH, **context
        )

    async def _read(self, chosen: Range) -> tuple[Figures, Active] | None:
        """Return the numbers of a time; `None` where the database does not answer in time."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._read_all(chosen)
        except (StoreError, ConfigError, TimeoutError):
            return None

    async def _read_all(self, chosen: Range) -> tuple[Figures, Active]:
        kit, counters = self._kit, self._repositories.event_counters
        await kit.history.catch_up()
        now = kit.clock()
        starts = chosen.starts(now)
        since, until = starts[0] - chosen.bars * chosen.step, starts[-1] + chosen.step
        last_month = start_of("month", start_of("month", now) - DAY)
        reads = [
            counters.read(chosen.span, since, until),
            counters.read("week", start_of("week", now) - 7 * DAY, until),
            counters.read("month", last_month, until),
        ]
        if chosen.span == "hour":
            reads.append(counters.read("day", start_of("day", now) - DAY, until))
        hours, counted = await asyncio.gather(
            self._hours(chosen, since, until), asyncio.gather(*reads)
        )
        people = {
            (each.name.span, each.name.start): each.count
            for each in chain.from_iterable(counted)
            if each.name.label == "people"
        }
        return sum_up(starts, counted[0], hours), Active(people, now)

    async def _hours(self, chosen: Range, since: int, until: int) -> Sequence[EventCount]:
        """Return the counts of hours by method, where bars are hours: days have them themselves."""
        if chosen.span != "hour":
            return ()
        return await self._repositories.events.count(since, until)

    def _steps(self, operator: Operator, active: Active) -> Sequence[tuple[Text, str]]:
        """Return what to do first, and where, as long as nobody but one has signed in."""
        if active.month > 1 or active.last_month > 1:
            return []
        wanted = (
            ("", Text("Sign in as one of your people would, in another browser")),
            ("/dashboard/templates", Text("Give the emails your own words")),
            ("/dashboard/settings", Text("Set name, logo and color, and who may sign in")),
            ("/dashboard/operators", Text("Add somebody who looks after it with you")),
        )
        pages = {page.path for page in self._kit.offers.dashboard_pages if operator.may(page.role)}
        return [(text, path) for path, text in wanted if not path or path in pages]


def _show(down: Down) -> dict[str, str]:
    return {"name": down.name, "iso": format_iso(down.since), "at": format_time(down.since)}
