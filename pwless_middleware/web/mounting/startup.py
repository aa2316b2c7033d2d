"""Report a wrong option in one line as the server starts.

Starlette and FastAPI make what `add_middleware` was given when they are first called, which is the
lifespan. An exception there means to servers that the app knows no lifespan: they drop it, report
a complete startup, and each request is then a traceback.
"""

from __future__ import annotations

import logging
import sys
from itertools import islice
from traceback import walk_stack

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from pwless_middleware.errors import ConfigError

logger = logging.getLogger("pwless.startup")

_MAKERS = ("build_middleware_stack",)
"""Functions of frameworks that make middleware late: Starlette's, and FastAPI's of that name."""
_DEPTH = 6
"""Callers to look at: a subclass or two between the framework and us."""


def is_made_late() -> bool:
    """Whether the caller is an `__init__` that a framework calls as it serves its first scope."""
    callers = islice(walk_stack(sys._getframe(2)), _DEPTH)
    return any(frame.f_code.co_name in _MAKERS for frame, _ in callers)


async def serve_problem(problem: ConfigError, scope: Scope, receive: Receive, send: Send) -> None:
    """Fail the startup with the error's message; without lifespan, answer 500 and log it.

    Raises:
        ConfigError: the error itself, once the server has been told of the failed startup.
    """
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.failed", "message": str(problem)})
        raise problem
    logger.error("nothing is served: %s", problem, extra={"event": "misconfigured"})
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1011})
        return
    await PlainTextResponse("Internal Server Error", 500)(scope, receive, send)
