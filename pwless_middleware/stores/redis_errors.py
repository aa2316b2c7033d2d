"""What went wrong with Redis, said so that the reader knows what to do.

Every exception of redis-py, every timeout and every `OSError` becomes a `StoreError` at this floor;
nothing above it knows Redis. The texts name options and commands, never a password, key or value.
"""

from __future__ import annotations

import redis.exceptions

from pwless_middleware.errors import StoreError

FAULTS: tuple[type[Exception], ...] = (
    redis.exceptions.RedisError,
    redis.exceptions.RedisClusterException,
    OSError,
    TimeoutError,
    EOFError,
)
"""What redis-py raises when a server cannot be asked; a cluster's errors have their own root."""

_ADVICE = (
    ("WRONGTYPE", "a key of ours has another type, so others write here: set another `prefix`"),
    ("WRONGPASS", "the user name or password is wrong: correct the store's URL"),
    ("invalid username-password", "the user name or password is wrong: correct the store's URL"),
    ("invalid password", "the password is wrong: correct the store's URL"),
    ("NOAUTH", "the server asks for a password: put it into the store's URL"),
    ("without any password configured", "the server has no password, the URL has one: remove it"),
    ("NOPERM", "the ACL user may not do this: grant `~<prefix>:* &<prefix>:*` and +@all"),
    ("can't access one of the keys", "the ACL user may not use our keys: grant `~<prefix>:*`"),
    ("OOM", "Redis is full: raise its `maxmemory`"),
    ("READONLY", "this is a read-only replica: connect to the primary, or through Sentinel"),
    ("MASTERDOWN", "this replica has lost its primary"),
    ("MISCONF", "Redis cannot save to disk and refuses writes: look into its log"),
    ("NOREPLICAS", "Redis has fewer replicas than `min-replicas-to-write` asks for"),
    ("LOADING", "Redis is still loading its data"),
    ("is loading", "Redis is still loading its data"),
    ("BUSY", "Redis is busy with somebody's script"),
    ("unknown command", "the server lacks a command: Redis or Valkey from 6.2 is needed"),
    ("No connection available", "all connections are busy: it is slow, or `max_connections` low"),
    ("MOVED", "this is a node of a Redis Cluster: pass a redis.asyncio.RedisCluster client"),
    ("CROSSSLOT", "this is a node of a Redis Cluster: pass a redis.asyncio.RedisCluster client"),
    ("CLUSTERDOWN", "the cluster has lost a part of its slots"),
)


def explain(fault: BaseException) -> StoreError:
    """Make the error for the caller from what redis-py raised; the fault goes in as its cause."""
    text = str(fault)
    for mark, advice in _ADVICE:
        if mark in text:
            return StoreError(f"Redis: {advice}")
    if isinstance(fault, TimeoutError | redis.exceptions.TimeoutError):
        return StoreError("Redis does not answer in time: it hangs, or the network to it does")
    if isinstance(fault, OSError | redis.exceptions.ConnectionError):
        return StoreError("Redis cannot be reached: is it running, and is the store's URL right?")
    return StoreError(f"Redis refused: {type(fault).__name__}")
