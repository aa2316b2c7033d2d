"""The page on which a person objects to the reset of their second factors.

Whoever has the link of the mail may, and needs no session: who has lost everything, or whose
account somebody else wants to take over, may have none.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.people.factor import FactorReset
from pwless_middleware.features.second_factors.recovery.reset import OBJECTION_PATH, FactorResets
from pwless_middleware.languages.times import format_time
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.routing.routes import Route


class ObjectionPage:
    """Show the page, and do what its form asks for.

    Args:
        kit: everything below.
        resets: what is objected to.
    """

    def __init__(self, kit: Kit, resets: FactorResets) -> None:
        self._kit = kit
        self._resets = resets
        self.routes = (Route(OBJECTION_PATH, {"GET": self.show, "POST": self.post}),)

    async def show(self, request: Request) -> Response:
        """Ask whether to object. Mail scanners open links: this changes nothing."""
        handle = request.query_params.get("link_token", "")
        reset = await self._resets.find(handle)
        if reset is not None and reset.is_open:
            return self._page(
                request,
                "confirm",
                handle=handle,
                asked_at=format_time(reset.asked_at),
                due_at=format_time(reset.due_at),
            )
        return self._over(request, reset)

    async def post(self, request: Request) -> Response:
        """Object; pressed twice, it says the same again."""
        form = await read_form(request)
        handle = form.get("link_token", "")
        reset = await self._resets.find(handle)
        if reset is None:
            return self._over(request, None)
        if await self._resets.object(reset, self._kit.callers.browser(request)):
            return self._page(request, "kept")
        return self._over(request, await self._resets.find(handle))

    def _over(self, request: Request, reset: FactorReset | None) -> Response:
        if reset is None:
            return self._page(request, "expired", status=410)
        if reset.objected_at is not None:
            return self._page(request, "kept")
        return self._page(request, "removed", status=410)

    def _page(
        self,
        request: Request,
        state: str,
        *,
        status: int = 200,
        handle: str = "",
        asked_at: str = "",
        due_at: str = "",
    ) -> Response:
        return self._kit.pages.page(
            request,
            "second_factors/objection.html",
            status=status,
            state=state,
            link_token=handle,
            asked_at=asked_at,
            due_at=due_at,
        )
