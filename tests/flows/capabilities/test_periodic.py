"""What is done every so often is done on one process at a time, and goes on when that one dies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.flows.capabilities.periodic import LEASE, Periodic, Periodics
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.stores.memory import MemoryStore
from tests.support import KEY, START, Slow
from tests.virtual_time import in_virtual_time


class World:
    """Processes that share a store and a clock, and what they have done when."""

    def __init__(self, *, lasts: float = 0) -> None:
        self.store = Slow(MemoryStore())
        self.lasts = lasts
        self.begun: list[tuple[str, int]] = []
        self.ended: list[tuple[str, int]] = []
        self.problem: Exception | None = None

    @property
    def now(self) -> int:
        return int(asyncio.get_running_loop().time())

    def process(
        self, name: str, *, every: int = 300, also: str | None = None
    ) -> asyncio.Task[None]:
        def clock() -> int:
            return START + self.now

        async def run() -> None:
            self.begun.append((name, self.now))
            if self.problem is not None:
                raise self.problem
            await asyncio.sleep(self.lasts)
            self.ended.append((name, self.now))

        keyring = Keyring(KEY, realm="x")
        store: Any = self.store
        records = Records(store, keyring, clock, feature="Sync", name="")
        periodics = Periodics(clock)
        periodics.add("Sync", Periodic("domains", every, run), records)
        if also is not None:
            periodics.add("Sync", Periodic(also, every, run), records)
        return asyncio.get_running_loop().create_task(periodics.run())


def during(seconds: float, main: Callable[[], Awaitable[object]]) -> None:
    """Run something, and then let this much time pass."""

    async def run() -> None:
        await main()
        await asyncio.sleep(seconds)

    in_virtual_time(run)


def test_of_many_processes_one_runs_it_every_so_often() -> None:
    world = World(lasts=2)

    async def main() -> None:
        for name in "abc":
            world.process(name)

    during(1000, main)
    assert [at for _, at in world.begun] == [0, 300, 600, 900]
    assert len(world.ended) == 4


def test_a_run_that_lasts_longer_than_its_lease_stays_alone() -> None:
    world = World(lasts=3 * LEASE)

    async def main() -> None:
        world.process("a", every=5)
        await asyncio.sleep(1)
        world.process("b", every=5)

    during(3 * LEASE - 2, main)
    assert [name for name, _ in world.begun] == ["a"]
    assert world.ended == []


def test_when_the_holder_dies_another_process_takes_the_turn() -> None:
    world = World(lasts=3600)

    async def main() -> None:
        holder = world.process("a", every=600)
        await asyncio.sleep(25)
        world.process("b", every=600)
        holder.cancel()

    during(LEASE + 5, main)
    (first, second) = world.begun
    assert first == ("a", 0)
    assert second[0] == "b"
    assert second[1] <= 20 + LEASE + 1, "the last renewal was at 20"


def test_a_run_that_fails_is_told_by_name_and_tried_when_it_is_due_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.problem = ValueError("a secret text")

    async def main() -> None:
        world.process("a", every=60)

    during(61, main)
    assert [at for _, at in world.begun] == [0, 60]
    assert "Sync.domains failed" in caplog.text
    assert "a secret text" not in caplog.text


def test_a_store_that_is_away_is_told_once_for_all_and_asked_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()

    async def main() -> None:
        world.store.before["read"] = fail
        world.process("a", every=60, also="others")
        await asyncio.sleep(50)
        assert world.begun == []
        del world.store.before["read"]

    during(10, main)
    assert len(world.begun) == 2
    assert len(caplog.records) == 1


async def fail() -> None:
    raise StoreError("down")


def test_a_holder_that_cannot_renew_its_lease_stops_before_another_one_begins(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(lasts=3600)

    async def main() -> None:
        world.store.before["swap"] = fail
        world.process("a", every=600)

    during(LEASE, main)
    assert "was stopped: its lease could not be renewed" in caplog.text
    assert world.ended == []


def test_several_of_one_feature_have_leases_of_their_own() -> None:
    ran: list[str] = []

    async def main() -> None:
        periodics = Periodics(lambda: START)
        records = Records(MemoryStore(), Keyring(KEY, realm="x"), lambda: START,
                          feature="Sync", name="")  # fmt: skip
        for name in ("one", "two"):

            async def run(name: str = name) -> None:
                ran.append(name)

            periodics.add("Sync", Periodic(name, 60, run), records)
        task = asyncio.get_running_loop().create_task(periodics.run())
        await asyncio.sleep(1)
        task.cancel()

    in_virtual_time(main)
    assert sorted(ran) == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "every", "run"),
    [("", 60, fail), ("A", 60, fail), ("a", 0, fail), ("a", 1.5, fail), ("a", True, fail),
     ("a", 32 * 86400, fail), ("a", 60, "fail")],
)  # fmt: skip
def test_what_is_no_periodic_is_refused(name: Any, every: Any, run: Any) -> None:
    with pytest.raises(ConfigError, match="Periodic"):
        Periodic(name, every, run)
