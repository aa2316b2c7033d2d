"""The budgets' arithmetic stands twice, in Python and in Lua: one history, one set of answers."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from pwless_middleware.core.challenges.budget import ENTRY, Draw, Limit, Refund
from pwless_middleware.stores.base import Admission, Attempt, Put, Writes
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.stores.redis import RedisStore

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
_ops = itertools.count()

KEYS = ("{a}1", "{a}2", "b")
keys = st.sampled_from(KEYS)
masks = st.sampled_from([0, 2**32 - 1, 0xFFF00000, 0xFFFFF])
limits = st.builds(Limit, st.integers(0, 6), st.integers(1, 40), masks)
draws = st.builds(
    Draw,
    keys,
    st.just(()),
    st.sampled_from([0, 1, 2**20 + 1, 2**32 - 1]),
    st.sampled_from([1, 1, 7, 10]),
    st.sampled_from([True, True, True, False]),
)
marks = st.builds(Draw.unless, st.sampled_from(["m1", "m2"]), since=st.integers(NOW, NOW + 50))
wanted = st.lists(st.one_of(draws, draws, draws, marks), max_size=4)
refunds = st.builds(
    Refund, keys, st.integers(NOW - 9, NOW + 99), st.sampled_from([0, 1]), st.sampled_from([1, 7])
)
steps = st.one_of(
    st.tuples(st.just("admit"), wanted),
    st.tuples(st.just("attempt"), wanted),
    st.tuples(st.just("mark"), st.sampled_from(["m1", "m2"])),
    st.tuples(st.just("refund"), refunds),
    st.tuples(st.just("undo"), st.integers(0, 9)),
    st.tuples(st.just("time"), st.integers(0, 30)),
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    history=st.lists(steps, max_size=40),
    # A ledger has one set of limits, whoever draws on it.
    limits_of=st.fixed_dictionaries(
        {key: st.lists(limits, min_size=1, max_size=3).map(tuple) for key in KEYS}
    ),
)
async def test_lua_and_python_agree(
    redis_stores: Callable[..., RedisStore],
    shared: dict[str, RedisStore],
    history: list[tuple[str, Any]],
    limits_of: dict[str, tuple[Limit, ...]],
) -> None:
    if "store" not in shared:
        shared["store"] = redis_stores()
    redis, memory, now = shared["store"], MemoryStore(), NOW
    name = secrets.token_hex(4)
    done: list[Refund] = []
    for store in (redis, memory):
        await store.write(Writes(puts=(Put(name, b"v", NOW + 9999),)), now=now, op=name)

    def named(each: Draw) -> Draw:
        limits = limits_of.get(each.key, ())
        return replace(each, key=each.key + name, limits=limits)

    for what, value in history:
        op = f"{name}{next(_ops)}"
        answers: list[Admission | Attempt] = []
        asked = [named(each) for each in value] if what in ("admit", "attempt") else []
        for store in (redis, memory):
            if what == "admit":
                put = Put(op, b"v", now + 99)
                answers.append(
                    await store.admit(asked, put, job=None, replaces=None, now=now, op=op)
                )
            elif what == "attempt":
                answers.append(await store.attempt(asked, name, now=now, op=op))
            elif what == "refund":
                refund = Refund(value.key + name, value.at, value.tag, value.quantum)
                await store.write(Writes(refunds=(refund,)), now=now, op=op)
            elif what == "mark":
                mark = Put(value + name, now.to_bytes(4, "big"), now + 40)
                await store.write(Writes(puts=(mark,)), now=now, op=op)
            elif what == "undo" and value < len(done):
                await store.write(Writes(refunds=(done[value],)), now=now, op=op)
        if what == "time":
            now += value
        elif answers:
            assert answers[0] == answers[1]
            done += Refund.of_all(asked, now)


@pytest.fixture
def shared() -> dict[str, RedisStore]:
    """Keep one store for all examples of a test."""
    return {}


async def test_a_ledger_of_many_events_agrees(redis_stores: Callable[..., RedisStore]) -> None:
    redis, memory = redis_stores(), MemoryStore()
    draw = Draw("{a}l", (Limit(200, 3600), Limit(20, 60)), quantum=10)
    for at in range(0, 4000, 5):
        op = str(at)
        put = Put(op, b"v", NOW + 9999)
        first, second = [
            await store.admit([draw], put, job=None, replaces=None, now=NOW + at, op=op)
            for store in (redis, memory)
        ]
        assert first == second


async def test_no_event_is_lost_where_an_entry_is_full(
    redis_stores: Callable[..., RedisStore], redis_url: str, prefix: str
) -> None:
    """An entry counts to 65,535; the next event of the same second begins another."""
    redis, memory = redis_stores(), MemoryStore()
    draw = Draw("{a}full", (Limit(65_537, 3600),))
    full = ENTRY.pack(NOW, 0, 0xFFFF)
    async with Redis.from_url(redis_url) as client:
        await client.set(f"{prefix}:{draw.key}", full)
    memory._ledgers[draw.key] = (full, NOW + 3600)
    for expected in (True, True, False):
        op = str(next(_ops))
        for store in (redis, memory):
            put = Put(op, b"v", NOW + 99)
            answer = await store.admit([draw], put, job=None, replaces=None, now=NOW, op=op)
            assert answer.ok is expected
