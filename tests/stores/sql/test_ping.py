"""A look at the store finds what visitors would: a table that cannot be written, too."""

from __future__ import annotations

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement
from pwless_middleware.errors import StoreError
from pwless_middleware.stores.base import Put, Writes
from pwless_middleware.stores.sql import SQLStore

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
TAKE_AWAY = Statement("ALTER TABLE pwless_entries RENAME TO elsewhere")
BRING_BACK = Statement("ALTER TABLE elsewhere RENAME TO pwless_entries")


async def test_a_table_that_cannot_be_written_is_found(database: Database) -> None:
    store = SQLStore(database)
    await store.write(Writes((Put("k", b"v", NOW + 60),)), now=NOW, op="1")
    await store.ping()
    await database.execute(TAKE_AWAY())
    with pytest.raises(StoreError):
        await store.ping()
    await database.execute(BRING_BACK())
    await store.ping()
    assert await store.read("k", now=NOW) == b"v"
