"""What the house itself needs: static files and health."""

from __future__ import annotations

import asyncio
from contextvars import Context

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import NotFound, StoreError
from pwless_middleware.stores.redis_loops import PerLoop
from pwless_middleware.web.fields import Field, Fields
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.operations import Operation
from pwless_middleware.web.responses import json_response
from pwless_middleware.web.routes import Route


class House:
    """Mount what belongs to no login method."""

    def mount(self, kit: Kit) -> Mounted:
        """Give the routes."""
        routes = [Route("/static/{id}", {"GET": _Static(kit).show})]
        routes.append(Route("/health", {"GET": _Health(kit).show}, "api", {"GET": _HEALTH}))
        return Mounted(routes=tuple(routes))


_STATE = Fields(
    {
        "status": Field(
            about="Whether anything is down.", example="ok", required=True, one_of=("ok", "down")
        ),
        "down": Field(kind="strings", about="What is down.", example=[], required=True),
    }
)
_HEALTH = Operation(
    id="getHealth",
    summary="Whether logins can be served",
    about="Only with an API key does `down` name failing deliveries; strangers hear of the store.",
    answers={200: _STATE, 503: _STATE},
    uses_store=False,
)


class _Static:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def show(self, request: Request) -> Response:
        name, renderer = request.path_params["id"], self._kit.renderer
        # The name changes with the content, so the content never does.
        lifetime = "max-age=31536000, immutable"
        asset = renderer.assets.get(name)
        if asset is None:
            asset, lifetime = renderer.other_version(name), "max-age=60"
        if asset is None:
            raise NotFound
        headers = {
            "cache-control": f"public, {lifetime}",
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin",
        }
        return Response(asset.content, 200, headers, asset.media_type)


class _Look:
    """Hold one event loop's last look at the store: when it began, and its answer."""

    def __init__(self) -> None:
        self.at = 0
        self.answer: asyncio.Task[bool] | None = None


class _Health:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._looks: PerLoop[_Look] = PerLoop(_Look)

    async def show(self, request: Request) -> Response:
        """Tell what is down: 503 without the store; failing mails alone keep nobody out.

        Who brings an API key hears of delivery too. A stranger does not: while mails fail, whether
        one of theirs joined the queue would tell whether the address is a user's.
        """
        is_store_down = await self._is_store_down()
        down = ["store"] if is_store_down else []
        if self._kit.is_delivery_failing() and self._kit.callers.is_server(request):
            down.append("delivery")
        status = 503 if is_store_down else 200
        answer = json_response({"status": "down" if down else "ok", "down": down}, status=status)
        if is_store_down:
            answer.headers["retry-after"] = "2"
        return answer

    async def _is_store_down(self) -> bool:
        """Return the answer of the look of this second, or of one that still runs.

        Anybody may ask, and each look writes to the store: who asks at the same time shares one.
        """
        look, now = self._looks.here(), self._kit.clock()
        if look.answer is None or (look.answer.done() and look.at != now):
            # In a context of its own: the time limit of whoever came first is not the others'.
            task = asyncio.get_running_loop().create_task(self._look(), context=Context())
            look.at, look.answer = now, task
        return await asyncio.shield(look.answer)

    async def _look(self) -> bool:
        try:
            await self._kit.store.ping()
        except StoreError as error:
            # Why is for the operator's eyes; what is down is for the load balancer's.
            self._kit.pages.outages.note(error)
            return True
        return False
