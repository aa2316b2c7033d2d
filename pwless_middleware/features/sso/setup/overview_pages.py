"""The first page of a set-up: what the link leads to, and, once it is open, what is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import NotFound, RequestExpired
from pwless_middleware.features.sso.setup.access import SetupAccess, SetupSession
from pwless_middleware.features.sso.setup.frame import SetupFrame
from pwless_middleware.features.sso.setup.steps import Progress, connection_path
from pwless_middleware.languages.times import format_time
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.setup_links import FIELD, SETUP_PATH, read_setup_token
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


class OverviewPages:
    """Open links, and show what is to be done.

    Args:
        kit: everything below.
        floor: says how far a set-up is.
        access: opens links.
        frame: shows pages.
    """

    def __init__(
        self, kit: Kit, floor: OrganizationFloor, access: SetupAccess, frame: SetupFrame
    ) -> None:
        self._kit = kit
        self._floor = floor
        self._access = access
        self._frame = frame
        self.routes = (Route(SETUP_PATH, {"GET": self.show, "POST": self.open}),)

    async def show(self, request: Request) -> Response:
        """Show what a link leads to, or what is to be done in the set-up of this browser."""
        token = request.query_params.get(FIELD)
        session = await self._access.find(request)
        if session is not None and (token is None or self._is_of(session, token)):
            return await self._overview(request, session)
        if token is None:
            return self._frame.over(request, RequestExpired(_NO_SETUP))
        try:
            _, organization = await self._access.look(token)
        except (NotFound, RequestExpired) as error:
            return self._frame.over(request, error)
        return self._kit.pages.page(
            request,
            "sso/setup/open.html",
            organization_name=organization.name,
            setup_token=token,
        )

    async def open(self, request: Request) -> Response:
        """Open a link in this browser; in the browser that has opened it, go on."""
        token = (await read_form(request)).get(FIELD, "")
        session = await self._access.find(request)
        if session is not None and self._is_of(session, token):
            return self._kit.pages.redirect(request, SETUP_PATH)
        try:
            cookie = await self._access.open(token)
        except (NotFound, RequestExpired) as error:
            return self._frame.over(request, error)
        return self._kit.pages.redirect(request, SETUP_PATH, cookies=[cookie])

    def _is_of(self, session: SetupSession, token: str) -> bool:
        return read_setup_token(self._kit, token) == session.link.id

    async def _overview(self, request: Request, session: SetupSession) -> Response:
        progress = await Progress.of(self._floor, session)
        return await self._frame.page(
            request,
            session,
            "sso/setup/overview.html",
            progress=progress,
            connections=[
                {
                    "name": one.name,
                    "path": connection_path(one.id),
                    "is_enabled": one.is_enabled,
                }
                for one in progress.connections
            ],
            ends=format_time(session.link.expires_at),
        )


_NO_SETUP: Final = Text("There is no set-up in this browser. Open the link that you were given.")
