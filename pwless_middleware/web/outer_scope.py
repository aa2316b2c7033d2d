"""Show the middlewares outside ours the route and the identity of a request.

The app gets a scope of its own (ASGI specification, "Middleware"), and routers write into that.
Metrics, tracing and access logs outside look for it in the scope that they have handed in, where
they find it around Starlette's own middlewares. So what a router has written is copied there when
the answer starts and when it ends. Headers and paths are not: what the app does to its own is not
what the server was asked for.
"""

from __future__ import annotations

from starlette.types import Message, Scope, Send

from pwless_middleware.web.accounts import Identity

_ROUTING = (
    *("endpoint", "path_params", "route", "router", "app"),  # Starlette, FastAPI
    "fastapi",  # FastAPI: the route as its routers include it
    *("route_handler", "path_template"),  # Litestar
)
_STARTS = (
    *("http.response.start", "websocket.accept"),
    *("websocket.close", "websocket.http.response.start"),
)
_PRIVATE = (b"cache-control", b"private, no-cache")


def show_routing(app_scope: Scope, caller: Scope, identity: Identity) -> None:
    """Show our caller what the app has written into its scope: the route, and its state.

    Who it is stays our word, also where the app has written its own user into the state that it got
    from us, which is the caller's as well until then.

    Args:
        app_scope: the app's scope.
        caller: the scope that our caller gave us.
        identity: who it is.
    """
    for key in _ROUTING:
        if key in app_scope:
            caller[key] = app_scope[key]
    state = app_scope.get("state")
    user, session = identity.user, identity.session
    if isinstance(state, dict) and (
        state.get("user") is not user
        or state.get("session") is not session
        or state is not caller.get("state")
    ):
        caller["state"] = {**state, "user": user, "session": session}


def show_routing_at_start(send: Send, app_scope: Scope, caller: Scope, identity: Identity) -> Send:
    """Return a `send` for the app that shows the routing when the answer starts.

    Args:
        send: passes the app's messages on.
        app_scope, caller, identity: as for `show_routing`.
    """

    async def send_shown(message: Message) -> None:
        if message["type"] in _STARTS:
            show_routing(app_scope, caller, identity)
        await send(message)

    return send_shown


def mark_private(
    send: Send, app_scope: Scope, caller: Scope, identity: Identity, *, vary: tuple[bytes, bytes]
) -> Send:
    """Return a `send` like `show_routing_at_start`'s that keeps answers out of shared caches.

    RFC 9111 §3: where the app says nothing of caching, nobody but the browser may keep the answer.

    Args:
        send: passes the app's messages on.
        app_scope, caller, identity: as for `show_routing`.
        vary: the header to add.
    """

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            show_routing(app_scope, caller, identity)
            try:
                headers = [*message.get("headers", ())]
                for header in headers:
                    if header[0].lower() == b"cache-control":
                        headers.append(vary)
                        break
                else:
                    headers += (_PRIVATE, vary)
                message = {**message, "headers": headers}
            except (AttributeError, IndexError, TypeError):
                pass  # malformed: the server checks it, as it would without us
        await send(message)

    return send_private
