"""The settings of `run`: read from the environment, completed for development.

Options are written into the environment, so that every worker process reads the same; this is the
only place that knows the variables' names.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.local_files import complete_database
from pwless_middleware.errors import ConfigError
from pwless_middleware.web.routing.origin import Origin, is_local

_YES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an app is wrapped; the meanings are those of `Passwordless`.

    Attributes:
        app: `module:app`.
        factory: whether `app` makes the app.
        wsgi: whether it is a WSGI app.
        origin: the public address; `http` on localhost means development.
        secret_key: oldest first; commas or whitespace stand between keys.
        smtp_url, sender: of the mail server; `None` keeps mails in the `Outbox`.
        redis_url: of the store; `None` keeps it in the database, or without one in the process.
        database_url: of the database; `None` is none.
        allow: who may sign in; `None` leaves it to the settings in the database, or to everybody.
        brand_name: the product's name; `None` takes the host's.
        public, identity_header, set_scope_user, prefix, trusted_proxies, bearer: as there.
        cookie_name, unsafe_http, require_socket_origin: as there.
    """

    app: str
    factory: bool
    wsgi: bool
    origin: Origin
    secret_key: tuple[str, ...] = field(repr=False)
    smtp_url: str | None = field(repr=False)
    sender: str | None
    redis_url: str | None = field(repr=False)
    database_url: str | None = field(repr=False)
    allow: tuple[str, ...] | None
    public: tuple[str, ...]
    identity_header: str | None
    set_scope_user: bool
    prefix: str
    brand_name: str | None
    trusted_proxies: int | tuple[str, ...]
    bearer: bool
    cookie_name: str | None
    unsafe_http: bool
    require_socket_origin: bool

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Read the `PWLESS_…` variables.

        Raises:
            ConfigError: something that is needed is missing, and what to set.
            UsageError: something cannot be read.
        """

        def text(name: str) -> str | None:
            return environ.get(f"PWLESS_{name}", "").strip() or None

        def words(name: str) -> tuple[str, ...]:
            return tuple(part.strip() for part in (text(name) or "").split(",") if part.strip())

        app = text("APP")
        if app is None:
            raise ConfigError("app", "set PWLESS_APP to module:app")
        unsafe_http = _unsafe_http(environ)
        origin = Origin(
            _require(text("BASE_URL"), "base_url", "the https address people open"),
            unsafe_http=unsafe_http,
        )
        keys = tuple((text("SECRET_KEY") or "").replace(",", " ").split())
        if not keys:
            raise ConfigError(
                "secret_key",
                "set PWLESS_SECRET_KEY or --secret-key-file to a key of `pwless secret`",
            )
        smtp_url, sender = text("SMTP_URL"), text("SENDER")
        if smtp_url is None and not origin.is_development:
            raise ConfigError("mailer", "set --smtp-url or PWLESS_SMTP_URL: who sends the emails?")
        if smtp_url is not None and sender is None:
            raise ConfigError("sender", "set --sender or PWLESS_SENDER, e.g. login@acme.example")
        allow = words("ALLOW")
        if not allow and not origin.is_development:
            raise ConfigError(
                "allow", "say who may sign in: --allow '*@acme.example', or --allow '*' for all"
            )
        return cls(
            app=app,
            factory=_switch(text("FACTORY"), "FACTORY", default=False),
            wsgi=_switch(text("WSGI"), "WSGI", default=False),
            origin=origin,
            secret_key=keys,
            smtp_url=smtp_url,
            sender=sender,
            redis_url=text("REDIS_URL"),
            database_url=text("DATABASE_URL"),
            allow=allow or None,
            public=words("PUBLIC"),
            identity_header=text("IDENTITY_HEADER"),
            set_scope_user=_switch(text("SET_SCOPE_USER"), "SET_SCOPE_USER", default=True),
            prefix=text("PREFIX") or "/auth",
            brand_name=text("BRAND_NAME"),
            trusted_proxies=_proxies(words("TRUSTED_PROXIES")),
            bearer=_switch(text("BEARER"), "BEARER", default=False),
            cookie_name=text("COOKIE_NAME"),
            unsafe_http=unsafe_http,
            require_socket_origin=_switch(
                text("REQUIRE_SOCKET_ORIGIN"), "REQUIRE_SOCKET_ORIGIN", default=False
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where and how `run` serves."""

    host: str
    port: int
    workers: int
    root_path: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Listening:
        """Read the variables; the root path is that of the base URL where none is set.

        Raises:
            UsageError: a number is none.
            ConfigError: the base URL is none, or the root path is neither its path nor empty.
        """
        base_url = environ.get("PWLESS_BASE_URL")
        unsafe_http = _unsafe_http(environ)
        people = Origin(base_url, unsafe_http=unsafe_http).path if base_url else ""
        root_path = environ.get("PWLESS_ROOT_PATH", people).rstrip("/")
        if root_path not in ("", people):
            raise ConfigError(
                "root_path", f"set {people or 'none'}, the path of the base URL, not {root_path}"
            )
        return cls(
            host=environ.get("PWLESS_HOST") or "127.0.0.1",
            port=_number(environ, "PORT", 8000, 65_535),
            workers=_number(environ, "WORKERS", 1, 256),
            root_path=root_path,
        )


def complete(environ: MutableMapping[str, str], *, key_file: str | None) -> list[str]:
    """Add what development does not need to be told, and say what was added.

    Only on this machine: a public address gets no default of any kind.

    Args:
        environ: the variables; written to.
        key_file: where the keys stand, one a line, oldest first; `None` for no file.

    Returns:
        A line for each thing that a person should know.

    Raises:
        UsageError: the file cannot be read.
        ConfigError: the base URL is wrong, or missing where people come from elsewhere.
    """
    if key_file is not None:
        try:
            environ["PWLESS_SECRET_KEY"] = Path(key_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--secret-key-file: {key_file} cannot be read: {error}") from None
    listening = Listening.read(environ)
    if not environ.get("PWLESS_BASE_URL") and is_local(listening.host):
        environ["PWLESS_BASE_URL"] = f"http://localhost:{listening.port}"
    said = []
    base_url = environ.get("PWLESS_BASE_URL")
    if base_url and Origin(base_url, unsafe_http=_unsafe_http(environ)).is_development:
        said += complete_database(environ)
        if not environ.get("PWLESS_SMTP_URL"):
            said.append("no PWLESS_SMTP_URL: emails stay on this machine, at the address below")
    return said


def _require(value: str | None, option: str, what: str) -> str:
    if value is None:
        flag = option.replace("_", "-")
        raise ConfigError(option, f"set --{flag} or PWLESS_{option.upper()} to {what}")
    return value


def _unsafe_http(environ: Mapping[str, str]) -> bool:
    value = environ.get("PWLESS_UNSAFE_HTTP", "").strip() or None
    return _switch(value, "UNSAFE_HTTP", default=False)


def _switch(value: str | None, name: str, *, default: bool) -> bool:
    if value is None:
        return default
    if value.lower() not in _YES:
        raise UsageError(f"PWLESS_{name}: set 1 or 0")
    return _YES[value.lower()]


def _number(environ: Mapping[str, str], name: str, default: int, most: int) -> int:
    value = environ.get(f"PWLESS_{name}") or str(default)
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= most):
        raise UsageError(f"--{name.lower()}: set a whole number from 1 to {most}")
    return int(value)


def _proxies(words: tuple[str, ...]) -> int | tuple[str, ...]:
    if len(words) == 1 and words[0].isascii() and words[0].isdigit():
        return int(words[0])
    return words or 0
