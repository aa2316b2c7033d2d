"""The app's lifespan passes through, and what is ours opens and closes with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pwless_middleware.errors import ConfigError


async def serve_lifespan(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    start: Callable[[], Awaitable[None]],
    close: Callable[[], Awaitable[None]],
) -> None:
    """Pass a lifespan to the app; start before it is told to be up, close after it has ended.

    Args:
        app: the app behind the login.
        scope, receive, send: as the server gave them.
        start: opens what is ours. Its `ConfigError` fails the startup, and ends the app's lifespan
            by being raised in it.
        close: closes it.
    """
    has_failed = False

    async def send_between(message: Message) -> None:
        nonlocal has_failed
        if has_failed:
            return  # the app's own report of the same error
        if message["type"] == "lifespan.startup.complete":
            try:
                await start()
            except ConfigError as error:
                has_failed = True
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                raise
        elif message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
            await close()
        await send(message)

    await app(scope, receive, send_between)
