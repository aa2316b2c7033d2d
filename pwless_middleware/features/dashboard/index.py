"""`/dashboard`: leads to the first page that the operator may see."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import NotFound
from pwless_middleware.features.dashboard.section import DashboardOptions
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.routing.routes import Route

PATH = "/dashboard"


class Index:
    """Lead to the first page."""

    def __init__(self, kit: Kit, options: DashboardOptions) -> None:
        self._kit = kit

    def mount(self) -> Mounted:
        """Return its route."""
        return Mounted(routes=(Route(PATH, {"GET": self.lead_on}),))

    async def lead_on(self, request: Request) -> Response:
        """Redirect to the first page of the navigation."""
        operator = await self._kit.operators.require(request)
        for page in self._kit.offers.dashboard_pages:
            if operator.may(page.role):
                return self._kit.pages.redirect(request, page.path)
        raise NotFound
