"""Refuse a websocket before it is accepted."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from pwless_middleware.errors import ApiError
from pwless_middleware.web.responses.responses import json_error

REFUSED = 4401
"""Close code of a refused socket (4000 to 4999 are an application's own: RFC 6455 §7.4.2)."""


class SocketRefusal:
    """The answer to a websocket that is refused, as a `Response` is to a request.

    With a status where the server can (ASGI's extension "Websocket Denial Response"); else it is
    closed before it is accepted, which servers answer with 403.

    Args:
        error: why.
    """

    def __init__(self, error: ApiError) -> None:
        self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        if "websocket.http.response" not in (scope.get("extensions") or {}):
            reason = self._error.code
            await send({"type": "websocket.close", "code": REFUSED, "reason": reason})
            return
        response = json_error(self._error)
        await send(
            {
                "type": "websocket.http.response.start",
                "status": response.status_code,
                "headers": response.raw_headers,
            }
        )
        await send({"type": "websocket.http.response.body", "body": bytes(response.body)})
