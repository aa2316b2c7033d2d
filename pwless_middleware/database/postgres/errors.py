"""Errors of PostgreSQL, explained so that the reader knows what to do.

Every exception of asyncpg and every `OSError` becomes a `StoreError` or a `ConfigError` at this
floor; nothing above it knows asyncpg. The texts name options and commands, never a password or a
value. PostgreSQL and asyncpg quote values of rows in their messages, so those are not chained.
"""

from __future__ import annotations

import socket
import ssl
from typing import Final

import asyncpg
from asyncpg import exceptions as pg

from pwless_middleware.errors import ConfigError, StoreError, StoreTimeout

FAULTS: Final[tuple[type[Exception], ...]] = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    EOFError,
)
"""What asyncpg raises where the server cannot be asked, or refuses."""

LOST: Final[tuple[type[Exception], ...]] = (
    pg.PostgresConnectionError,
    pg.AdminShutdownError,
    pg.CrashShutdownError,
    pg.CannotConnectNowError,
    pg.IdleInTransactionSessionTimeoutError,
    pg.ReadOnlySQLTransactionError,
    OSError,
)
"""The connection is gone, or is one to a server that is a primary no longer; another may do."""

AGAIN: Final[tuple[type[Exception], ...]] = (
    pg.SerializationError,
    pg.DeadlockDetectedError,
    pg.InvalidCachedStatementError,
)
"""The transaction was undone because of others, and is to be done again from its beginning."""

_Table = tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...]

_POOLED = "it is behind pgbouncer in transaction mode: add ?pgbouncer=true to the URL"
_READ_ONLY = "this is no primary, or one that is read-only: name the primary in the URL"
_NOT_NOW = "it is starting up or shutting down"

_REFUSED: Final[_Table] = (
    (pg.InvalidPasswordError, "it refuses the user name or password: correct the URL"),
    (pg.InvalidAuthorizationSpecificationError, "it refuses the user: {message}"),
    (pg.InvalidCatalogNameError, "there is no such database: make it, or correct the URL"),
    (pg.InvalidSchemaNameError, "the schema of its search_path is missing: CREATE SCHEMA …"),
)
"""What a connection is refused for, and will be again."""

_OF_THE_URL: Final[_Table] = (
    (pg.UndefinedObjectError, "a parameter of the URL is unknown to it: {message}"),
    (pg.InvalidParameterValueError, "a parameter of the URL is wrong: {message}"),
    (pg.CantChangeRuntimeParamError, "a parameter of the URL may not be set: {message}"),
    (pg.ProtocolViolationError, f"it does not take a parameter; if {_POOLED}"),
    (pg.ClientConfigurationError, "a parameter of the URL is wrong: {message}"),
)
"""The same, of errors that mean something else once it stands."""

_BY_CLASS: Final[_Table] = (
    *_REFUSED,
    (
        pg.InsufficientPrivilegeError,
        "the user may not do this ({message}): GRANT it, for tables also CREATE on the schema, or "
        "let somebody who may run what `pwless schema` prints",
    ),
    (pg.UndefinedTableError, "a table is missing ({message}): is it the right database?"),
    (pg.TooManyConnectionsError, "it has no connection left: set ?pool_size= lower, or raise its "
     "max_connections"),
    ((pg.TargetServerAttributeNotMatched, pg.ReadOnlySQLTransactionError), _READ_ONLY),
    ((pg.DuplicatePreparedStatementError, pg.InvalidSQLStatementNameError), _POOLED),
    (pg.DiskFullError, "its disk is full"),
    (pg.OutOfMemoryError, "it is out of memory"),
    (pg.LockNotAvailableError, "somebody else holds a lock for too long"),
    (pg.SerializationError, "too many write the same at once"),
    (pg.DeadlockDetectedError, "too many write the same at once"),
    ((pg.CannotConnectNowError, pg.AdminShutdownError, pg.CrashShutdownError), _NOT_NOW),
    (pg.IndexCorruptedError, "an index is corrupt: REINDEX it ({message})"),
    (pg.DataCorruptedError, "its data is corrupt: restore a backup ({message})"),
    (pg.PostgresConnectionError, "the connection was lost"),
    (socket.gaierror, "the host of the URL is not found"),
    (OSError, "it cannot be reached: is it running, and is the URL right?"),
)  # fmt: skip


def explain(fault: BaseException) -> StoreError:
    """Make the error for the caller from what asyncpg raised."""
    if isinstance(fault, TimeoutError):
        error: StoreError = StoreTimeout(
            "PostgreSQL: it does not answer in time: it hangs, or the network to it does"
        )
    else:
        error = StoreError(f"PostgreSQL: {_advise(fault)}")
    if isinstance(fault, OSError):
        error.__cause__ = fault
    error.__suppress_context__ = True
    return error


def explain_refusal(fault: BaseException) -> ConfigError | StoreError:
    """Make the error of a connection that cannot be made, now or ever."""
    known = any(isinstance(fault, kind) for kind, _ in (*_REFUSED, *_OF_THE_URL))
    if known or isinstance(fault, ssl.SSLError) or _lacks_tls(fault):
        refusal = ConfigError("database", f"PostgreSQL: {_advise(fault, _OF_THE_URL)}")
        refusal.__suppress_context__ = True
        return refusal
    return explain(fault)


def _advise(fault: BaseException, first: _Table = ()) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({fault.verify_message}): use the name it is made "
            "for, and name a private authority by ?sslrootcert=/path/ca.pem"
        )
    if isinstance(fault, ssl.SSLError):
        return f"TLS fails: {fault.reason}"
    if _lacks_tls(fault):
        return "sslmode asks for TLS, and it has none"
    message = str(fault.args[0]) if fault.args else ""
    for kind, advice in (*first, *_BY_CLASS):
        if isinstance(fault, kind):
            return advice.replace("{message}", message)
    if isinstance(fault, asyncpg.PostgresError):
        return _name(fault, message)
    return f"it was asked wrongly: {type(fault).__name__}"


def _name(fault: asyncpg.PostgresError, message: str) -> str:
    """Return what an error says, but not the values that classes 22 and 23 quote."""
    state = fault.sqlstate or ""
    if state[:2] in ("22", "23"):
        where = getattr(fault, "constraint_name", None) or getattr(fault, "column_name", None)
        message = f"on {where}" if where else ""
    return f"it refused: {type(fault).__name__} {state} {message}".rstrip()


def _lacks_tls(fault: BaseException) -> bool:
    return isinstance(fault, ConnectionError) and "rejected SSL upgrade" in str(fault)
