"""All pages of the set-up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import RequestExpired
from pwless_middleware.features.sso.connections.provider_forms import ProviderForms
from pwless_middleware.features.sso.setup.access import SetupAccess
from pwless_middleware.features.sso.setup.connection_page import ConnectionPage
from pwless_middleware.features.sso.setup.domain_page import DomainPage
from pwless_middleware.features.sso.setup.frame import SetupFrame
from pwless_middleware.features.sso.setup.overview_pages import OverviewPages
from pwless_middleware.features.sso.setup.provider_page import ProviderPage
from pwless_middleware.features.sso.setup.test_page import BeginTest, TestPage
from pwless_middleware.features.sso.setup.turn_on_page import TurnOnPage
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.routing.routes import Handler, Route

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


def setup_routes(
    kit: Kit,
    floor: OrganizationFloor,
    *,
    begin_test: BeginTest,
    forms: ProviderForms,
) -> tuple[Route, ...]:
    """Return the routes of the set-up.

    Args:
        kit: everything below.
        floor: keeps what is set up.
        begin_test: sends an administrator's browser through a whole login.
        forms: keep what is entered of a provider.
    """
    access, frame = SetupAccess(kit, floor), SetupFrame(kit, floor)
    routes = (
        *OverviewPages(kit, floor, access, frame).routes,
        *ProviderPage(kit, floor, access, frame).routes,
        *ConnectionPage(kit, access, frame, forms).routes,
        *TestPage(kit, access, frame, begin_test).routes,
        *DomainPage(kit, floor, access, frame, floor.verification).routes,
        *TurnOnPage(kit, floor, access, frame).routes,
    )
    return tuple(_with_end(frame, route) for route in routes)


def _with_end(frame: SetupFrame, route: Route) -> Route:
    """Return a route that says in its own words where there is no set-up, or none any more."""

    def say(handler: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestExpired as error:
                return frame.over(request, error)

        return handle

    return replace(route, methods={name: say(one) for name, one in route.methods.items()})
