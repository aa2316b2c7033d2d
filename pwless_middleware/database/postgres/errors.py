"""Errors of PostgreSQL, explained so that the reader knows what to do.

Every exception of asyncpg and every `OSError` becomes a `StoreError` or a `ConfigError` at this
floor. The texts name options and commands, never a password or a value: PostgreSQL quotes values of
rows in the details of its messages, which are therefore neither shown nor chained.
"""

from __future__ import annotations

from typing import Final

import asyncpg

from pwless_middleware.errors import ConfigError, PwlessError, StoreError, StoreTimeout

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
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InterfaceError,
    OSError,
    EOFError,
)
"""The connection is gone, or is one to a server that is a primary no longer; another may do."""

AGAIN: Final[tuple[type[Exception], ...]] = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,
)
"""The transaction was undone because of others, and is to be done again from its beginning."""


def explain(fault: BaseException) -> PwlessError:
    """Make the error for the caller from what asyncpg raised."""
    if isinstance(fault, TimeoutError):
        return StoreTimeout("PostgreSQL: it does not answer in time")
    if isinstance(fault, asyncpg.InvalidAuthorizationSpecificationError):
        return ConfigError("database", "PostgreSQL refuses the user or the password of the URL")
    return StoreError(f"PostgreSQL: {type(fault).__name__}")
