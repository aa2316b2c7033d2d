"""The last step: turn the login on, and finish the set-up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.paths import LOGIN_PATH
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.sso.setup.access import SetupAccess, SetupSession
from pwless_middleware.features.sso.setup.frame import SetupFrame
from pwless_middleware.features.sso.setup.steps import (
    DOMAINS_PATH,
    PROVIDER_PATH,
    TURN_ON_PATH,
    Progress,
    test_page_path,
)
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


class TurnOnPage:
    """Turn a connection on once its test has worked and a domain is verified.

    Args:
        kit: everything below.
        floor: keeps connections and links.
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
        self.routes = (Route(TURN_ON_PATH, {"GET": self.show, "POST": self.post}),)

    async def show(self, request: Request) -> Response:
        """Show what is still to be done, or the button."""
        return await self._page(request, await self._access.require(request))

    async def post(self, request: Request) -> Response:
        """Turn the connection on, or finish the set-up."""
        session = await self._access.require(request)
        form = await read_form(request)
        if form.get("action") == "finish":
            await self._floor.setup_links.finish(session.link)
            return self._kit.pages.page(
                request,
                "sso/setup/finished.html",
                cookies=[self._access.close()],
                sign_in_url=sign_in_url(self._kit, request, session.organization),
            )
        connection = await self._floor.connections.require(
            session.organization.id, form.get("connection", "")
        )
        progress = await Progress.of(self._floor, session, connection)
        if not [*_lacks(progress)]:
            try:
                await self._floor.connections.enable(connection.id, by=session.by)
            except InvalidArgument as error:
                return await self._page(request, session, error)
        return self._kit.pages.redirect(request, TURN_ON_PATH)

    async def _page(
        self, request: Request, session: SetupSession, error: InvalidArgument | None = None
    ) -> Response:
        progress = await Progress.of(self._floor, session)
        connection, policy = progress.connection, session.organization.policy
        return await self._frame.page(
            request,
            session,
            "sso/setup/turn_on.html",
            step="turn_on",
            progress=progress,
            error=error,
            connection_id=connection.id if connection is not None else "",
            sign_in_url=sign_in_url(self._kit, request, session.organization),
            is_on=connection is not None and connection.is_enabled,
            is_closed=policy.sso == "off",
            is_required=policy.sso == "required",
            lacks=[(path, translate(text)) for path, text in _lacks(progress)],
        )


def sign_in_url(kit: Kit, request: Request, organization: Organization) -> str:
    """Return the sign-in page of an organization, which its people can keep."""
    query = urlencode({"organization": organization.external_id or organization.id})
    return f"{root_path(request)}{kit.prefix}{LOGIN_PATH}?{query}"


def _lacks(progress: Progress) -> Iterator[tuple[str, str]]:
    """Go through what is to be done before a login is turned on: where, and what."""
    connection = progress.connection
    if connection is None:
        yield PROVIDER_PATH, Text("Connect your provider.")
    elif connection.tested_at is None:
        yield test_page_path(connection.id), Text("Test the login: it has to work once.")
    if not progress.has_domain:
        yield DOMAINS_PATH, Text("Verify a domain.")
