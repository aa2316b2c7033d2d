"""Second factors in the database: the contract, over every kind and the double in memory."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from pwless_middleware.core.people.factor import Factor, FactorState
from pwless_middleware.core.people.person import Person
from pwless_middleware.database.database import Database
from pwless_middleware.database.factors.factors import FactorRepository, SQLFactors
from pwless_middleware.database.repositories import Repositories
from pwless_middleware.database.statement import Query, Row
from tests.factors import MADE_AT, make_browser, make_factor, make_phone

pytestmark = pytest.mark.anyio


@pytest.fixture
def factors(repositories: Repositories) -> FactorRepository:
    return repositories.factors


async def fill(factors: FactorRepository, *made: Factor) -> None:
    for one in made:
        assert await factors.add(one, most=10, may_be_alone=True) == "added"


async def test_a_factor_is_found_as_it_was_added(factors: FactorRepository) -> None:
    app = make_factor(name="Zürich ' \U0001f511", used_at=MADE_AT + 9)
    phone = make_phone(number=2, name="")
    await fill(factors, app, phone)
    assert await factors.find(app.id) == app
    assert await factors.find(phone.id) == phone
    assert await factors.find("unknown") is None


async def test_the_state_has_all_that_a_login_asks_for(repositories: Repositories) -> None:
    """A user's own alone, the oldest first; and whoever has nothing has a state too."""
    factors = repositories.factors
    new, old = make_factor(number=1, created_at=MADE_AT + 1), make_phone(number=2)
    await fill(factors, new, old, make_factor("kim", 3))
    await repositories.recovery_codes.set("jo", [b"1", b"2", b"3"], at=MADE_AT)
    await repositories.recovery_codes.set("kim", [b"1"], at=MADE_AT)
    await repositories.recovery_codes.use("jo", b"2", at=MADE_AT)
    await factors.raise_generation("jo")
    assert await factors.state("jo") == FactorState(
        factors=(old, new), recovery_codes=3, recovery_codes_left=2, generation=1
    )
    assert await factors.state("nobody") == FactorState()
    await repositories.recovery_codes.set("ann", [b"1"], at=MADE_AT)
    assert await factors.state("ann") == FactorState(recovery_codes=1, recovery_codes_left=1)


async def test_they_are_counted_by_kind(factors: FactorRepository) -> None:
    assert await factors.count_by_kind() == {}
    await fill(factors, make_factor(), make_factor("kim", 2), make_phone("kim", 3))
    assert await factors.count_by_kind() == {"totp": 2, "sms": 1}


async def test_a_login_reads_once_and_only_what_is_the_user_s(tmp_path: Path) -> None:
    """Every login waits for it, however many people there are."""
    asked: list[Query] = []

    class Watched(Database):
        async def fetch(self, query: Query) -> list[Row]:
            asked.append(query)
            return await super().fetch(query)

    database = Watched(f"sqlite:///{tmp_path}/pwless.db")
    assert await SQLFactors(database).state("jo") == FactorState()
    await database.aclose()
    [query] = asked
    statement = query.statement
    connection = sqlite3.connect(tmp_path / "pwless.db")
    values = statement.order(query.values)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {statement.sqlite}", values).fetchall()
    connection.close()
    steps = [row[3] for row in plan if " pwless_" in row[3] or "user_id" in row[3]]
    assert len(steps) == 3, plan
    assert all(step.startswith("SEARCH ") for step in steps), plan


# --- what is refused -----------------------------------------------------------------------------


async def test_an_id_is_added_once(factors: FactorRepository) -> None:
    await fill(factors, make_factor())
    for user_id in ("jo", "kim"):
        again = make_factor(user_id, secret=b"another")
        assert await factors.add(again, most=10, may_be_alone=True) == "known"
    assert await factors.find(make_factor().id) == make_factor()


async def test_a_user_has_a_phone_number_once(factors: FactorRepository) -> None:
    await fill(factors, make_factor(), make_phone(number=2))
    again = make_phone(number=2, id="another")
    assert await factors.add(again, most=10, may_be_alone=True) == "known"
    await fill(factors, make_phone("kim", 2, id="of kim"))
    await fill(factors, make_factor(number=4))  # authenticator apps have none, and are two


async def test_a_user_has_so_many_at_most(factors: FactorRepository) -> None:
    await fill(factors, make_factor("kim", 9))
    for one in (make_factor(number=1), make_phone(number=2)):
        assert await factors.add(one, most=2, may_be_alone=True) == "added"
    assert await factors.add(make_factor(number=3), most=2, may_be_alone=True) == "full"
    assert len((await factors.state("jo")).factors) == 2


async def test_the_first_is_refused_where_there_is_one(factors: FactorRepository) -> None:
    """Whoever has read a person's mail does not add a factor beside theirs."""
    await fill(factors, make_factor("kim", 9))
    first, second = make_factor(), make_factor(number=2)
    assert await factors.add(first, most=10, may_be_alone=True, only_first=True) == "added"
    assert await factors.add(second, most=10, may_be_alone=True, only_first=True) == "not_first"
    assert (await factors.state("jo")).factors == (first,)


async def test_a_phone_number_is_not_the_only_factor(factors: FactorRepository) -> None:
    """An SMS is never the only second one (security rule 47)."""
    await fill(factors, make_factor("kim", 9), make_phone(number=1))
    assert await factors.add(make_phone(number=2), most=10, may_be_alone=False) == "alone"
    assert await factors.add(make_factor(number=3), most=10, may_be_alone=False) == "added"
    assert await factors.add(make_phone(number=2), most=10, may_be_alone=False) == "added"


async def test_who_is_disabled_or_being_deleted_gets_none(repositories: Repositories) -> None:
    """Else one that is being added leaves a row behind a deletion."""
    await repositories.people.add(Person("jo", "jo@example.com"))
    await repositories.people.disable("jo", at=MADE_AT)
    factors = repositories.factors
    assert await factors.add(make_factor(), most=10, may_be_alone=True) == "disabled"
    await factors.raise_generation("jo")
    assert await factors.state("jo") == FactorState()


# --- changed -------------------------------------------------------------------------------------


async def test_a_user_renames_their_own_alone(factors: FactorRepository) -> None:
    await fill(factors, make_factor(), make_factor(number=2))
    assert await factors.rename("jo", make_factor().id, "Tablet")
    assert not await factors.rename("kim", make_factor().id, "Mine")
    assert not await factors.rename("jo", "unknown", "Mine")
    renamed = replace(make_factor(), name="Tablet")
    assert (await factors.state("jo")).factors == (renamed, make_factor(number=2))


async def test_the_time_of_use_never_goes_back(factors: FactorRepository) -> None:
    await fill(factors, make_factor(), make_factor(number=2))
    for at in (MADE_AT + 9, MADE_AT + 3):
        assert await factors.note_use(make_factor().id, at)
    assert not await factors.note_use("unknown", MADE_AT)
    used = replace(make_factor(), used_at=MADE_AT + 9)
    assert (await factors.state("jo")).factors == (used, make_factor(number=2))


async def test_secrets_are_listed_by_pages_in_the_order_of_their_ids(
    factors: FactorRepository,
) -> None:
    """Byte by byte, whatever the database's language: else a page leaves some out."""
    ids = ["-", "A", "Z", "_", "a", "b"]
    made = [make_factor(f"user-{number}", id=id) for number, id in enumerate(ids)]
    await fill(factors, *reversed(made), make_phone(number=7, id="B"))
    listed: list[Factor] = []
    while page := await factors.list_secrets(listed[-1].id if listed else "", 4):
        listed += page
    assert listed == made


async def test_a_secret_is_replaced_where_it_is_still_the_old_one(
    factors: FactorRepository,
) -> None:
    await fill(factors, make_factor(), make_factor(number=2))
    id, old = make_factor().id, make_factor().secret
    assert await factors.replace_secret(id, old=old, new=b"new")
    assert not await factors.replace_secret(id, old=old, new=b"newer")
    assert not await factors.replace_secret("unknown", old=old, new=b"new")
    rewrapped = replace(make_factor(), secret=b"new")
    assert (await factors.state("jo")).factors == (rewrapped, make_factor(number=2))


# --- erased --------------------------------------------------------------------------------------


async def test_erasing_a_user_leaves_nothing_of_theirs(repositories: Repositories) -> None:
    factors = repositories.factors
    await fill(factors, make_factor(), make_phone(number=2), make_factor("kim", 3))
    await factors.raise_generation("jo")
    await factors.raise_generation("kim")
    for _ in range(2):
        await factors.erase("jo")
    assert await factors.state("jo") == FactorState()
    assert await factors.state("kim") == FactorState(factors=(make_factor("kim", 3),), generation=1)


# --- at once -------------------------------------------------------------------------------------


async def test_of_several_elevenths_none_is_added(parallel: list[Repositories]) -> None:
    await fill(parallel[0].factors, *(make_factor(number=number) for number in range(1, 10)))
    tries = (
        each.factors.add(make_factor(number=number), most=10, may_be_alone=True)
        for number, each in enumerate(parallel, 20)
    )
    assert sorted(await asyncio.gather(*tries)) == ["added", "full", "full", "full"]
    assert len((await parallel[0].factors.state("jo")).factors) == 10


async def test_of_several_firsts_one_is_added(parallel: list[Repositories]) -> None:
    tries = (
        each.factors.add(make_factor(number=n), most=10, may_be_alone=True, only_first=True)
        for n, each in enumerate(parallel, 1)
    )
    outcomes = sorted(await asyncio.gather(*tries))
    assert outcomes == ["added", "not_first", "not_first", "not_first"]


async def test_a_phone_number_that_is_confirmed_four_times_is_there_once(
    parallel: list[Repositories],
) -> None:
    tries = (
        each.factors.add(make_phone(id=f"id-{number}"), most=10, may_be_alone=True)
        for number, each in enumerate(parallel)
    )
    assert sorted(await asyncio.gather(*tries)) == ["added", "known", "known", "known"]


async def test_one_confirmation_adds_one_factor(parallel: list[Repositories]) -> None:
    tries = (each.factors.add(make_factor(), most=10, may_be_alone=True) for each in parallel)
    assert sorted(await asyncio.gather(*tries)) == ["added", "known", "known", "known"]


async def test_a_secret_is_rewrapped_once(parallel: list[Repositories]) -> None:
    await fill(parallel[0].factors, make_factor())
    id, old = make_factor().id, make_factor().secret
    tries = (
        each.factors.replace_secret(id, old=old, new=bytes([number]))
        for number, each in enumerate(parallel)
    )
    assert sorted(await asyncio.gather(*tries)) == [False, False, False, True]


async def test_each_removal_raises_the_generation(parallel: list[Repositories]) -> None:
    await asyncio.gather(*(each.factors.raise_generation("jo") for each in parallel * 3))
    assert (await parallel[0].factors.state("jo")).generation == 12
    stale = make_browser()
    assert not await parallel[0].trusted_browsers.trust(stale, generation=11)
