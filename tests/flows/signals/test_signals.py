"""Signals: heard by who asked for them, in every process, and taken for heard after a break."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pwless_middleware import EmailLogin, Kit, Mounted
from pwless_middleware.flows.people.stable_users import StableUsers
from pwless_middleware.flows.signals.signals import Signals
from pwless_middleware.stores.memory import MemoryStore
from tests.support import Browser, Slow, make_site

pytestmark = pytest.mark.anyio


def signals_of(store: MemoryStore, realm: str = "acme") -> tuple[Signals, list[str]]:
    """Give a process's signals, and the topics that it has heard of."""
    signals, heard = Signals(store, realm, lambda: 1_700_000_000), []

    def note(topic: str) -> Callable[[], None]:
        return lambda: heard.append(topic)

    for topic in ("settings", "keys"):
        signals.subscribe(topic, note(topic))
    return signals, heard


async def test_every_process_of_a_deployment_hears_its_topics_and_no_others() -> None:
    store = MemoryStore()
    here, heard_here = signals_of(store)
    _, heard_there = signals_of(store)
    _, heard_elsewhere = signals_of(store, "another")
    await here.tell("settings")
    await here.tell("nobody asked")
    assert heard_here == heard_there == ["settings"]
    assert heard_elsewhere == []


async def test_after_a_break_anything_may_have_changed() -> None:
    store = MemoryStore()
    _, heard = signals_of(store)
    for hear in store.feed._subscribers:
        hear(None)
    assert sorted(heard) == ["keys", "settings"]


class Curious:
    """Adds nothing, and keeps what it was given."""

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        return Mounted()


async def test_what_is_held_of_a_users_sessions_is_read_again_and_they_go_on() -> None:
    store, feature = Slow(MemoryStore()), Curious()
    site = make_site(store=store, features=[EmailLogin(), feature])
    browsers: list[Browser] = []
    for email in ("jo@acme.example", "jo@acme.example", "kim@acme.example"):
        browsers.append(site.browser())
        await browsers[-1].sign_in(email)

    async def reads() -> list[str]:
        store.calls.clear()
        for browser in browsers:
            assert (await browser.get("/private")).status_code == 200
        return store.calls

    await reads()
    assert await reads() == []
    jo = await StableUsers().find("jo@acme.example")
    assert jo is not None
    await feature.kit.signals.tell_user(jo.id)
    assert await reads() == ["read", "read"]
