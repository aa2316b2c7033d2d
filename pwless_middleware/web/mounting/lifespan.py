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

    An app that knows no lifespan (Django's) says so by an exception, with which the server goes on
    without one: what is ours is started before, and nothing tells us when to close it. One that
    ends without a word when the server does has ended all the same.

    Args:
        app: the app behind the login.
        scope, receive, send: as the server gave them.
        start: opens what is ours. Its `ConfigError` fails the startup, and ends the app's lifespan
            by being raised in it.
        close: closes it.

    Raises:
        ConfigError: that of `start`.
        Exception: the app's own.
    """
    is_told = has_failed = is_ending = False

    async def start_or_fail() -> None:
        nonlocal has_failed
        try:
            await start()
        except ConfigError as error:
            has_failed = True
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise

    async def receive_between() -> Message:
        nonlocal is_ending
        message = await receive()
        is_ending = message["type"] == "lifespan.shutdown"
        return message

    async def send_between(message: Message) -> None:
        nonlocal is_told, is_ending
        is_told = True
        if has_failed:
            return  # the app's own report of the same error
        if message["type"] == "lifespan.startup.complete":
            await start_or_fail()
        elif message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
            is_ending = False
            await close()
        await send(message)

    try:
        await app(scope, receive_between, send_between)
    except Exception:
        if not is_told:
            await start_or_fail()
        raise
    else:
        if not is_told:
            await start_or_fail()
    finally:
        if is_ending:
            await close()
