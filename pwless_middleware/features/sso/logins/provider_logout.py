"""Sign out of the company's login too: who uses somebody else's computer stays signed in there.

By OpenID Connect RP-Initiated Logout 1.0, where the provider offers it. The ID token of the login
is not kept for it, so the provider may ask the person once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.organizations.connection import Connection, connection_of
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.logins.protocols import Protocols
from pwless_middleware.features.sso.paths import LOGOUT_PATH
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import Alternative
from pwless_middleware.web.responses.responses import EVERYWHERE, SIGNED_OUT, with_cookies
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


class ProviderLogout:
    """End a session, and lead to the provider's own logout.

    Args:
        kit: everything below.
        floor: keeps connections.
        protocols: ask providers.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor, protocols: Protocols) -> None:
        self._kit = kit
        self._floor = floor
        self._protocols = protocols
        self.routes = (Route(LOGOUT_PATH, {"POST": self.logout}),)

    async def ask(self, request: Request, session: Session) -> Alternative | None:
        """Offer it, to who has signed in by OpenID Connect."""
        connection = await self._connection(session)
        if connection is None:
            return None
        title = Text("Sign out of %(name)s too", name=connection.name)
        return Alternative(title=translate(title), path=LOGOUT_PATH)

    async def logout(self, request: Request) -> Response:
        """End the session here, whatever the provider says, and then lead there."""
        signed = self._kit.cookies.session(request.scope["headers"])
        session = await self._kit.sessions.find(signed) if signed else None
        url = None
        if session is not None:
            connection = await self._connection(session)
            await self._kit.sessions.end(session)
            url = await self._logout_url(connection) if connection is not None else None
        cookies = [self._kit.cookies.clear_session()]
        if url is None:
            response = self._kit.pages.redirect(request, "/logout", cookies=cookies)
        else:
            response = with_cookies(RedirectResponse(url, 303, EVERYWHERE), cookies)
        response.headers.update(SIGNED_OUT)
        return response

    async def _logout_url(self, connection: Connection) -> str | None:
        try:
            return await self._protocols.logout_url(connection)
        except SSOFault:  # it cannot be asked now: the person is signed out here all the same
            return None

    async def _connection(self, session: Session) -> Connection | None:
        """Return the OpenID connection that a session was signed in by."""
        used = [connection_of(one) for one in session.authentications]
        id = next((one for one in reversed(used) if one is not None), None)
        connection = await self._floor.connections.find(id) if id is not None else None
        return connection if connection is not None and connection.kind == "oidc" else None
