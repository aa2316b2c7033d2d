"""A feature's own records: they keep what the store promises, and reach nobody else's."""

from __future__ import annotations

import asyncio
import secrets
import time

import pytest

from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.flows.capabilities.records import MOST_BYTES, Records
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.stores.redis import RedisStore
from tests.support import KEY, OTHER_KEY, Clock

pytestmark = pytest.mark.anyio

REALM = "https://app.example.com\x00pwless"


class World:
    """A store, and the records of several features in it."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = Clock()

    def records(
        self, name: str = "states", *, feature: str = "Sso", key: str | list[str] = KEY
    ) -> Records:
        keyring = Keyring(key, realm=REALM)
        return Records(self.store, keyring, self.clock, feature=feature, name=name)


async def values(records: Records, group: str) -> dict[str, bytes]:
    return {record.key: record.value for record in await records.list(group)}


@pytest.mark.parametrize("group", ["", "acme"])
async def test_a_record_is_read_until_its_end(group: str) -> None:
    world = World()
    records = world.records()
    await records.put("k", b"one", ttl=60, group=group)
    await records.put("k", b"two", ttl=60, group=group)
    world.clock.advance(59)
    found = await records.read("k", group=group)
    assert found is not None
    assert (found.key, found.value, found.group) == ("k", b"two", group)
    world.clock.advance(1)
    assert await records.read("k", group=group) is None
    await records.put("k", b"three", ttl=60, group=group)
    await records.drop("k", group=group)
    assert await records.read("k", group=group) is None


async def test_of_many_who_take_a_record_one_is_given_it() -> None:
    records = World().records()
    await records.put("k", b"once", ttl=60)
    found = await asyncio.gather(*(records.take("k") for _ in range(20)))
    assert [record.value for record in found if record is not None] == [b"once"]
    assert await records.take("k") is None


async def test_of_many_who_add_a_record_one_hears_true() -> None:
    """Also with one value: what may be shown once, an assertion say, is taken once."""
    world = World()
    records = world.records()
    assert sum(await asyncio.gather(*(records.add("k", b"", ttl=60) for _ in range(20)))) == 1
    world.clock.advance(60)
    assert await records.add("k", b"", ttl=60)


async def test_a_swap_replaces_what_was_read_and_nothing_newer() -> None:
    records = World().records()
    await records.put("k", b"one", ttl=60)
    read = await records.read("k")
    assert read is not None
    assert await records.swap(read, b"two", ttl=60)
    assert not await records.swap(read, b"three", ttl=60)
    await records.put("k", b"one", ttl=60)  # the same value, but another write
    assert not await records.swap(read, b"three", ttl=60)
    await records.drop("k")
    assert not await records.swap(read, b"three", ttl=60)
    assert await records.read("k") is None


async def test_a_group_lists_its_records_and_no_others() -> None:
    world = World()
    records = world.records()
    for key, group in (("a", "acme"), ("b", "acme"), ("a", "other"), ("c", "")):
        await records.put(key, key.encode() + group.encode(), ttl=60, group=group)
    assert await values(records, "acme") == {"a": b"aacme", "b": b"bacme"}
    await records.drop("a", group="acme")
    assert await records.take("b", group="acme") is not None
    assert await values(records, "acme") == {}
    assert await values(records, "other") == {"a": b"aother"}
    with pytest.raises(ValueError, match="group"):
        await records.list("")


async def test_no_feature_reaches_the_records_of_another() -> None:
    world = World()
    await world.records().put("k", b"mine", ttl=60)
    for records in (
        world.records("other"),
        world.records(feature="Saml"),
        world.records(feature="Sso\x00states", name="k"),
    ):
        for key in ("k", "states\x00k", "\x00k"):
            assert await records.read(key) is None
            assert await records.take(key) is None


async def test_a_record_that_was_changed_or_moved_is_not_there() -> None:
    world = World()
    records = world.records()
    await records.put("a", b"left", ttl=60)
    await records.put("b", b"right", ttl=60)
    (one, first), (other, second) = list(world.store._records.items())
    world.store._records[one] = second
    world.store._records[other] = first
    assert await records.read("a") is None
    assert await records.read("b") is None
    changed = bytearray(first.value)
    changed[-1] ^= 1
    world.store._records[one] = type(first)(one, bytes(changed), first.until)
    assert await records.read("a") is None


async def test_a_record_survives_the_rotation_of_the_key_and_not_its_loss() -> None:
    world = World()
    await world.records(key=KEY).put("k", b"kept", ttl=60)
    found = await world.records(key=[KEY, OTHER_KEY]).read("k")
    assert found is not None
    assert await world.records(key=OTHER_KEY).read("k") is None


async def test_what_is_no_record_is_refused() -> None:
    records = World().records()
    with pytest.raises(ValueError, match="ttl"):
        await records.put("k", b"", ttl=0)
    with pytest.raises(ValueError, match="bytes"):
        await records.put("k", bytes(MOST_BYTES + 1), ttl=60)
    await records.put("é\x00", bytes(MOST_BYTES), ttl=60)
    found = await records.read("é\x00")
    assert found is not None
    assert found.key == "é\x00"


async def test_redis_keeps_the_same_promises(redis_url: str) -> None:
    store = RedisStore(redis_url, prefix="records-test:")
    try:
        clock = Clock(int(time.time()))
        keyring = Keyring(KEY, realm=f"{REALM}{clock.now}")
        records = Records(store, keyring, clock, feature="Sso", name=secrets.token_hex(4))
        assert sum(await asyncio.gather(*(records.add("k", b"", ttl=60) for _ in range(20)))) == 1
        read = await records.read("k")
        assert read is not None
        assert await records.swap(read, b"two", ttl=60)
        assert not await records.swap(read, b"three", ttl=60)
        found = await asyncio.gather(*(records.take("k") for _ in range(20)))
        assert [record.value for record in found if record is not None] == [b"two"]
        await records.put("a", b"1", ttl=60, group="acme")
        assert await values(records, "acme") == {"a": b"1"}
        await records.drop("a", group="acme")
        assert await values(records, "acme") == {}
    finally:
        await store.aclose()
