"""The store on a database: one file that the processes of a machine share, or PostgreSQL."""

from __future__ import annotations

from pwless_middleware.stores.sql.store import SQLStore

__all__ = ["SQLStore"]
