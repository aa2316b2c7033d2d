"""The whole product, as an app sees it: one middleware. Read `__call__` from top to bottom."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pwless_middleware.core.paths import below
from pwless_middleware.errors import ApiError, ConfigError, Unauthenticated
from pwless_middleware.passwordless import Passwordless
from pwless_middleware.web.gate import refuse_socket
from pwless_middleware.web.responses import json_error

_PRIVATE = (b"cache-control", b"private, no-cache")
_VARY = (b"vary", b"Cookie")


class PasswordlessMiddleware:
    """Wrap an ASGI app in passwordless login.

    Args:
        app: any ASGI app; its handlers stay as they are and read `request.state.user`.
        passwordless: made before, where the host wants its verbs too; `None` makes one.
        options: those of `Passwordless`, if none was made.

    Raises:
        ConfigError: a bad option, or options beside `passwordless`.
    """

    def __init__(
        self, app: ASGIApp, *, passwordless: Passwordless | None = None, **options: Any
    ) -> None:
        if passwordless is not None and options:
            names = ", ".join(sorted(options))
            raise ConfigError("passwordless", f"set {names} there, where it is made")
        if passwordless is None:
            for required in ("secret_key", "base_url", "mailer"):
                if required not in options:
                    raise ConfigError(required, "this option is required")
        self.app = app
        self.passwordless = passwordless or Passwordless(**options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        house = self.passwordless
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        if kind not in ("http", "websocket"):
            if not house.gate.is_open:
                raise ValueError(f"the login does not know ASGI scope type {kind!r}; refused")
            await self.app(scope, receive, send)
            return
        house.lifetime.start()

        path = below(scope["path"], scope.get("root_path", ""))
        if path == house.prefix or path.startswith(house.prefix + "/"):
            if kind == "websocket":
                await refuse_socket(scope, send, Unauthenticated())
            else:
                await house.routes(path[len(house.prefix) :], dict(scope), receive, send)
            return

        try:
            identity = await house.identities.of(scope)
        except ApiError as error:
            await _refuse(scope, receive, send, error)
            return
        if identity.session is None and not house.gate.passes(scope, path):
            if kind == "websocket":
                await refuse_socket(scope, send, Unauthenticated())
            else:
                await house.gate.deny(scope, path)(scope, receive, send)
            return
        if identity.session is not None and kind == "http":
            send = _kept_private(send)
        await self.app(house.identities.told(scope, identity), receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the app's lifespan through; open ours before it is up, close ours after it ends."""
        lifetime = self.passwordless.lifetime

        async def watched(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                try:
                    await lifetime.open()
                except ConfigError as error:
                    message = {"type": "lifespan.startup.failed", "message": str(error)}
            elif message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                await lifetime.close()
            await send(message)

        await self.app(scope, receive, watched)


def _kept_private(send: Send) -> Send:
    """Keep one person's answers out of shared caches (SECURITY rule 19)."""

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                headers.append(_PRIVATE)
            headers.append(_VARY)
            message = {**message, "headers": headers}
        await send(message)

    return send_private


async def _refuse(scope: Scope, receive: Receive, send: Send, error: ApiError) -> None:
    if scope["type"] == "websocket":
        await refuse_socket(scope, send, error)
    else:
        await json_error(error)(Request(scope).scope, receive, send)
