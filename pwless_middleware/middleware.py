"""The whole product, as an app sees it: one middleware. Read `__call__` from top to bottom."""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Unpack

from starlette.types import Message, Receive, Scope, Send

from pwless_middleware.core.callables import check_asgi_app
from pwless_middleware.core.options import check_kind
from pwless_middleware.core.paths import below, without_last_slash
from pwless_middleware.errors import ApiError, ConfigError, Unauthenticated
from pwless_middleware.flows.lifetime import NOT_ASYNCIO
from pwless_middleware.passwordless import Passwordless
from pwless_middleware.web.accounts import NOBODY
from pwless_middleware.web.gate import refuse_socket
from pwless_middleware.web.options import Options
from pwless_middleware.web.outer_scope import mark_private, show_routing, show_routing_at_start
from pwless_middleware.web.shadowed import warn_of_shadowed
from pwless_middleware.web.startup import is_made_late, serve_problem

AnyASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
"""Frameworks type their apps in ways that do not fit each other's; all are this."""

_OUTER = "pwless"
"""Our key in the scope: what a request has passed."""


@dataclass(frozen=True, slots=True)
class _Passed:
    """The instances that a request has passed.

    Attributes:
        instances: outermost first.
        cookies: cookies of other instances, which they have taken out; one further in reads them.
    """

    instances: tuple[Passwordless, ...]
    cookies: bytes = field(default=b"", repr=False)


class PasswordlessMiddleware:
    """Wrap an ASGI app in passwordless login.

    Args:
        app: any ASGI app; its handlers stay as they are and read `request.state.user`.
        passwordless: made before, where the host wants its verbs too; `None` makes one.
        options: those of `Passwordless`, if none was made.

    Raises:
        ConfigError: a bad option, options beside `passwordless`, or an instance inside another one
            that has the same prefix or cookie name.
    """

    def __init__(
        self,
        app: AnyASGIApp,
        *,
        passwordless: Passwordless | None = None,
        **options: Unpack[Options],
    ) -> None:
        self.app = app
        try:
            check_asgi_app(app)
            self.passwordless = _one_of(passwordless, options)
            self._alone = _Passed((self.passwordless,))
            for inner in _wrapped(app):
                self.passwordless.check_beside(inner.passwordless)
        except ConfigError as error:
            if not is_made_late():
                raise
            self.problem = error
            self.__class__ = Misconfigured

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        passwordless = self.passwordless
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        if kind not in ("http", "websocket"):
            if not passwordless.gate.is_open:
                raise ValueError(f"the login does not know ASGI scope type {kind!r}; refused")
            app_scope = passwordless.identities.annotate(scope, [], NOBODY, caller=scope)
            await self.app(app_scope, receive, send)
            return
        try:
            loop = get_running_loop()
        except RuntimeError:
            raise ConfigError("server", NOT_ASYNCIO) from None
        if passwordless.lifetime.loop is not loop:
            passwordless.lifetime.start()
        caller, passed = scope, self._alone
        if _OUTER in scope:
            scope, passed = self._inside(scope)

        path = ours_path = scope["path"]
        root = scope.get("root_path", "")
        if root:
            if root[-1] == "/":
                scope = _without_last_slash(scope)
                root = scope["root_path"]
            path = ours_path = below(scope["path"], root)
        if not root and passwordless.origin.path:
            # The server knows no root path, base_url has one. Our own pages are found with and
            # without it; the gate keeps to the path that the app will route.
            root = passwordless.origin.path
            ours_path = below(path, root)
        rest = ours_path.removeprefix(passwordless.prefix)
        is_below = rest != ours_path and rest[:1] in ("", "/")
        if is_below and passwordless.routes.owns(rest):
            passwordless.identities.annotate(
                scope, [], NOBODY, caller=caller
            )  # our pages ask for themselves
            if kind == "websocket":
                await refuse_socket(scope, send, Unauthenticated())
            else:
                ours = {**scope, "root_path": root}
                await passwordless.routes(rest, ours, receive, send)
            return

        signed, headers, others = passwordless.cookies.split(scope["headers"])
        try:
            identity = passwordless.identities.resolve_held(scope, signed)
            if identity is None:
                identity = await passwordless.identities.of(scope, signed)
        except ApiError as error:
            passwordless.identities.annotate(scope, [], NOBODY, caller=caller)
            await self._refuse({**scope, "root_path": root}, receive, send, error)
            return
        is_in = identity.session is not None
        if not is_in and not passwordless.gate.passes(scope, path):
            passwordless.identities.annotate(scope, [], NOBODY, caller=caller)
            await self._deny({**scope, "root_path": root}, ours_path, receive, send)
            return

        app_scope = passwordless.identities.annotate(scope, headers, identity, caller=caller)
        app_scope[_OUTER] = passed if not others else replace(passed, cookies=b"; ".join(others))
        state = app_scope["state"]
        try:
            if not is_in:
                await self.app(
                    app_scope, receive, show_routing_at_start(send, app_scope, caller, identity)
                )
            elif kind == "websocket":
                send = show_routing_at_start(send, app_scope, caller, identity)
                with passwordless.watch.open(receive, send, identity, is_socket=True) as connection:
                    await self.app(app_scope, connection.receive, connection.send)
            elif passwordless.end_streams:
                with passwordless.watch.open(
                    receive, send, identity, is_socket=False
                ) as connection:
                    send = mark_private(
                        connection.send, app_scope, caller, identity, vary=passwordless.vary
                    )
                    await self.app(app_scope, connection.receive, send)
            else:
                send = mark_private(send, app_scope, caller, identity, vary=passwordless.vary)
                await self.app(app_scope, receive, send)
        except BaseException:
            show_routing(app_scope, caller, identity)
            raise
        # Most apps leave their state as it is; the route is shown already.
        is_unchanged = (
            state.get("user") is identity.user and state.get("session") is identity.session
        )
        if not is_unchanged or app_scope.get("state") is not state:
            show_routing(app_scope, caller, identity)

    def _inside(self, scope: Scope) -> tuple[Scope, _Passed]:
        """Return the scope with the cookies that the instances outside have taken out."""
        outer: _Passed = scope[_OUTER]
        for passwordless in outer.instances:
            passwordless.check_beside(self.passwordless)
        if outer.cookies:
            scope = {**scope, "headers": [*scope["headers"], (b"cookie", outer.cookies)]}
        return scope, _Passed((*outer.instances, self.passwordless))

    async def _deny(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await refuse_socket(scope, send, Unauthenticated())
        else:
            await self.passwordless.gate.deny(scope, path)(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, error: ApiError) -> None:
        self.passwordless.outages.note(error)
        if scope["type"] == "websocket":
            await refuse_socket(scope, send, error)
        else:
            await self.passwordless.gate.refuse(scope, error)(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the app's lifespan through; open ours before it is up, close ours after it ends.

        A `ConfigError` fails the startup, and ends the app's lifespan by being raised in it.
        """
        lifetime = self.passwordless.lifetime
        has_failed = False

        async def watched(message: Message) -> None:
            nonlocal has_failed
            if has_failed:
                return  # the app's own report of the same error
            if message["type"] == "lifespan.startup.complete":
                passwordless = self.passwordless
                warn_of_shadowed(
                    self.app, prefix=passwordless.prefix, owns=passwordless.routes.owns
                )
                try:
                    passwordless.check_served()
                    await lifetime.open()
                except ConfigError as error:
                    has_failed = True
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    raise
            elif message["type"] in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
                await lifetime.close()
            await send(message)

        await self.app(scope, receive, watched)


def _without_last_slash(scope: Scope) -> Scope:
    path, root = without_last_slash(scope["path"], scope["root_path"])
    raw = scope.get("raw_path")
    if raw:
        raw = without_last_slash(raw.decode("latin-1"), scope["root_path"])[0].encode("latin-1")
    return {**scope, "path": path, "root_path": root, "raw_path": raw}


class Misconfigured(PasswordlessMiddleware):
    """Stand for a middleware whose options are wrong, where nobody would have seen the error.

    Attributes:
        problem: the error.
    """

    problem: ConfigError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Fail the startup, or every request, in one line."""
        await serve_problem(self.problem, scope, receive, send)


def _one_of(passwordless: Passwordless | None, options: Options) -> Passwordless:
    if passwordless is None:
        return Passwordless(**options)
    if options:
        names = ", ".join(sorted(options))
        raise ConfigError("passwordless", f"set {names} there, where it is made")
    check_kind("passwordless", passwordless, Passwordless, example="Passwordless(...)")
    return passwordless


def _wrapped(app: object) -> Iterator[PasswordlessMiddleware]:
    """Find the instances that an app wraps, as far as its `.app` attributes lead."""
    for _ in range(50):
        if isinstance(app, PasswordlessMiddleware) and not isinstance(app, Misconfigured):
            yield app
        app = getattr(app, "app", None)
