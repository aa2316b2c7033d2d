"""What the middlewares outside ours see of a request: where the app routed it.

The app gets a scope of its own (ASGI specification, "Middleware"), and routers write into that.
Metrics, tracing and access logs outside look for it in the scope that they have handed in, where
they find it around Starlette's own middlewares. So what a router writes is written there as well,
at once. Headers and paths are not: what the app does to its own is not what the server was asked
for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.types import Message, Scope, Send

_ROUTING = frozenset(
    {
        *("endpoint", "path_params", "route", "router", "app"),  # Starlette, FastAPI
        "fastapi",  # FastAPI: the route as its routers include it
        *("route_handler", "path_template"),  # Litestar
    }
)
_PRIVATE = (b"cache-control", b"private, no-cache")


class AppScope(dict[str, Any]):
    """Be the scope that the app gets, and show our caller where the app has routed the request.

    Args:
        scope: what it holds.
        caller: the scope that our caller gave us; its `state` is the one that the app gets.
    """

    __slots__ = ("_caller", "_session", "_user")

    def __init__(self, scope: Scope, caller: Scope) -> None:
        super().__init__(scope)
        self._caller = caller
        self._user = scope["state"]["user"]
        self._session = scope["state"]["session"]

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if key in _ROUTING:
            self._caller[key] = value
        elif key == "state":
            self.show_state()

    def show_state(self) -> None:
        """Show our caller what the app has in its state; once more as the app has returned.

        Who it is stays our word, also where the app has written its own user into the state that
        it got from us, which is the caller's as well until then.
        """
        state, shown = self.get("state"), self._caller.get("state")
        if not isinstance(state, dict):
            return
        is_ours = state.get("user") is self._user and state.get("session") is self._session
        if state is not shown or not is_ours:
            self._caller["state"] = {**state, "user": self._user, "session": self._session}

    def update(self, *others: Any, **more: Any) -> None:
        """Take over a router's child scope."""
        for other in (*others, more):
            items = other.items() if isinstance(other, Mapping) else other
            for key, value in items:
                self[key] = value


def kept_private(send: Send, vary: tuple[bytes, bytes]) -> Send:
    """Return a `send` for the app that keeps one person's answers out of shared caches.

    RFC 9111 §3: where the app says nothing of caching, nobody but the browser may keep the answer.

    Args:
        send: passes the app's messages on.
        vary: the header to add.
    """

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            try:
                headers = list(message.get("headers", ()))
                for header in headers:
                    if header[0].lower() == b"cache-control":
                        break
                else:
                    headers.append(_PRIVATE)
                headers.append(vary)
                message = {**message, "headers": headers}
            except (AttributeError, IndexError, TypeError):
                pass  # malformed: the server judges it, as it would without us
        await send(message)

    return send_private
