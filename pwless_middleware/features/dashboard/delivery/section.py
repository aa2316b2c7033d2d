"""The pages of delivery: the queue and the servers, what waits, and what was given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.storage.job import JobCount, JobState, ListedJob
from pwless_middleware.delivery.dns_records import find_records
from pwless_middleware.errors import InvalidArgument, StoreError, Unavailable
from pwless_middleware.features.dashboard.delivery.changes import DeliveryChanges
from pwless_middleware.features.dashboard.delivery.rows import make_job_rows, make_reason_rows
from pwless_middleware.features.dashboard.delivery.sender_domains import SenderDomains
from pwless_middleware.features.dashboard.delivery.server_rows import (
    make_channel_rows,
    make_domain_rows,
    make_server_rows,
)
from pwless_middleware.features.dashboard.delivery.servers import Reports
from pwless_middleware.features.dashboard.section import DashboardOptions
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_ago
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.parts.offers import DashboardPage
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.routing.routes import Route

PATH: Final = "/dashboard/delivery"
PAGE: Final = 50
"""Jobs on one page."""
MOST_DEAD: Final = 1000
"""Dead jobs that a store keeps, and so the most that have one reason."""

_UNKNOWN: Final = Text("The queue does not answer, so nobody knows what waits in it.")
_NOTHING: Final = Text("There was nothing left to do: it has been delivered, dropped or tried.")
_DONE: Final[Mapping[str, Text]] = {
    "tried": Text("It is being tried again now."),
    "dropped": Text("It is dropped, and won’t be sent."),
    "nothing": _NOTHING,
}
"""What a page says after a form has done its work, by what the query says."""
_QUERY: Final = Fields({"done": Field(about="What was done.", one_of=tuple(_DONE))})
_LIST_QUERY: Final = Fields(
    {
        "after": Field(about="Where the page begins.", longest=80),
        "done": Field(about="What was done.", one_of=tuple(_DONE)),
    }
)


class DeliverySection:
    """Show what is to be sent, and let admins try it again or drop it.

    Args:
        kit: everything below.
        options: the dashboard's.
    """

    def __init__(self, kit: Kit, options: DashboardOptions) -> None:
        self._kit = kit
        self._changes = DeliveryChanges(kit)
        self._reports = Reports(kit)
        self._domains = SenderDomains(kit.delivery.sender_domains, find_records, kit.clock)

    def mount(self) -> Mounted:
        """Return the routes, the page, and what goes on beside the requests."""
        return Mounted(
            routes=(
                Route(PATH, {"GET": self.show}),
                Route(f"{PATH}/waiting", {"GET": self.show_waiting}),
                Route(f"{PATH}/dead", {"GET": self.show_dead}),
                Route(f"{PATH}/retry", {"POST": self.retry}),
                Route(f"{PATH}/drop", {"GET": self.show_drop, "POST": self.drop}),
            ),
            dashboard_pages=(
                DashboardPage(
                    title=Text("Delivery"),
                    path=PATH,
                    order=600,
                    group=Text("Operate"),
                    icon="delivery",
                    key="d",
                ),
            ),
            lifespan=self._keep,
        )

    @asynccontextmanager
    async def _keep(self) -> AsyncIterator[None]:
        async with self._reports.keep(), self._domains.keep():
            yield

    # --- to look at ----------------------------------------------------------------------------

    async def show(self, request: Request) -> Response:
        """Show how much waits, how each server does, and what DNS says of the sender."""
        operator = await self._kit.operators.require(request)
        done = read_query(request, _QUERY).text("done")
        count, (report, is_whole) = await asyncio.gather(self._count(), self._reports.read())
        now = self._kit.clock()
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/delivery.html",
            path=PATH,
            count=count,
            oldest=format_ago(count.oldest, now) if count and count.oldest else "",
            channels=make_channel_rows(report),
            servers=make_server_rows(report),
            is_whole=is_whole,
            domains=make_domain_rows(self._domains.reports()),
            notice=translate(_DONE[done]) if done else None,
            problem=None if count is not None else translate(_UNKNOWN),
        )

    async def show_waiting(self, request: Request) -> Response:
        """List what waits: what comes next first."""
        operator = await self._kit.operators.require(request)
        return await self._list(request, operator, "waiting")

    async def show_dead(self, request: Request) -> Response:
        """List what was given up, the last first, and the reasons for it."""
        operator = await self._kit.operators.require(request)
        return await self._list(request, operator, "dead")

    async def _list(self, request: Request, operator: Operator, state: JobState) -> Response:
        query = read_query(request, _LIST_QUERY)
        after, done = query.text("after"), query.text("done")
        is_overview = state == "dead" and not after  # where the reasons of all stand too
        limit = MOST_DEAD if is_overview else PAGE + 1
        jobs: Sequence[ListedJob] | None
        try:
            jobs = await self._kit.delivery.list(state, after=after, limit=limit)
        except ValueError:
            raise InvalidArgument.of("after", Text("There is no such page."), "cursor") from None
        except (StoreError, Unavailable):
            jobs = None
        shown = (jobs or [])[:PAGE]
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/delivery_jobs.html",
            path=PATH,
            state=state,
            jobs=None if jobs is None else make_job_rows(self._kit, shown, is_dead=state == "dead"),
            reasons=make_reason_rows(jobs or ()) if is_overview else [],
            is_first=not after,
            next_after=shown[-1].place if jobs and len(jobs) > PAGE else "",
            notice=translate(_DONE[done]) if done else None,
            problem=None if jobs is not None else translate(_UNKNOWN),
        )

    async def _count(self) -> JobCount | None:
        try:
            return await self._kit.delivery.count()
        except (StoreError, Unavailable):
            return None

    # --- to change -----------------------------------------------------------------------------

    async def retry(self, request: Request) -> Response:
        """Have a job, or all that were given up for a reason, tried again at once."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        wanted = await self._changes.find(await read_form(request))
        count = await self._changes.retry(wanted, by=operator.by)
        return self._lead_back(request, wanted.state, "tried" if count else "nothing")

    async def show_drop(self, request: Request) -> Response:
        """Ask once more before something is dropped."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        wanted = await self._changes.find(self._changes.read_query(request))
        rows = make_job_rows(self._kit, wanted.jobs[:1], is_dead=wanted.state == "dead")
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/delivery_drop.html",
            path=PATH,
            count=len(wanted.jobs),
            fields=wanted.fields,
            job=rows[0] if rows else None,
            back=f"{PATH}/{wanted.state}",
        )

    async def drop(self, request: Request) -> Response:
        """Drop a job, or all that were given up for a reason."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        wanted = await self._changes.find(await read_form(request))
        count = await self._changes.drop(wanted, by=operator.by)
        return self._lead_back(request, wanted.state, "dropped" if count else "nothing")

    def _lead_back(self, request: Request, state: JobState, done: str) -> Response:
        return self._kit.pages.redirect(request, f"{PATH}/{state}?done={done}")
