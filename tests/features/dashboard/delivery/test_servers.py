"""What all processes together have seen of the servers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware.delivery.health.server_health import ServerHealth
from pwless_middleware.errors import DeliveryError
from pwless_middleware.features.dashboard.delivery import servers
from pwless_middleware.features.dashboard.delivery.servers import Report, Reports, join_reports
from pwless_middleware.flows.capabilities.records import MOST_BYTES
from pwless_middleware.stores.base import Store
from pwless_middleware.stores.memory import MemoryStore
from tests.features.dashboard.delivery.test_section import Post
from tests.features.dashboard.operators import make_dashboard_site
from tests.own_account import signed_in
from tests.support import Site

pytestmark = pytest.mark.anyio

SECRET = "what nobody may read"
DOWN = ServerHealth(
    "one", "mail", refused=3, failures=3, failing_since=100, error="no way", error_at=300
)


def process(
    folder: Path, store: Store, **options: Any
) -> tuple[Site, Reports, asyncio.Queue[None]]:
    """A process that shares a store with others; what it has seen is written when told to."""
    site = make_dashboard_site(folder, store=store, **options)
    beats: asyncio.Queue[None] = asyncio.Queue()

    async def pause(seconds: float) -> None:
        await beats.get()

    return site, Reports(site.passwordless._kit, pause=pause), beats


async def beat(beats: asyncio.Queue[None]) -> None:
    beats.put_nowait(None)
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_one_process_sees_another_shows_until_it_ends(tmp_path: Path) -> None:
    store = MemoryStore()
    site, reports, beats = process(tmp_path, store, outbox=Post())
    _, others, _ = process(tmp_path, store, outbox=Post(), clock=site.clock)
    async with reports.keep():
        await beat(beats)
        assert (await others.read())[0].servers == (ServerHealth("Post", "mail"),)
        await signed_in(site)
        await beat(beats)
        report, is_whole = await others.read()
        assert [(each.server, each.taken) for each in report.servers] == [("Post", 1)]
        assert is_whole
        assert (await reports.read())[0] == report, "its own record counts once"
    assert (await others.read())[0].servers == (ServerHealth("Post", "mail"),)


async def test_what_a_killed_process_has_seen_ends_by_itself(tmp_path: Path) -> None:
    store = MemoryStore()
    site, reports, beats = process(tmp_path, store, outbox=Post())
    _, others, _ = process(tmp_path, store, outbox=Post(), clock=site.clock)
    async with reports.keep():
        await signed_in(site)
        await beat(beats)
        for _ in range(3):  # renewed in time
            site.clock.advance(60)
            await beat(beats)
            assert (await others.read())[0].servers[0].taken == 1
        site.clock.advance(servers.LIFE)
        assert (await others.read())[0].servers[0].taken == 0


async def test_where_the_store_hangs_it_tells_what_it_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_LOOK", 0.01)
    site, reports, _ = process(tmp_path, MemoryStore(), outbox=Post())
    await signed_in(site)

    async def hang(group: str) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(reports._records, "list", hang)
    report, is_whole = await reports.read()
    assert (report.servers[0].taken, is_whole) == (1, False)


async def test_down_is_told_by_all(tmp_path: Path) -> None:
    post = Post()
    post.errors["jo@example.com"] = DeliveryError("the server cannot be reached")
    site, reports, _ = process(tmp_path, MemoryStore(), outbox=post)
    begun = site.clock.now
    for _ in range(3):
        await site.browser().ask("jo@example.com")
        site.clock.advance(61)
    report, _ = await reports.read()
    assert report.down_since == (("mail", begun),)
    assert report.servers[0].is_down
    assert Report.unpack(report.pack()) == report


async def test_a_fault_of_one_record_keeps_nobody_from_the_page(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another release may have written it otherwise."""
    site, reports, beats = process(tmp_path, MemoryStore(), outbox=Post())
    for value in (b"", b"{}", b"[[],1]", b'[[{"server":"x"}],[]]', b"[[1],[]]", b"[]", b"[[],[1]]"):
        await reports._records.put(repr(value), value, ttl=9, group="processes")
    assert (await reports.read())[0].servers == (ServerHealth("Post", "mail"),)

    async def fail(*args: object, **given: object) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(reports._records, "put", fail)
    await signed_in(site)
    async with reports.keep():
        await beat(beats)
        await beat(beats)
    assert caplog.text.count("could not be written down") == 2
    assert SECRET not in caplog.text


@pytest.mark.parametrize("text", ["x", "ä", "\U0001f600"])
def test_whatever_servers_say_fits_into_a_record(text: str) -> None:
    many = Report(
        tuple(
            ServerHealth(f"{number}{text * 97}", "mail", refused=1, error=text * 500)
            for number in range(50)
        )
    )
    packed = many.pack()
    assert len(packed) <= MOST_BYTES // 2
    assert Report.unpack(packed) is not None


def test_whoever_was_last_with_a_server_knows_best() -> None:
    up_later = ServerHealth("one", "mail", taken=1, taken_at=400)
    up_before = ServerHealth("one", "mail", taken=1, taken_at=200)
    later = join_reports([Report((DOWN,), (("mail", 100),)), Report((up_later,))])
    assert (later.servers[0].is_down, later.servers[0].failing_since) == (False, None)
    assert later.down_since == ()
    assert later.servers[0].error == "no way", "what it said last stays known"
    before = join_reports([Report((up_before,)), Report((DOWN,))])
    assert (before.servers[0].is_down, before.servers[0].failing_since) == (True, 100)


def test_of_two_that_fail_the_first_failure_counts_and_numbers_are_added() -> None:
    other = ServerHealth(
        "one", "mail", taken=5, refused=1, failures=1, failing_since=50, error="x", error_at=60
    )
    joined = join_reports(
        [Report((DOWN,), (("mail", 100),)), Report((other,), (("mail", 50), ("sms", 7)))]
    )
    (one,) = joined.servers
    assert (one.taken, one.refused, one.failures, one.failing_since) == (5, 4, 3, 50)
    assert one.error == "no way"
    assert joined.down_since == (("mail", 50), ("sms", 7))


def test_of_one_name_on_two_channels_are_two() -> None:
    text = ServerHealth("one", "sms", taken=1, taken_at=1)
    joined = join_reports([Report((DOWN,)), Report((text,))])
    assert [each.channel for each in joined.servers] == ["mail", "sms"]
