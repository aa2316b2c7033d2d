"""Which role somebody has: held in process, and told within 100 ms (security rules 60 and 63)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.operators.operator import Role
from pwless_middleware.core.operators.stored_operator import StoredOperator
from pwless_middleware.core.people.user import User
from pwless_middleware.database.database import Database
from pwless_middleware.database.operators.operators import SQLOperators
from pwless_middleware.errors import StoreError
from pwless_middleware.flows.operators.operator_roles import OperatorRoles
from pwless_middleware.flows.signals.signals import Signals
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.stores.sql import SQLStore

pytestmark = pytest.mark.anyio

NOW = 1_767_225_600
OPS = Address("ops@acme.example")
JO = User(id="jo", email="jo@example.com")


class Counted(SQLOperators):
    """Count the questions, and fail where it is wanted."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked = 0
        self.is_down = False

    async def list(self) -> Sequence[StoredOperator]:
        """Return all who are operators."""
        self.asked += 1
        if self.is_down:
            raise StoreError("the database is down")
        return await super().list()


@pytest.fixture
async def repository(tmp_path: Path) -> AsyncIterator[Counted]:
    database = Database(f"sqlite:///{tmp_path}/pwless.db")
    yield Counted(database)
    await database.aclose()


def stored(role: Role = "view", user_id: str = "jo") -> StoredOperator:
    return StoredOperator(user_id=user_id, role=role, added_at=NOW, by="command_line")


def roles_of(repository: SQLOperators, role: Role = "support") -> OperatorRoles:
    signals = Signals(MemoryStore(), "realm", lambda: NOW)
    return OperatorRoles(repository, signals, {OPS: role})


async def test_the_greater_of_code_and_database_counts(repository: Counted) -> None:
    roles = roles_of(repository)
    ops = User(id="ops", email=OPS)
    assert await roles.role_of(ops) == "support"
    assert await roles.role_of(JO) is None
    await repository.put(stored("view", "ops"), seen=None)
    await repository.put(stored("admin"), seen=None)
    roles.forget()
    assert await roles.role_of(ops) == "support"
    assert await roles.role_of(JO) == "admin"


async def test_the_address_in_code_is_compared_in_its_canonical_form(repository: Counted) -> None:
    roles = roles_of(repository)
    assert await roles.role_of(User(id="ops", email="OPS@Acme.example")) == "support"
    for other in ("ops+1@acme.example", "ops@acme.example.evil.example", "öps@acme.example", ""):
        assert await roles.role_of(User(id="ops", email=other)) is None


async def test_who_is_no_operator_costs_no_question_but_the_first(repository: Counted) -> None:
    await repository.put(stored(), seen=None)
    roles = roles_of(repository)
    for number in range(20):
        assert await roles.role_of(User(id=f"u-{number}", email="u@example.com")) is None
        assert await roles.role_of(JO) == "view"
    assert repository.asked == 1


async def test_a_database_that_cannot_be_read_lets_nobody_in(repository: Counted) -> None:
    repository.is_down = True
    roles = roles_of(repository)
    for user in (JO, User(id="ops", email=OPS)):
        with pytest.raises(StoreError):
            await roles.role_of(user)


async def test_what_was_read_while_somebody_was_removed_is_not_held(repository: Counted) -> None:
    await repository.put(stored(), seen=None)
    roles = roles_of(repository)
    live = repository.list

    async def slow() -> Sequence[StoredOperator]:
        found = await live()
        await repository.put(replace(stored(), removed_at=NOW), seen=stored())
        roles.forget()
        return found

    repository.list = slow  # type: ignore[method-assign]
    await roles.role_of(JO)
    repository.list = live  # type: ignore[method-assign]
    assert await roles.role_of(JO) is None


async def test_another_process_hears_of_a_removal_within_100_ms(repository: Counted) -> None:
    await repository.put(stored("admin"), seen=None)
    stores = [SQLStore(repository._database) for _ in range(2)]
    for store in stores:
        await store.open()
    here, there = (
        OperatorRoles(repository, Signals(store, "realm", lambda: NOW), {}) for store in stores
    )
    heard = asyncio.Event()
    there.subscribe(heard.set)
    assert await there.role_of(JO) == "admin"
    await repository.put(
        replace(stored("admin"), removed_at=NOW), seen=stored("admin"), has_other_admin=True
    )
    await here.tell()
    assert await here.role_of(JO) is None
    async with asyncio.timeout(30):
        await heard.wait()
    assert await there.role_of(JO) is None
    for store in stores:
        await store.aclose()
