"""`GET {prefix}/health`: whether logins can be served."""

from __future__ import annotations

import asyncio
from contextvars import Context

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import StoreError
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.operations import Operation
from pwless_middleware.web.routing.routes import Route


class Health:
    """Mount the health check."""

    def mount(self, kit: Kit) -> Mounted:
        """Return its route."""
        route = Route("/health", {"GET": _HealthCheck(kit).show}, "api", {"GET": _HEALTH})
        return Mounted(routes=(route,))


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
    about="Strangers hear of the store. Only with an API key does `down` name more: failing "
    "deliveries of emails and of text messages, and what features check.",
    answers={200: _STATE, 503: _STATE},
    uses_store=False,
)


class _Check:
    """One event loop's last check of the store: when it began, and its answer."""

    def __init__(self) -> None:
        self.at = 0
        self.answer: asyncio.Task[bool] | None = None


class _HealthCheck:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._checks: PerLoop[_Check] = PerLoop(_Check)

    async def show(self, request: Request) -> Response:
        """Return what is down: 503 without the store; what else fails keeps not everybody out.

        Who brings an API key hears of delivery and of the features' own checks too. A stranger does
        not: while mails fail, whether one of theirs joined the queue would tell whether the address
        is a user's.
        """
        is_store_down = await self._is_store_down()
        down = ["store"] if is_store_down else []
        if await self._kit.callers.is_server(request):
            down += ["delivery"] if self._kit.is_delivery_failing() else []
            down += ["text_delivery"] if self._kit.is_text_delivery_failing() else []
            down += await self._kit.checks.down()
        status = 503 if is_store_down else 200
        answer = json_response({"status": "down" if down else "ok", "down": down}, status=status)
        if is_store_down:
            answer.headers["retry-after"] = "2"
        return answer

    async def _is_store_down(self) -> bool:
        """Whether the store cannot be asked, by the last check of this second or one under way.

        Anybody may ask, and each look writes to the store: who asks at the same time shares one.
        """
        look, now = self._checks.here(), self._kit.clock()
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
