"""`requires_fresh`: let a handler of the host's ask for a fresh proof of who is signed in.

As a decorator it finds the request as Starlette's `requires` does. As a FastAPI dependency it can
only raise: FastAPI's own answer to an `HTTPException` would have another body than all our answers,
so that the app is told how to answer this one, in the table that Starlette hands down in the scope.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar, cast, overload

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from pwless_middleware.core.logins.authentication import STRENGTHS, Strength
from pwless_middleware.core.logins.session import Session
from pwless_middleware.errors import ConfigError
from pwless_middleware.web.mounting.nesting import PASSED, Passed

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class FreshCheck(Protocol):
    """What `requires_fresh` gives: a decorator, and a dependency."""

    @overload
    def __call__(self, request: HTTPConnection, /) -> Session: ...
    @overload
    def __call__(self, request: Endpoint, /) -> Endpoint: ...


class _Refused(HTTPException):
    """An answer that a dependency can only raise."""

    def __init__(self, refusal: ASGIApp) -> None:
        status = refusal.status_code if isinstance(refusal, Response) else 403
        super().__init__(status, "STEP_UP_REQUIRED")
        self.refusal = refusal


def requires_fresh(seconds: int, *, strength: Strength = "any") -> FreshCheck:
    """Let people through only if they have recently proven who they are.

    Others confirm who they are first: a page load is redirected to the page for that and back;
    anything else gets 403 `STEP_UP_REQUIRED` with a `step_url`. People who are not signed in get
    the login, as on any private path.

        @requires_fresh(300)
        async def delete_account(request): ...

        @app.delete("/account", dependencies=[Depends(requires_fresh(300))])

    Args:
        seconds: how old the last proof may be.
        strength: what the fresh proofs must be worth together: `any` (default), `second_factor` or
            `phishing_resistant`.

    Returns:
        A decorator for Starlette's endpoints, async or not, which take a `request` or a
        `websocket`; as FastAPI dependency it gives the session.

    Raises:
        ConfigError: an argument is wrong, or a decorated function takes no request.
    """
    if type(seconds) is not int or seconds < 1:
        raise ConfigError("requires_fresh", "set whole seconds, e.g. requires_fresh(300)")
    if strength not in STRENGTHS:
        raise ConfigError("requires_fresh", f"set a strength: {', '.join(STRENGTHS)}")

    def refuse(connection: HTTPConnection) -> ASGIApp | None:
        passed: Passed | None = connection.scope.get(PASSED)
        gate = passed.instances[-1].step_up if passed is not None else None
        if gate is None:
            raise ConfigError("requires_fresh", "wrap the app in PasswordlessMiddleware")
        return gate.refuse(connection.scope, connection.state.session, seconds, strength)

    # FastAPI reads the annotation, and gives a request or a websocket.
    def check(request: HTTPConnection) -> object:
        given: object = request
        if not isinstance(given, HTTPConnection):
            return _decorate(cast("Callable[..., Any]", given), refuse)
        refusal = refuse(given)
        if refusal is None:
            return given.state.session
        handlers = given.scope.get("starlette.exception_handlers")
        if handlers is not None:
            handlers[0].setdefault(_Refused, _answer_refused)
        raise _Refused(refusal)

    return cast("FreshCheck", check)


async def _answer_refused(connection: HTTPConnection, error: Exception) -> ASGIApp | None:
    refusal = cast("_Refused", error).refusal
    if not isinstance(connection, WebSocket):
        return refusal
    await refusal(connection.scope, connection.receive, connection.send)
    return None


def _decorate(
    endpoint: Callable[..., Any], refuse: Callable[[HTTPConnection], ASGIApp | None]
) -> Callable[..., Awaitable[Any]]:
    names = list(inspect.signature(endpoint).parameters)
    name = next((name for name in ("request", "websocket") if name in names), None)
    if name is None:
        called = getattr(endpoint, "__qualname__", repr(endpoint))
        raise ConfigError("requires_fresh", f"{called} takes no argument request or websocket")
    at = names.index(name)

    @functools.wraps(endpoint)
    async def guarded(*args: Any, **kwargs: Any) -> Any:
        connection: HTTPConnection = kwargs[name] if name in kwargs else args[at]
        refusal = refuse(connection)
        if refusal is None:
            if inspect.iscoroutinefunction(endpoint):
                return await endpoint(*args, **kwargs)
            return await run_in_threadpool(endpoint, *args, **kwargs)
        if isinstance(connection, WebSocket):
            return await refusal(connection.scope, connection.receive, connection.send)
        return refusal

    return guarded
