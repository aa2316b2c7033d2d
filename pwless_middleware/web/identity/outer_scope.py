"""Show the middlewares outside ours the route and the identity of a request.

The app gets a scope of its own (ASGI specification, "Middleware"), and routers write into that.
Metrics, tracing and access logs outside look for it in the scope that they have handed in, where
they find it around Starlette's own middlewares. So what a router has written is copied there when
the answer starts and when it ends. Headers and paths are not: what the app does to its own is not
what the server was asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pwless_middleware.web.identity.accounts import Identity

_ROUTING = (
    *("endpoint", "path_params", "route", "router", "app"),  # Starlette, FastAPI
    "fastapi",  # FastAPI: the route as its routers include it
    *("route_handler", "path_template"),  # Litestar
)
_OTHER_STARTS = frozenset({"websocket.accept", "websocket.close", "websocket.http.response.start"})
_CACHE_CONTROL = b"cache-control"
_LENGTH = len(_CACHE_CONTROL)
_PRIVATE = (_CACHE_CONTROL, b"private, no-cache")


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
    user, session, organization = identity.user, identity.session, identity.organization
    if isinstance(state, dict) and (
        state.get("user") is not user
        or state.get("session") is not session
        or state.get("organization") is not organization
        or state is not caller.get("state")
    ):
        known = {"user": user, "session": session, "organization": organization}
        caller["state"] = {**state, **known}


async def serve_shown(
    app: ASGIApp,
    app_scope: Scope,
    receive: Receive,
    send: Send,
    caller: Scope,
    identity: Identity,
    vary: tuple[bytes, bytes] | None,
) -> None:
    """Have the app serve, and show the routing when its answer starts, and when it has ended.

    Args:
        app: the app.
        app_scope: its scope.
        receive, send: as our caller gave them.
        caller, identity: as for `show_routing`.
        vary: the header to add to what is one person's; `None` for what is nobody's. Where the app
            says nothing of caching, nobody but the browser may keep one person's answer
            (RFC 9111 §3).
    """
    state = app_scope["state"]

    # No coroutine function: messages that pass unread cost no coroutine more.
    def send_shown(message: Message) -> Awaitable[None]:
        kind = message["type"]
        if kind == "http.response.start":
            show_routing(app_scope, caller, identity)
            if vary is not None:
                message = _with_private(message, vary)
        elif kind in _OTHER_STARTS:
            show_routing(app_scope, caller, identity)
        return send(message)

    try:
        await app(app_scope, receive, send_shown)
    except BaseException:
        show_routing(app_scope, caller, identity)
        raise
    # Most apps leave their state as it is; the route is shown already.
    is_kept = (
        state.get("user") is identity.user
        and state.get("session") is identity.session
        and state.get("organization") is identity.organization
    )
    if not is_kept or app_scope.get("state") is not state:
        show_routing(app_scope, caller, identity)


def _with_private(start: Message, vary: tuple[bytes, bytes]) -> Message:
    try:
        headers = [*start.get("headers", ())]
        for header in headers:
            name = header[0]
            if len(name) == _LENGTH and name.lower() == _CACHE_CONTROL:
                headers.append(vary)
                break
        else:
            headers += (_PRIVATE, vary)
    except (AttributeError, IndexError, TypeError):
        return start  # malformed: the server checks it, as it would without us
    return {**start, "headers": headers}
