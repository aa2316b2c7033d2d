"""The section: its routes, and its place in the navigation."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pwless_middleware.features.dashboard.log.attempt_page import AttemptPages
from pwless_middleware.features.dashboard.log.exports import Exports
from pwless_middleware.features.dashboard.log.list_page import PATH, ListPage
from pwless_middleware.features.dashboard.log.live import LiveTail
from pwless_middleware.features.dashboard.log.search import LogSearch
from pwless_middleware.features.dashboard.section import DashboardOptions
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.parts.offers import DashboardPage

if TYPE_CHECKING:
    from pwless_middleware.database.repositories import Repositories


class Log:
    """Show what happened.

    Args:
        kit: everything below.
        options: the dashboard's.
    """

    def __init__(self, kit: Kit, options: DashboardOptions) -> None:
        kept = cast("Repositories", kit.repositories)  # which the dashboard has made sure of
        if options.geoip is not None:
            from pwless_middleware.features.dashboard.log.countries import Countries

            kit.events.locate(Countries(options.geoip))
        search = LogSearch(kit, kept)
        self._list = ListPage(kit, search)
        self._attempts = AttemptPages(kit, search)
        self._exports = Exports(kit, search)
        self._tail = LiveTail(kit, search, kept.events)

    def mount(self) -> Mounted:
        """Return the routes and the page."""
        return Mounted(
            routes=(
                *self._list.routes,
                *self._attempts.routes,
                *self._exports.routes,
                *self._tail.routes,
            ),
            lifespan=self._tail.lifespan,
            dashboard_pages=(
                DashboardPage(title=Text("Log"), path=PATH, order=20, icon="log", key="l"),
            ),
        )
