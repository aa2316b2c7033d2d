"""Errors of Redis, explained so that the reader knows what to do.

Every exception of redis-py, every timeout and every `OSError` becomes a `StoreError` at this floor;
nothing above it knows Redis. The texts name options and commands, never a password, key or value.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Iterator

import redis.exceptions

from pwless_middleware.errors import StoreError, StoreTimeout

FAULTS: tuple[type[Exception], ...] = (
    redis.exceptions.RedisError,
    redis.exceptions.RedisClusterException,
    OSError,
    TimeoutError,
    EOFError,
)
"""What redis-py raises when a server cannot be asked; a cluster's errors have their own root."""

_ACL = "the ACL user may not do this: grant `~<prefix>:*`, `&<prefix>:*` and +@all"
_FULL = "it is full: raise its `maxmemory`"
_REPLICA = "this is a read-only replica: connect to the primary, or through Sentinel"
_ORPHAN = "this replica has lost its primary: connect to the primary"
_LOADING = "it is still loading its data"
_NODE = "this is a node of a Redis Cluster: pass a redis.asyncio.RedisCluster client"
_SLOTS = "the cluster has lost a part of its slots"

_BY_TEXT = (
    ("without any password configured", "it has no password, but the URL has one: remove it"),
    ("AUTH called with", "it has no password, but the URL has one: remove it"),
    ("WRONGTYPE", "a key of ours has another type, so others write here: set another `prefix`"),
    ("NOPERM", _ACL),
    ("The user executing the script can't", _ACL),  # Redis
    ("ACL failure in script", _ACL),  # Valkey
    ("OOM", _FULL),
    ("READONLY", _REPLICA),
    ("previous master is now a slave", _REPLICA),  # redis-py behind Sentinel
    ("MASTERDOWN", _ORPHAN),
    ("MISCONF", "it cannot save to disk and refuses writes: look into its log"),
    ("NOREPLICAS", "it has fewer replicas than `min-replicas-to-write` asks for"),
    ("BUSY", "it is busy with somebody's script"),
    ("CROSSSLOT", _NODE),
    ("nknown Redis command", "it lacks a command: run Redis or Valkey from 6.2"),  # in a script
    ("nknown command", "it lacks a command: run Redis or Valkey from 6.2"),
    ("No connection available", "all connections are busy: it is slow, or `max_connections` low"),
)
"""What a message holds, where redis-py has no class for it, or loses it inside a script's error."""

_BY_CLASS = (
    (redis.exceptions.AuthenticationError, "user name or password: correct the store's URL"),
    (redis.exceptions.AuthenticationWrongNumberOfArgsError, "password: correct the store's URL"),
    (redis.exceptions.NoPermissionError, _ACL),
    (redis.exceptions.OutOfMemoryError, _FULL),
    (redis.exceptions.ReadOnlyError, _REPLICA),
    (redis.exceptions.MasterDownError, _ORPHAN),
    (redis.exceptions.BusyLoadingError, _LOADING),
    (redis.exceptions.MovedError, _NODE),
    (redis.exceptions.AskError, _NODE),
    (redis.exceptions.ClusterDownError, _SLOTS),
    (redis.exceptions.SlotNotCoveredError, _SLOTS),
    (
        (OSError, EOFError, redis.exceptions.ConnectionError),
        "it cannot be reached: is it running, and is the store's URL right?",
    ),
)
"""In this order: a login that fails is a kind of `ConnectionError` to redis-py."""


_FORBIDDEN = re.compile(r"no permissions to run the '([a-z]+)")
"""The command that an ACL forbids; a script's error holds it from Redis 7.2."""

_TIMEOUTS = (TimeoutError, redis.exceptions.TimeoutError)


def explain(fault: BaseException) -> StoreError:
    """Make the error for the caller from what redis-py raised, with the fault as its cause.

    A server that does not know a command quotes its arguments: keys, values, a password. Such a
    fault is not chained.
    """
    if isinstance(fault, StoreError):
        return fault
    error = _explain(fault)
    if "args beginning with" not in str(fault):
        error.__cause__ = fault
    return error


def forbidden(commands: Iterable[str]) -> StoreError:
    """Make the error of an ACL that forbids these commands, with the rules that are missing."""
    names = list(commands)
    rules = " ".join(f"+{name.lower()}" for name in names)
    return StoreError(
        f"Redis: the ACL user may not run {', '.join(names)}: ACL SETUSER <user> {rules}"
    )


def _explain(fault: BaseException) -> StoreError:
    text = str(fault)
    command = _FORBIDDEN.search(text)
    if command is not None:
        return forbidden([command[1].upper()])
    for mark, advice in _BY_TEXT:
        if mark in text:
            return StoreError(f"Redis: {advice}")
    for cause in _causes(fault):
        if isinstance(cause, ssl.SSLError):
            return StoreError(f"Redis: {_about_tls(cause)}")
    if isinstance(fault, _TIMEOUTS):
        return StoreTimeout(
            "Redis: it does not answer in time: it hangs, or the network to it does"
        )
    for kind, advice in _BY_CLASS:
        if isinstance(fault, kind):
            return StoreError(f"Redis: {advice}")
    return StoreError(f"Redis refused: {type(fault).__name__}")


def replica_error() -> StoreError:
    """Make the error of a server that is a replica."""
    return StoreError(f"Redis: {_REPLICA}")


def refusal(error: str) -> StoreError | None:
    """Explain why a server refused a write, if none of its answers may be trusted then.

    A server that is full or cannot save is a primary with our data; what it answers is true.
    """
    return replica_error() if "READONLY" in error else None


def is_demoted(error: StoreError) -> bool:
    """Whether the server says that it is no primary, or no longer."""
    return str(error) in (f"Redis: {_REPLICA}", f"Redis: {_ORPHAN}")


def _about_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({error.verify_message}): use the name it is made "
            "for, and name a private authority by ?ssl_ca_certs=/path/ca.pem"
        )
    return f"TLS fails ({error}): rediss:// speaks TLS, redis:// does not"


def _causes(fault: BaseException) -> Iterator[BaseException]:
    """Walk from an exception to what it came from; redis-py chains without `from`."""
    cause: BaseException | None = fault
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
