"""What the middlewares outside ours see of a request: where the app routed it.

The app gets a scope of its own (ASGI specification, "Middleware"), and routers write into that.
Metrics, tracing and access logs outside look for it in the scope that they have handed in, where
they find it around Starlette's own middlewares. So it is copied there: when the answer starts, and
when it has ended, in whatever way. Headers and paths are not: what the app does to its own is not
what the server was asked for.
"""

from __future__ import annotations

from starlette.types import Message, Scope, Send

_ROUTING = (
    *("endpoint", "path_params", "route", "router", "app"),  # Starlette, FastAPI
    "fastapi",  # FastAPI: the route as its routers include it
    *("route_handler", "path_template"),  # Litestar
)
_STARTS = frozenset(
    {
        "http.response.start",
        "websocket.accept",
        "websocket.close",
        "websocket.http.response.start",
    }
)
_PRIVATE = (b"cache-control", b"private, no-cache")


def show_routing(told: Scope, scope: Scope) -> None:
    """Write into the caller's scope where the app has routed the request, and its new state.

    Args:
        told: the scope that the app got, and wrote into.
        scope: the one that our caller gave us.
    """
    for key in _ROUTING:
        if key in told:
            scope[key] = told[key]
    state, shown = told.get("state"), scope["state"]
    if state is not shown and isinstance(state, dict):
        # The app has put another one into its place; who it is stays our word.
        scope["state"] = {**state, "user": shown["user"], "session": shown["session"]}


def answering(send: Send, told: Scope, scope: Scope, *, vary: tuple[bytes, bytes] | None) -> Send:
    """Return a `send` for the app: the start of its answer is seen outside, and kept private.

    Args:
        send: passes the app's messages on.
        told, scope: as for `show_routing`.
        vary: the header to add where one person's answer must stay out of shared caches
            (RFC 9111 §3); `None` leaves the answer as it is.
    """

    async def send_seen(message: Message) -> None:
        if message["type"] in _STARTS:
            show_routing(told, scope)
            if vary is not None and message["type"] == "http.response.start":
                message = _kept_private(message, vary)
        await send(message)

    return send_seen


def _kept_private(message: Message, vary: tuple[bytes, bytes]) -> Message:
    try:
        headers = list(message.get("headers", ()))
        for header in headers:
            if header[0].lower() == b"cache-control":
                break
        else:
            headers.append(_PRIVATE)
        headers.append(vary)
        return {**message, "headers": headers}
    except (AttributeError, IndexError, TypeError):
        return message  # malformed: the server judges it, as it would without us
