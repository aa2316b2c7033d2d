"""The whole product, as an app sees it: one middleware. Read `__call__` from top to bottom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Unpack

from starlette.types import Receive, Scope, Send

from pwless_middleware.core.options.callables import check_asgi_app
from pwless_middleware.core.options.options import check_kind
from pwless_middleware.errors import ApiError, ConfigError
from pwless_middleware.passwordless import Passwordless
from pwless_middleware.web.identity.accounts import NOBODY
from pwless_middleware.web.identity.outer_scope import serve_shown
from pwless_middleware.web.mounting.lifespan import serve_lifespan
from pwless_middleware.web.mounting.nesting import PASSED, Passed
from pwless_middleware.web.mounting.options import Options
from pwless_middleware.web.mounting.startup import is_made_late, serve_problem
from pwless_middleware.web.requests.location import locate
from pwless_middleware.web.routing.shadowed import warn_of_shadowed

AnyASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
"""Frameworks type their apps in ways that do not fit each other's; all are this."""


class PasswordlessMiddleware:
    """Wrap an ASGI app in passwordless login.

    Args:
        app: the ASGI app to wrap; its handlers stay as they are and read `request.state.user`.
        passwordless: a `Passwordless` that you created before, if your own code uses it too; `None`
            creates one.
        options: the options of `Passwordless`, unless you pass one.

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
            self.passwordless = _choose_passwordless(passwordless, options)
            self._alone = Passed((self.passwordless.instance,))
            for inner in _find_wrapped(app):
                self.passwordless.instance.check_beside(inner.passwordless.instance)
        except ConfigError as error:
            if not is_made_late():
                raise
            self.problem = error
            self.__class__ = Misconfigured

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self._serve_other(scope, receive, send)
            return
        ours, caller, passed = self.passwordless, scope, self._alone
        ours.lifetime.ensure_started()
        if PASSED in scope:
            scope, passed = scope[PASSED].enter(scope, ours.instance)
        scope, path, page_path, root = locate(scope, ours.origin.path)
        below = page_path.removeprefix(ours.prefix)
        if below != page_path and below[:1] in ("", "/") and ours.routes.owns(below):
            ours.identities.annotate(scope, [], NOBODY, caller)  # our pages ask for themselves
            await ours.routes(below, {**scope, "root_path": root}, receive, send)
            return
        if ours.routes.at_root and page_path in ours.routes.at_root:
            ours.identities.annotate(scope, [], NOBODY, caller)
            scope = {**scope, "root_path": root}
            await ours.routes.serve_at_root(page_path, scope, receive, send)
            return

        signed, headers, others = ours.cookies.split(scope["headers"])
        unknown: ApiError | None = None
        try:
            held = ours.identities.resolve_held(scope, signed)
            identity = held or await ours.identities.of(scope, signed)
        except ApiError as error:
            identity, unknown = NOBODY, error
        is_in = identity.session is not None
        passes = is_in or ours.gate.public.includes(path, scope.get("raw_path"))
        if unknown is not None or not (passes or ours.gate.passes_preflight(scope)):
            ours.identities.annotate(scope, [], NOBODY, caller)
            refusal = ours.gate.refuse({**scope, "root_path": root}, page_path, unknown)
            await refusal(scope, receive, send)
            return

        app_scope = ours.identities.annotate(scope, headers, identity, caller)
        app_scope[PASSED] = passed if not others else passed.with_cookies(others)
        app, vary = self.app, ours.vary if is_in else None
        if is_in and (kind == "websocket" or ours.end_streams):
            app = ours.open_connections.around(app, identity)
        await serve_shown(app, app_scope, receive, send, caller, identity, vary)

    async def _serve_other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a lifespan, or what no ASGI specification that we know names."""
        ours = self.passwordless
        if scope["type"] == "lifespan":
            close = ours.lifetime.close
            await serve_lifespan(self.app, scope, receive, send, start=self._start, close=close)
            return
        if not ours.gate.public.all:
            raise ValueError(f"the login does not know ASGI scope type {scope['type']!r}; refused")
        app_scope = ours.identities.annotate(scope, [], NOBODY, scope)
        await self.app(app_scope, receive, send)

    async def _start(self) -> None:
        ours = self.passwordless
        warn_of_shadowed(self.app, prefix=ours.prefix, routes=ours.routes)
        ours.check_served()
        await ours.lifetime.open()


class Misconfigured(PasswordlessMiddleware):
    """Stand for a middleware whose options are wrong, where nobody would have seen the error.

    Attributes:
        problem: the error.
    """

    problem: ConfigError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Fail the startup, or every request, in one line."""
        await serve_problem(self.problem, scope, receive, send)


def _choose_passwordless(passwordless: Passwordless | None, options: Options) -> Passwordless:
    if passwordless is None:
        return Passwordless(**options)
    if options:
        names = ", ".join(sorted(options))
        raise ConfigError("passwordless", f"set {names} there, where it is made")
    check_kind("passwordless", passwordless, Passwordless, example="Passwordless(...)")
    return passwordless


def _find_wrapped(app: object) -> Iterator[PasswordlessMiddleware]:
    """Find the instances that an app wraps, as far as its `.app` attributes lead."""
    for _ in range(50):
        if isinstance(app, PasswordlessMiddleware) and not isinstance(app, Misconfigured):
            yield app
        app = getattr(app, "app", None)
