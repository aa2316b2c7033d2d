"""The URL of a PostgreSQL database, as libpq has it, and two parameters of our own.

    postgresql://user:password@host:5432/name?sslmode=verify-full&sslrootcert=/etc/ca.pem
    postgresql://user@/name?host=/run/postgresql          over a Unix socket
    postgresql://user:password@one,two/name               whichever of the two is the primary
    …?pool_size=4                      connections of a process, and one more that listens
    …?pgbouncer=true                   behind pgbouncer in transaction mode
    …?search_path=login                tables in a schema of their own, which has to be there
    …?synchronous_commit=off           quicker; a crash of the server may take the last moments

What is neither libpq's nor ours is a setting of the session.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import ConfigError

POOL_SIZE: Final = 8
"""Connections of one process, unless the URL says otherwise; a server takes 100 by default."""
_MOST: Final = 100
_PORT: Final = 5432
_SETTINGS: Final = {
    "application_name": "pwless",
    # Who waits here has given up by then; a session that waits on would stay for nobody.
    "lock_timeout": "1500",
    "statement_timeout": "5000",
    # A machine that is cut off in the middle of a transaction leaves its locks behind.
    "idle_in_transaction_session_timeout": "3000",
}
"""Of each session, unless the URL says otherwise; in milliseconds."""
_ENCODE = "in a user name or password, write / as %2F, ? as %3F, # as %23, @ as %40, : as %3A"


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """What a URL says.

    Attributes:
        hosts: where the database may be, each a name or a folder with its port.
        options: further arguments of `asyncpg.connect`; not shown, there is a password in them.
        pool_size: connections of one event loop, at most.
        is_pooled: whether a transaction may come to another session than the one before it.
    """

    hosts: tuple[tuple[str, int], ...]
    options: dict[str, Any] = field(repr=False)
    pool_size: int
    is_pooled: bool


def read_postgres(url: str) -> PostgresUrl:
    """Return what a URL says; nothing is looked up.

    Raises:
        ConfigError: it is no such URL, and what to write. Shows nothing of it.
    """
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise _wrong("its parameters are name=value, with & between them") from None
    if parts.fragment or parts.netloc.count("@") > 1:
        raise _wrong(_ENCODE)
    query = dict(pairs)
    user, _, location = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    database = query.pop("dbname", "") or unquote(parts.path.removeprefix("/"))
    if not database or "/" in parts.path.removeprefix("/"):
        raise _wrong(f'end in the name of the database, "postgresql://user@host/name"; {_ENCODE}')
    hosts = _read_hosts(query.pop("host", "") or unquote(location), query.pop("port", ""))
    pool_size = _read_pool_size(query.pop("pool_size", str(POOL_SIZE)))
    is_pooled = _read_flag(query.pop("pgbouncer", "false"))
    # What pgbouncer does not know it refuses; there, transactions set theirs themselves.
    for setting, value in ({} if is_pooled else _SETTINGS).items():
        query.setdefault(setting, value)
    options: dict[str, Any] = {
        "dsn": f"postgresql:///?{urlencode(query)}",
        "database": database,
        "statement_cache_size": 0 if is_pooled else 200,
        "max_cached_statement_lifetime": 0,
    }
    if name:
        options["user"] = unquote(name)
    if password:
        options["password"] = unquote(password)
    return PostgresUrl(hosts, options, pool_size, is_pooled)


def _read_hosts(text: str, ports: str) -> tuple[tuple[str, int], ...]:
    given = ports.split(",") if ports else []
    hosts = []
    for place, host in enumerate((text or "localhost").split(",")):
        name, separator, port = host.rpartition(":")
        if not separator or host.startswith("/") or host.endswith("]"):
            name, port = host, ""
        port = port or (given[min(place, len(given) - 1)] if given else str(_PORT))
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise _wrong(f"its port is no number; {_ENCODE}")
        hosts.append((name.strip("[]") or "localhost", int(port)))
    return tuple(hosts)


def _read_pool_size(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= _MOST):
        raise _wrong(f"set pool_size to a number of connections from 1 to {_MOST}")
    return int(text)


def _read_flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise _wrong("set pgbouncer to true or false")
    return text == "true"


def _wrong(advice: str) -> ConfigError:
    return ConfigError("database", f"of the URL of PostgreSQL: {advice}")
