"""Ceremonies: one challenge, for one purpose, of one holder, answered once.

Security rule 30.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.client import Client
from pwless_middleware.database.database import Database
from pwless_middleware.errors import RateLimited, RequestExpired, TooManyAttempts
from pwless_middleware.features.passkeys.ceremonies.ceremonies import (
    LIFETIME,
    TRIES,
    Ceremonies,
    Kind,
    held_by_browser,
)
from pwless_middleware.features.passkeys.ceremonies.options_budget import PER_MINUTE
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.stores.base import Store
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.stores.redis import RedisStore
from pwless_middleware.stores.sql import SQLStore
from tests.support import KEY, OTHER_KEY, Clock

pytestmark = pytest.mark.anyio

REALM = "https://app.example.com\x00pwless"
HOLDER = held_by_browser(b"n" * 16)
CALLER = Caller(client=Client("192.0.2.1"))


@dataclass
class World:
    """Ceremonies over a store, and what they have recorded."""

    store: Store = field(default_factory=MemoryStore)
    clock: Clock = field(default_factory=Clock)
    recorded: list[tuple[str, str]] = field(default_factory=list)

    def ceremonies(self, *, key: str = KEY) -> Ceremonies:
        """Return those of a process."""
        keyring = Keyring(key, realm=REALM)
        return Ceremonies(
            FeatureSecrets(keyring),
            Records(self.store, keyring, self.clock, feature="Passkeys", name="ceremonies"),
            self.store,
            realm=REALM,
            clock=self.clock,
            record=self._record,
        )

    def _record(self, kind: str, caller: Caller | None = None, /, **given: Any) -> None:
        self.recorded.append((kind, given["reason"]))


@pytest.fixture(params=["memory", "redis", "sql"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A world over each kind of store."""
    if request.param == "memory":
        yield World()
        return
    database = None
    store: Store
    if request.param == "redis":
        store = RedisStore(request.getfixturevalue("redis_url"), prefix=f"test-{token_hex(8)}")
    else:
        database = Database(f"sqlite:///{tmp_path}/pwless.db")
        await database.open()
        store = SQLStore(database)
    await store.open()
    yield World(store)
    await store.aclose()
    if database is not None:
        await database.aclose()


async def test_of_many_answers_to_one_challenge_one_goes_on(world: World) -> None:
    """Those of two processes are in it: what is counted and kept stands in the store alone."""
    ceremonies = [world.ceremonies(), world.ceremonies()]
    ceremony_id, begun = ceremonies[0].begin("login", HOLDER, CALLER)

    async def spend(number: int) -> bool:
        try:
            spent = await ceremonies[number % 2].spend(ceremony_id, ("login",), HOLDER, CALLER)
        except RequestExpired:
            return False
        return spent.challenge == begun.challenge

    assert sum(await asyncio.gather(*(spend(n) for n in range(10)))) == 1
    assert world.recorded == [("passkey.refused", "used")] * 9


async def test_a_right_answer_gives_its_own_try_back(world: World) -> None:
    ceremonies = world.ceremonies()
    count, window = TRIES
    for _ in range(count + 5):
        ceremony_id, _ = ceremonies.begin("login", HOLDER, CALLER)
        spent = await ceremonies.spend(ceremony_id, ("login",), HOLDER, CALLER)
        await ceremonies.give_back(spent)
    for _ in range(count):
        ceremony_id, _ = ceremonies.begin("login", HOLDER, CALLER)
        await ceremonies.spend(ceremony_id, ("login",), HOLDER, CALLER)
    ceremony_id, _ = ceremonies.begin("login", HOLDER, CALLER)
    with pytest.raises(TooManyAttempts) as raised:
        await ceremonies.spend(ceremony_id, ("login",), HOLDER, CALLER)
    assert 0 < (raised.value.retry_after or 0) <= window
    assert world.recorded == [("limit.reached", "try_by_client")]
    server = Caller(name="server:backend")
    await ceremonies.spend(ceremony_id, ("login",), HOLDER, server)  # its refusal spent nothing


def test_asking_writes_nothing() -> None:
    world = World()
    ceremonies = world.ceremonies()
    for _ in range(50):
        ceremonies.begin("login", HOLDER, CALLER)
    assert isinstance(world.store, MemoryStore)
    assert (world.store._records, world.store._ledgers) == ({}, {})


def test_asking_too_often_is_an_event() -> None:
    world = World()
    ceremonies = world.ceremonies()
    for _ in range(PER_MINUTE):
        ceremonies.begin("login", HOLDER, CALLER)
    with pytest.raises(RateLimited):
        ceremonies.begin("login", HOLDER, CALLER)
    assert world.recorded == [("limit.reached", "options_by_client")]


def test_no_two_challenges_and_no_two_handles_are_the_same() -> None:
    ceremonies = World().ceremonies()
    begun = [ceremonies.begin("create", HOLDER, CALLER, user_handle=b"u" * 32) for _ in range(20)]
    assert len({id for id, _ in begun}) == 20
    assert len({one.challenge for _, one in begun}) == 20
    for id, ceremony in begun:
        assert len(ceremony.challenge) == 32
        assert ceremony.challenge.hex() not in id
        assert len(id) <= 450


@pytest.mark.parametrize(
    ("kind", "holder", "later", "reason"),
    [
        ("step_up", HOLDER, 0, "other_ceremony"),
        ("create", HOLDER, 0, "other_ceremony"),
        ("login", held_by_browser(b"m" * 16), 0, "other_holder"),
        ("login", "server:backend", 0, "other_holder"),
        ("login", "", 0, "other_holder"),
        ("login", HOLDER, LIFETIME, "expired"),
        ("login", HOLDER, LIFETIME - 1, None),
    ],
)
async def test_a_challenge_serves_one_purpose_one_holder_and_300_seconds(
    kind: Kind, holder: str, later: int, reason: str | None
) -> None:
    world = World()
    ceremonies = world.ceremonies()
    ceremony_id, _ = ceremonies.begin("login", HOLDER, CALLER)
    world.clock.advance(later)
    assert isinstance(world.store, MemoryStore)
    if reason is None:
        await ceremonies.spend(ceremony_id, (kind,), holder, CALLER)
        assert world.store._records
        return
    with pytest.raises(RequestExpired):
        await ceremonies.spend(ceremony_id, (kind,), holder, CALLER)
    assert world.recorded == [("passkey.refused", reason)]
    assert (world.store._records, world.store._ledgers) == ({}, {})  # nobody's try, nor its end


async def test_what_is_not_ours_is_refused_without_the_store() -> None:
    world = World()
    ceremonies = world.ceremonies()
    ceremony_id, _ = ceremonies.begin("login", HOLDER, CALLER)
    foreign, _ = world.ceremonies(key=OTHER_KEY).begin("login", HOLDER, CALLER)
    changed = ceremony_id[:-1] + ("A" if ceremony_id[-1] != "A" else "B")
    for text in ("", "x", "ä", foreign, changed, ceremony_id + "A", ceremony_id * 4):
        with pytest.raises(RequestExpired):
            await ceremonies.spend(text, ("login",), HOLDER, CALLER)
    assert set(world.recorded) == {("passkey.refused", "unknown_ceremony")}
    assert isinstance(world.store, MemoryStore)
    assert (world.store._records, world.store._ledgers) == ({}, {})


async def test_the_mark_of_a_spent_challenge_outlives_it() -> None:
    """A process whose clock is behind still takes the challenge as good; the mark must stand."""
    world = World()
    ceremonies = world.ceremonies()
    ceremony_id, begun = ceremonies.begin("login", HOLDER, CALLER)
    world.clock.advance(LIFETIME - 1)
    await ceremonies.spend(ceremony_id, ("login",), HOLDER, CALLER)
    assert isinstance(world.store, MemoryStore)
    (mark,) = world.store._records.values()
    assert mark.until == begun.expires_at + 60
