"""The account's own path, which leads to its first page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.web.kit import Kit
from pwless_middleware.web.routing.routes import Route


class AccountIndex:
    """Lead from `/account` to the first of the account's pages, whichever features are mounted."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self.routes = (Route("/account", {"GET": self.show}),)

    async def show(self, request: Request) -> Response:
        """Send a browser on; who is signed in is that page's to ask."""
        return self._kit.pages.redirect(request, self._kit.offers.account_pages[0].path)
