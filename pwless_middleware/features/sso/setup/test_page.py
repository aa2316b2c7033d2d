"""Test the login of a connection: the page that begins it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import RateLimited
from pwless_middleware.features.sso.setup.access import SetupAccess
from pwless_middleware.features.sso.setup.frame import SetupFrame
from pwless_middleware.features.sso.setup.steps import (
    connection_path,
    is_complete,
    test_page_path,
)
from pwless_middleware.languages.times import format_time
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.core.organizations.connection import Connection
    from pwless_middleware.features.sso.setup.access import SetupSession


class BeginTest(Protocol):
    """Begins a test of a connection, in the browser of a request (`ConnectionTests.begin`)."""

    async def __call__(self, request: Request, connection: Connection, *, back: str) -> Response:
        """Send the browser to the provider; the report leads back to a path below the prefix."""
        ...


class TestPage:
    """Begin tests. What comes of one is shown on a page of its own, which leads back here.

    Args:
        kit: everything below.
        access: knows the set-up of a browser.
        frame: shows pages.
        begin_test: begins them.
    """

    def __init__(
        self, kit: Kit, access: SetupAccess, frame: SetupFrame, begin_test: BeginTest
    ) -> None:
        self._kit = kit
        self._access = access
        self._frame = frame
        self._begin_test = begin_test
        path = test_page_path("{connection}")
        self.routes = (Route(path, {"GET": self.show, "POST": self.begin}),)

    async def show(self, request: Request) -> Response:
        """Show how a test goes, and whether one has worked."""
        session, connection = await self._access.require_connection(request)
        if not is_complete(connection):
            return self._kit.pages.redirect(request, connection_path(connection.id))
        return await self._page(request, session, connection)

    async def begin(self, request: Request) -> Response:
        """Send the browser to the provider."""
        session, connection = await self._access.require_connection(request)
        if not is_complete(connection):
            return self._kit.pages.redirect(request, connection_path(connection.id))
        try:
            await self._access.take_turn(session)
        except RateLimited as error:
            return await self._page(request, session, connection, error)
        back = test_page_path(connection.id)
        return await self._begin_test(request, connection, back=back)

    async def _page(
        self,
        request: Request,
        session: SetupSession,
        connection: Connection,
        error: RateLimited | None = None,
    ) -> Response:
        tested_at = connection.tested_at
        return await self._frame.page(
            request,
            session,
            "sso/setup/test.html",
            step="test",
            connection=connection,
            error=error,
            connection_id=connection.id,
            tested_at=format_time(tested_at) if tested_at is not None else "",
        )
