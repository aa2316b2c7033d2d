"""Choose an identity provider: a connection for it is made, which nobody signs in by yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.sso.setup.access import SetupAccess
from pwless_middleware.features.sso.setup.frame import SetupFrame
from pwless_middleware.features.sso.setup.providers import PROVIDERS, Provider
from pwless_middleware.features.sso.setup.steps import (
    PROVIDER_PATH,
    Progress,
    connection_path,
)
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.core.organizations.connection import Connection
    from pwless_middleware.features.sso.setup.access import SetupSession
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


class ProviderPage:
    """Show the providers, and make a connection to the one that is chosen.

    Args:
        kit: everything below.
        floor: keeps connections.
        access: knows the set-up of a browser.
        frame: shows pages.
    """

    def __init__(
        self, kit: Kit, floor: OrganizationFloor, access: SetupAccess, frame: SetupFrame
    ) -> None:
        self._kit = kit
        self._floor = floor
        self._access = access
        self._frame = frame
        self.routes = (Route(PROVIDER_PATH, {"GET": self.show, "POST": self.choose}),)

    async def show(self, request: Request) -> Response:
        """Show the providers."""
        return await self._page(request, await self._access.require(request))

    async def choose(self, request: Request) -> Response:
        """Make a connection to a provider, or go on with one that nothing was entered of yet."""
        session = await self._access.require(request)
        provider = PROVIDERS.get((await read_form(request)).get("provider", ""))
        if provider is None:
            error = InvalidArgument.of("provider", Text("Choose one of these."), "enum")
            return await self._page(request, session, error)
        try:
            connection = await self._connection(session, provider)
        except InvalidArgument as error:
            return await self._page(request, session, error)
        return self._kit.pages.redirect(request, connection_path(connection.id))

    async def _connection(self, session: SetupSession, provider: Provider) -> Connection:
        """Return a connection for the provider.

        One that was chosen before, and that nothing was entered of, is not left behind: it becomes
        this one, or goes where the protocol is another.
        """
        config, name = {"preset": provider.id}, provider.name or session.organization.name
        progress = await Progress.of(self._floor, session)
        for one in progress.connections:
            if one.config.keys() != {"preset"} or one.has_secret or one.is_enabled:
                continue
            if one.kind == provider.kind:
                return await self._floor.connections.change(
                    one.id, name=name, config=config, by=session.by
                )
            await self._floor.connections.delete(one.id, by=session.by)
        return await self._floor.connections.create(
            session.organization.id, provider.kind, name, config=config, by=session.by
        )

    async def _page(
        self, request: Request, session: SetupSession, error: InvalidArgument | None = None
    ) -> Response:
        return await self._frame.page(
            request,
            session,
            "sso/setup/provider.html",
            step="provider",
            error=error,
            providers=[
                {"name": one.id, "title": translate(one.title)} for one in PROVIDERS.values()
            ],
        )
