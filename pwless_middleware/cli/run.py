"""`run`: put a login in front of an app that nobody wants to edit, and serve it on uvicorn.

Every option has its `PWLESS_…` variable. `app_from_environment` makes the same app for any other
server: `PWLESS_APP=main:app granian --interface asgi --factory
pwless_middleware.cli.run:app_from_environment`.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pwless_middleware.cli.importing import UsageError, load
from pwless_middleware.core.options.callables import is_wsgi
from pwless_middleware.errors import ConfigError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from pwless_middleware.cli.settings import Settings
    from pwless_middleware.passwordless import Passwordless


@dataclass(frozen=True, slots=True)
class _Option:
    """Describe an option: its flag, its variable's name without `PWLESS_`, and what it takes.

    Attributes:
        flag: with its dashes.
        help: one line for `--help`.
        metavar: what its value is called; `None` for a switch.
        several: it may be given more than once; the variable has commas.
        switch: what the variable becomes where a switch is given.
        name: the variable's, without `PWLESS_`, where it is not that of the flag.
    """

    flag: str
    help: str
    metavar: str | None = None
    several: bool = False
    switch: str = "1"
    name: str = ""

    @property
    def variable(self) -> str:
        return "PWLESS_" + (self.name or self.flag.removeprefix("--").replace("-", "_").upper())


OPTIONS = (
    _Option("--factory", "module:app makes the app"),
    _Option("--wsgi", "the app is WSGI (Flask, Django); needs the extra [wsgi]"),
    _Option(
        "--allow", "who may sign in: address, *@domain, *@*.domain, *", "PATTERN", several=True
    ),
    _Option("--public", "a path that needs no login, exact or /*", "PATH", several=True),
    _Option("--base-url", "the https address that people open", "URL"),
    _Option("--smtp-url", "mail server; better in the variable, it has a password", "URL"),
    _Option("--sender", "whom emails come from", "ADDRESS"),
    _Option("--redis-url", "store; needed for several machines", "URL"),
    _Option(
        "--database", "what must last: sqlite:///…, or postgresql:…", "URL", name="DATABASE_URL"
    ),
    _Option("--identity-header", "hand the address on under this header", "NAME"),
    _Option("--cookie-name", "the session cookie (default: by the base URL)", "NAME"),
    _Option("--bearer", "take session tokens (Authorization: Bearer) on every path of the app"),
    _Option("--require-socket-origin", "refuse the cookie of websockets without an Origin header"),
    _Option("--unsafe-http", "take an http base URL of another machine, in a trusted network"),
    _Option("--no-scope-user", "leave scope['user'] alone", switch="0", name="SET_SCOPE_USER"),
    _Option("--prefix", "where the login's pages are (default: /auth)", "PATH"),
    _Option("--brand-name", "the name on pages and emails", "NAME"),
    _Option("--trusted-proxies", "how many stand in front, or their networks", "N|CIDR,…"),
    _Option("--host", "where to listen (default: 127.0.0.1)", "HOST"),
    _Option("--port", "and on which port (default: 8000)", "PORT"),
    _Option("--workers", "processes (default: 1)", "N"),
    _Option("--root-path", "path that a proxy takes off (default: base URL's)", "PATH"),
)


def add_to(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "run",
        help="serve an app behind a login",
        description="Wrap an app in a login and serve it on uvicorn. Without mail server and key "
        "it runs for development, on this machine only.",
        epilog="The secret key comes from PWLESS_SECRET_KEY or --secret-key-file alone, never from "
        "the command line, which other users of a machine can read.",
    )
    parser.add_argument("app", metavar="module:app", help="the app, e.g. main:app")
    for option in OPTIONS:
        text = f"{option.help} [{option.variable}]".replace("%", "%%")
        if option.metavar is None:
            parser.add_argument(option.flag, action="store_true", help=text)
        else:
            action = "append" if option.several else "store"
            parser.add_argument(option.flag, action=action, metavar=option.metavar, help=text)
    parser.add_argument("--secret-key-file", metavar="FILE", help="keys, one a line, oldest first")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal comes.

    Raises:
        ConfigError, UsageError: it cannot be served so.
        AppFailed: the app's own code raised.
    """
    from pwless_middleware.cli.serving import check_port, log_config
    from pwless_middleware.cli.settings import Listening, Settings, complete

    try:
        import uvicorn
    except ImportError:
        raise UsageError("run needs uvicorn: pip install 'pwless-middleware[run]'") from None
    os.environ["PWLESS_APP"] = options.app
    for option in OPTIONS:
        given = getattr(options, option.flag.removeprefix("--").replace("-", "_"))
        if given:
            value = option.switch if given is True else given
            os.environ[option.variable] = ",".join(value) if option.several else value
    said = complete(os.environ, key_file=options.secret_key_file)
    listening, settings = Listening.read(os.environ), Settings.read(os.environ)
    if listening.workers > 1:
        _check_sharing(settings)
    # Once here, where a mistake is one line; the workers do the same for themselves.
    build(settings)
    _inner(settings, call=False)
    check_port(listening.host, listening.port)
    print(f"pwless: {settings.app} behind a login at {settings.origin.url}/", flush=True)
    for line in said:
        print(f"pwless: {line}", flush=True)
    uvicorn.run(
        f"{__name__}:app_from_environment",
        factory=True,
        host=listening.host,
        port=listening.port,
        workers=listening.workers,
        root_path=listening.root_path,
        # Ours reads them, as trusted_proxies says; uvicorn would believe anybody on this machine.
        proxy_headers=False,
        log_config=log_config(),
    )
    return 0


def app_from_environment() -> ASGIApp:
    """Make the wrapped app from the `PWLESS_…` variables alone, for any ASGI server.

    Raises:
        ConfigError, UsageError, AppFailed: as `run`.
    """
    from pwless_middleware.cli.settings import Settings
    from pwless_middleware.middleware import PasswordlessMiddleware

    settings = Settings.read(os.environ)
    wrapped = PasswordlessMiddleware(_inner(settings, call=True), passwordless=build(settings))
    return _Scheme(wrapped) if settings.origin.is_secure else wrapped


def build(settings: Settings) -> Passwordless:
    """Make the login that the settings describe."""
    from pwless_middleware import Brand, EmailLogin, Outbox, Passwordless, SMTPMailer
    from pwless_middleware.delivery.base import Mailer
    from pwless_middleware.stores.base import Store

    mailer: Mailer = Outbox()
    if settings.smtp_url is not None and settings.sender is not None:
        mailer = SMTPMailer(settings.smtp_url, sender=settings.sender)
    store: Store | None = None
    if settings.redis_url is not None:
        from pwless_middleware import RedisStore  # its import costs 0.7 s

        store = RedisStore(settings.redis_url)
    return Passwordless(
        secret_key=settings.secret_key,
        base_url=settings.origin.url,
        mailer=mailer,
        store=store,
        database=settings.database_url,
        # What is given here is fixed; else it is an operator's to set.
        features=[EmailLogin(allow=settings.allow) if settings.allow else EmailLogin()],
        public=settings.public,
        prefix=settings.prefix,
        brand=Brand(settings.brand_name) if settings.brand_name is not None else None,
        trusted_proxies=settings.trusted_proxies,
        bearer=settings.bearer,
        cookie_name=settings.cookie_name,
        unsafe_http=settings.unsafe_http,
        require_socket_origin=settings.require_socket_origin,
        identity_header=settings.identity_header,
        set_scope_user=settings.set_scope_user,
    )


class _Scheme:
    """Tell the app that it is served over https, as people see it.

    The proxy in front ends TLS, so the server would say http, and the app write such links. The
    configured origin says it, not a header that anybody can send (security rule 7).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            scheme = "https" if scope["type"] == "http" else "wss"
            scope = {**scope, "scheme": scheme}
        await self.app(scope, receive, send)


def _check_sharing(settings: Settings) -> None:
    """Refuse several processes that would not know of each other's logins."""
    if settings.redis_url is None and settings.database_url is None:
        raise ConfigError("store", "several workers share a store: set --database or --redis-url")
    if settings.smtp_url is None:
        raise ConfigError("mailer", "several workers have no common mailbox: set --smtp-url")


def _inner(settings: Settings, *, call: bool) -> ASGIApp:
    """Return the app that is to be wrapped, as ASGI."""
    app: Any = load(settings.app, factory=settings.factory, call=call)
    if settings.wsgi:
        try:
            from a2wsgi import WSGIMiddleware
        except ImportError:
            raise UsageError("--wsgi needs a2wsgi: pip install 'pwless-middleware[wsgi]'") from None
        app = WSGIMiddleware(app)
    elif is_wsgi(app):
        raise UsageError(f"{settings.app} looks like a WSGI app (Flask, Django): add --wsgi")
    inner: ASGIApp = app
    return inner
