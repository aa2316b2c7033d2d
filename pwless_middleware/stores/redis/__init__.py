"""The shared store; importing this package imports redis-py, which takes 0.7 s."""

from __future__ import annotations

from pwless_middleware.stores.redis.store import RedisStore

__all__ = ["RedisStore"]
