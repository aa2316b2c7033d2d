"""What was looked up is held, bounded, and asked for anew in every process once it changed."""

from __future__ import annotations

import pytest

from pwless_middleware.flows.signals import held_lookups
from pwless_middleware.flows.signals.held_lookups import HeldLookups, tell_lookups
from pwless_middleware.flows.signals.signals import Signals
from pwless_middleware.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio

NOW = 1_767_225_600


class Rows:
    """Answer questions, and count them."""

    def __init__(self) -> None:
        self.rows = {"a": 1}
        self.asked: list[str] = []

    async def read(self, key: str) -> int | None:
        self.asked.append(key)
        return self.rows.get(key)


async def test_it_asks_once_for_each_key_also_where_there_is_nothing() -> None:
    rows = Rows()
    held = HeldLookups("rows", rows.read, Signals(MemoryStore(), "realm", lambda: NOW))
    for _ in range(3):
        assert await held.get("a") == 1
        assert await held.get("b") is None
    assert rows.asked == ["a", "b"]


async def test_a_change_is_told_to_every_process_and_to_no_other_kind() -> None:
    rows, store = Rows(), MemoryStore()
    here, there, other = (
        HeldLookups(name, rows.read, Signals(store, "realm", lambda: NOW))
        for name in ("rows", "rows", "others")
    )
    for one in (here, there, other):
        await one.get("a")
        await one.get("b")
    rows.rows["a"], rows.asked = 2, []
    await here.tell("a")
    assert [await one.get("a") for one in (here, there, other)] == [2, 2, 1]
    assert rows.asked == ["a", "a"]
    await here.get("b")
    assert rows.asked == ["a", "a"], "b has not changed"


async def test_who_holds_nothing_can_tell_too() -> None:
    rows, store = Rows(), MemoryStore()
    signals = Signals(store, "realm", lambda: NOW)
    held = HeldLookups("rows", rows.read, signals)
    await held.get("a")
    rows.rows["a"] = 2
    await tell_lookups(signals, "rows", ["a"])
    assert await held.get("a") == 2


async def test_what_is_changed_while_it_is_read_is_not_held() -> None:
    rows = Rows()
    signals = Signals(MemoryStore(), "realm", lambda: NOW)

    async def read(key: str) -> int | None:
        found = await rows.read(key)
        if len(rows.asked) == 1:
            rows.rows["a"] = 2
            await tell_lookups(signals, "rows", ["a"])
        return found

    held = HeldLookups("rows", read, signals)
    assert await held.get("a") == 1, "as it was when it was asked for"
    assert await held.get("a") == 2


async def test_nothing_is_held_while_changes_are_not_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, store = Rows(), MemoryStore()
    held = HeldLookups("rows", rows.read, Signals(store, "realm", lambda: NOW))
    await held.get("a")
    monkeypatch.setattr(store.feed, "is_live", lambda: False)
    await held.get("a")
    await held.get("a")
    assert rows.asked == ["a"] * 3


async def test_it_holds_no_more_than_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_lookups, "MOST", 2)
    rows = Rows()
    held = HeldLookups("rows", rows.read, Signals(MemoryStore(), "realm", lambda: NOW))
    for key in "abc":
        await held.get(key)
    await held.get("c")
    assert rows.asked == ["a", "b", "c"]
    await held.get("a")
    assert rows.asked == ["a", "b", "c", "a"], "the first one was forgotten"
