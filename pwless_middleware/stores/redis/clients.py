"""Clients of redis-py: made from a URL, or once more from one that was passed in.

A URL gets connections of our own: a blocking pool, no retries, and no timeouts
of its own, since the deadline around each question does it better (`deadline`). A host whose
first address is dead is reached at the next one (RFC 8305, "Happy Eyeballs").
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import redis.asyncio
from redis.asyncio.connection import BlockingConnectionPool, Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff

from pwless_middleware.dialing import dial
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.stores.redis.errors import FAULTS

PASS: Final = "pass a URL like redis://localhost:6379/0, or a redis.asyncio client"  # noqa: S105 # a hint
_POOL_SIZE: Final = 40
_BAD_URL: Final[tuple[type[Exception], ...]] = (ValueError, TypeError, *FAULTS)


class _Eager(Connection):
    """Connect by `dial`: asyncio's own way is not that of every event loop (uvloop has none)."""

    _dialled: socket.socket | None = None

    async def _connect(self) -> None:
        self._dialled = await dial(self.host, self.port)
        try:
            await super()._connect()  # type: ignore[no-untyped-call]  # redis-py
        except BaseException:
            self._dialled.close()
            raise
        finally:
            self._dialled = None

    def _connection_arguments(self) -> Mapping[str, Any]:
        arguments = dict(super()._connection_arguments())
        host = arguments.pop("host")
        del arguments["port"]
        if "ssl" in arguments:
            arguments["server_hostname"] = host  # whom the certificate has to name
        return {**arguments, "sock": self._dialled}


class _EagerSSL(_Eager, SSLConnection):
    pass


def new_client(url: str) -> Any:
    """Make a client from a URL; it connects when it is first used.

    Raises:
        ConfigError: this is no URL of a Redis. It does not quote the URL: a password with `/`, `#`
            or `?` in it is read as a port, a path or a fragment, and would stand in the message.
    """
    problem = _problem(url)
    pool: Any = None
    if problem is None:
        try:
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=_POOL_SIZE,
                timeout=None,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
            )
            eager = {Connection: _Eager, SSLConnection: _EagerSSL}
            pool.connection_class = eager.get(pool.connection_class, pool.connection_class)
            # redis-py finds some mistakes in a URL only when it makes the first connection.
            pool.connection_class(**pool.connection_kwargs)
        except _BAD_URL:
            problem = "this is no Redis URL"
    if problem is not None:
        # Out here, so that no exception which quotes the URL is chained.
        raise ConfigError("store", f"{problem}; {PASS}")
    return redis.asyncio.Redis(connection_pool=pool)


def _problem(url: str) -> str | None:
    """Return what is wrong with a URL that redis-py would read as another host, or `None`."""
    if url != url.strip():
        return "a space or a line break stands at an end of the URL: remove it"
    try:
        parts = urlsplit(url)
        rest = parts.path + parts.query
    except ValueError:
        return "this is no Redis URL"
    is_local = parts.scheme == "unix"
    if parts.fragment or (not is_local and ("@" in rest or "/" in parts.path[1:])):
        return "write / ? # and @ in its password as %2F %3F %23 and %40"
    return None


def copy_of(client: Any) -> Any:
    """Make a client like one that was passed in, with connections of its own.

    Connections belong to the event loop they were made in, and a test client makes a loop for each
    request.

    Raises:
        StoreError: it cannot be told how; says what to do.
    """
    pool = getattr(client, "connection_pool", None)
    if pool is None or isinstance(pool, SentinelConnectionPool):
        raise StoreError(_OTHER_LOOP)
    kwargs = shared_options(pool.connection_kwargs)
    if isinstance(pool, BlockingConnectionPool):
        kwargs["timeout"] = pool.timeout
    try:
        new = type(pool)(
            connection_class=pool.connection_class, max_connections=pool.max_connections, **kwargs
        )
    except (TypeError, ValueError, AttributeError) as fault:
        raise StoreError(_OTHER_LOOP) from fault
    return redis.asyncio.Redis(connection_pool=new)


_OTHER_LOOP: Final = (
    "Redis: the client belongs to another event loop: pass a URL, or make the store where the "
    "app's own loop runs"
)


def shared_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Take from a connection's options what belongs to its own pool (redis-py's maintenance)."""
    return {
        name: value
        for name, value in options.items()
        if "maint" not in name and not name.startswith("orig_")
    }
