"""The feed's contract, on every store: what is told anywhere is heard everywhere."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from pwless_middleware.stores.base import Drop, Put, Store, Writes
from pwless_middleware.stores.redis import RedisStore
from tests.redis_server import until

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
_ops = itertools.count()


def op() -> str:
    return f"op{next(_ops)}"


def is_cluster(store: Store) -> bool:
    return isinstance(store, RedisStore) and store._server.is_cluster


async def listen(store: Store) -> None:
    """Open the store and wait until its feed hears; on a cluster it is never live."""
    await store.open()
    await until(lambda: store.feed.epoch > 0 if is_cluster(store) else store.feed.is_live())


async def test_becomes_live_when_asked_and_stays_so(store: Store) -> None:
    for _ in range(20):  # a busy machine may take a lease away at any time
        await listen(store)
        seen = []
        for _ in range(30):
            await asyncio.sleep(0.01)
            seen.append(store.feed.is_live())
        if len(set(seen)) == 1:
            break
    assert set(seen) == {not is_cluster(store)}


async def test_nothing_is_begun_anew_while_the_event_loop_ends(store: Store) -> None:
    """What cleans up may ask the feed after `asyncio.run` has cancelled all tasks."""
    others = asyncio.all_tasks()
    await listen(store)
    cancelled = asyncio.all_tasks() - others
    for task in cancelled:
        task.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)
    left = asyncio.all_tasks()
    store.feed.is_live()
    assert asyncio.all_tasks() == left


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_told_drop_is_heard_in_every_process(
    processes: list[Store], is_there: bool
) -> None:
    heard: list[list[str | None]] = []
    for store in processes:
        await listen(store)
        heard.append([])
        store.feed.subscribe(heard[-1].append)
    if is_there:
        await processes[0].write(Writes(puts=(Put("s", b"v", NOW + 9),)), now=NOW, op=op())
    before = [store.feed.epoch for store in processes]
    await processes[0].write(Writes(drops=(Drop("s", publish=True),)), now=NOW, op=op())
    assert "s" in heard[0]
    await until(lambda: all("s" in each for each in heard))
    assert all(s.feed.epoch != b for s, b in zip(processes, before, strict=True))
    assert all(store.feed.is_live() != is_cluster(store) for store in processes)


async def test_a_drop_that_is_not_told_is_not_heard(processes: list[Store]) -> None:
    heard: list[str | None] = []
    await listen(processes[1])
    processes[1].feed.subscribe(heard.append)
    await processes[0].write(Writes(drops=(Drop("quiet"),)), now=NOW, op=op())
    await processes[0].write(Writes(drops=(Drop("loud", publish=True),)), now=NOW, op=op())
    await until(lambda: "loud" in heard)
    assert "quiet" not in heard


async def test_a_take_tells_only_if_it_is_won(processes: list[Store]) -> None:
    heard: list[str | None] = []
    await listen(processes[1])
    processes[1].feed.subscribe(heard.append)
    await processes[0].write(Writes(puts=(Put("c", b"v", NOW + 9),)), now=NOW, op=op())
    lost = Writes(drops=(Drop("lost", publish=True),))
    won = Writes(drops=(Drop("won", publish=True),))
    assert not await processes[0].take("none", lost, now=NOW, op=op())
    assert await processes[0].take("c", won, now=NOW, op=op())
    await until(lambda: "won" in heard)
    if processes[0] is not processes[1]:  # one's own may be told too often, never too rarely
        assert "lost" not in heard


async def test_the_stale_fill(processes: list[Store]) -> None:
    """A read that is in flight while its record is dropped must not be kept: the epoch differs."""
    reader, revoker = processes[0], processes[1]
    await listen(reader)
    await revoker.write(Writes(puts=(Put("s", b"v", NOW + 9),)), now=NOW, op=op())
    epoch = reader.feed.epoch
    value = await reader.read("s", now=NOW)  # the answer is on its way to the one who asked …
    await revoker.write(Writes(drops=(Drop("s", publish=True),)), now=NOW, op=op())
    await until(lambda: reader.feed.epoch != epoch)  # … and is overtaken by the revocation
    assert value == b"v"
    assert await reader.read("s", now=NOW) is None


async def test_nothing_is_kept_by_a_reader_in_the_process_that_drops(store: Store) -> None:
    """The reader notes the epoch after the drop has begun, and still must not keep what it read."""
    await store.open()
    await store.write(Writes(puts=(Put("s", b"v", NOW + 9),)), now=NOW, op=op())
    kept: dict[str, bytes | None] = {}

    def heard(key: str | None) -> None:
        kept.clear()  # one key only, so whatever is heard concerns it

    store.feed.subscribe(heard)

    async def read_and_keep() -> None:
        epoch = store.feed.epoch
        value = await store.read("s", now=NOW)
        if store.feed.epoch == epoch:
            kept["s"] = value

    drop = store.write(Writes(drops=(Drop("s", publish=True),)), now=NOW, op=op())
    await asyncio.gather(*(read_and_keep() for _ in range(5)), drop, read_and_keep())
    assert kept.get("s") is None
