"""The page on which a new address confirms what an operator or a server has asked for.

Whoever has the link of the mail may, and needs no session: who reads the old mailbox no more may
have none.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.paths import ADDRESS_PATH
from pwless_middleware.errors import InvalidArgument, RequestExpired
from pwless_middleware.flows.people.address_requests import AddressRequests
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import SIGNED_OUT, with_cookies
from pwless_middleware.web.routing.routes import Route

CONFIRM_PATH: Final = f"{ADDRESS_PATH}/confirm"


class ConfirmAddressPage:
    """Show the page, and do what its form asks for.

    Args:
        kit: everything below.
        requests: what is confirmed.
    """

    def __init__(self, kit: Kit, requests: AddressRequests) -> None:
        self._kit = kit
        self._requests = requests
        self.routes = (Route(CONFIRM_PATH, {"GET": self.show, "POST": self.confirm}),)

    async def show(self, request: Request) -> Response:
        """Ask whether to use the address. Mail scanners open links: this changes nothing."""
        handle = request.query_params.get("link_token", "")
        asked = await self._requests.find(handle)
        if asked is None:
            return self._page(request, "expired", status=410)
        return self._page(request, "confirm", handle=handle, email=asked.new)

    async def confirm(self, request: Request) -> Response:
        """Change the address, and sign this browser out where it is the person's."""
        form = await read_form(request)
        found = await self._kit.accounts.find(request)
        caller = self._kit.callers.browser(request)
        try:
            asked = await self._requests.confirm(form.get("link_token", ""), caller)
        except RequestExpired:
            return self._page(request, "expired", status=410)
        except InvalidArgument:
            return self._page(request, "taken", status=400)
        await self._kit.wake_delivery()
        response = self._page(request, "done", email=asked.new)
        if found is not None and found.session.user_id == asked.user_id:
            response.headers.update(SIGNED_OUT)
            response = with_cookies(response, [self._kit.cookies.clear_session()])
        return response

    def _page(
        self, request: Request, state: str, *, status: int = 200, handle: str = "", email: str = ""
    ) -> Response:
        return self._kit.pages.page(
            request,
            "confirm_address.html",
            status=status,
            state=state,
            link_token=handle,
            email=email,
        )
