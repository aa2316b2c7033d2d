"""What happens now, as it happens: of all processes, and only for who may look."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.features.dashboard import Dashboard
from pwless_middleware.features.dashboard.log import live
from tests.features.dashboard.operators import make_dashboard, make_dashboard_site
from tests.own_account import signed_in
from tests.support import Browser, Site, cookie_header, http_scope

pytestmark = pytest.mark.anyio

LIVE = "/auth/dashboard/log/live"


@dataclass
class Tail:
    """One live tail, as a browser holds it open."""

    site: Site
    ops: Browser
    query: str = ""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    text: str = ""
    status: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        headers = [*cookie_header(self.ops), *self.headers]
        scope = http_scope(LIVE, query_string=self.query.encode(), headers=headers)

        async def receive() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            self.text += message.get("body", b"").decode()
            self.came.set()

        await self.site.app(scope, receive, send)

    async def until(self, word: str, seconds: float = 30.0) -> None:
        """Wait until a word has come."""
        async with asyncio.timeout(seconds):
            while word not in self.text:
                self.came.clear()
                await self.came.wait()


@asynccontextmanager
async def followed(tail: Tail) -> AsyncIterator[asyncio.Task[None]]:
    """Hold a tail open while a block runs."""
    task = asyncio.ensure_future(tail.run())
    try:
        await tail.until("retry:")
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK", 0.02)


async def write(site: Site, serial: int, *, at: int | None = None, **fields: Any) -> str:
    """Write an event as another process does, and return its id."""
    when = site.clock.now if at is None else at
    id = format_event_id(when, serial)
    repository = site.passwordless.events.repository
    assert repository is not None
    await repository.write([StoredEvent(Event(at=when, kind="own.kind", id=id, **fields))])
    return id


async def test_what_another_process_records_comes_within_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK", 0.25)  # as it is
    site, ops = await make_dashboard(tmp_path)
    other = make_dashboard_site(tmp_path, clock=site.clock, store=site.store)
    tail = Tail(site, ops)
    async with followed(tail):
        await other.browser().get("/auth/login")  # its writer runs from here on
        began = time.perf_counter()
        other.passwordless.events._events.record("caller.refused", reason="unknown_key")
        await tail.until("caller.refused")
        assert time.perf_counter() - began < 20  # a second is promised
    await other.passwordless.lifetime.close()


async def test_each_event_comes_once_and_late_ones_too(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    before = await write(site, 500, attempt="before01")
    tail = Tail(site, ops, query=f"view=live&after={before}")
    async with followed(tail):
        await write(site, 700, attempt="first001")
        await tail.until("first001")
        await write(site, 600, attempt="late0001")  # of a process that wrote later
        await write(
            site, 701, attempt="last0001", reason="<script>alert(1)</script>\r\n\r\ndata: x"
        )
        await tail.until("last0001")
    ids = [line for line in tail.text.splitlines() if line.startswith("id: ")]
    assert len(ids) == 3
    assert ids == sorted(ids), "the browser comes back to where it was"
    assert "before01" not in tail.text
    assert "<script>" not in tail.text
    blocks = [block.splitlines() for block in tail.text.split("\n\n") if "data:" in block]
    assert all(line.startswith(("id: ", "data: ")) for block in blocks for line in block)
    assert len(blocks) == 3


async def test_who_comes_back_goes_on_where_the_connection_was_lost(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    known = await write(site, 500, attempt="known001")
    await write(site, 501, attempt="missed01")
    site.clock.now += 60
    tail = Tail(site, ops, headers=[(b"last-event-id", known.encode())])
    async with followed(tail):
        await tail.until("missed01")
    assert "known001" not in tail.text


async def test_only_what_is_asked_for_comes(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    tail = Tail(site, ops, query="view=live&country=DE&q=u-1")
    async with followed(tail):
        await write(site, 700, attempt="other001", country="AT", user_id="u-1")
        await write(site, 701, attempt="other002", country="DE", user_id="u-2")
        await write(site, 702, attempt="wanted01", country="DE", user_id="u-1")
        await tail.until("wanted01")
    assert "other00" not in tail.text


async def test_of_a_flood_the_newest_come_and_the_rest_is_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_SENT", 2)
    site, ops = await make_dashboard(tmp_path)
    await write(site, 1)
    tail = Tail(site, ops)
    repository = site.passwordless.events.repository
    assert repository is not None
    now = site.clock.now
    async with followed(tail):
        await tail.until(": ")
        flood = [
            Event(at=now, kind="own.kind", id=format_event_id(now, 10_000 + n)) for n in range(7)
        ]
        await repository.write([StoredEvent(one) for one in flood])
        await tail.until("event: more")
    assert "event: more\ndata: 5\n\n" in tail.text
    assert tail.text.count("id: ") == 2


async def test_it_ends_with_the_session(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    tail = Tail(site, ops)
    async with followed(tail) as task:
        await ops.post("/auth/logout", form={})
        async with asyncio.timeout(30):
            await task


async def test_it_ends_with_the_role(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    operators = site.passwordless.verbs(Dashboard).operators
    await signed_in(site, "new@acme.example")
    await operators.add("new@acme.example", role="view")
    new = await signed_in(site, "new@acme.example")
    tail = Tail(site, new)
    async with followed(tail) as task:
        await operators.remove("new@acme.example")
        async with asyncio.timeout(30):
            await task


async def test_it_ends_when_the_last_proof_is_too_old(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    tail = Tail(site, ops)
    async with followed(tail) as task:
        site.clock.now += 12 * 3600 + 1
        async with asyncio.timeout(30):
            await task


async def test_it_ends_with_the_process(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    tail = Tail(site, ops)
    async with followed(tail) as task:
        closing = asyncio.ensure_future(site.passwordless.lifetime.close())
        async with asyncio.timeout(30):
            await task
        await closing


async def test_it_ends_by_itself_so_that_no_shutdown_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LASTS", 0.1)
    site, ops = await make_dashboard(tmp_path)
    tail = Tail(site, ops)
    async with followed(tail) as task, asyncio.timeout(30):
        await task
    assert "retry: " in tail.text


async def test_looking_at_it_keeps_nobody_signed_in(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    page = await site.passwordless.events.find(kind="session.created", limit=1)
    user_id = page.events[0].event.user_id or ""
    tail = Tail(site, ops)
    async with followed(tail):
        (before,) = await site.keeper.list(user_id)
        site.clock.now += 3600
        for _ in range(3):
            await write(site, 700 + _, attempt=f"looked{_:02}")
            await tail.until(f"looked{_:02}")
        (after,) = await site.keeper.list(user_id)
    assert after.seen_at == before.seen_at


async def test_there_is_a_bounded_number_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_TAILS", 1)
    site, ops = await make_dashboard(tmp_path)
    async with followed(Tail(site, ops)):
        assert (await ops.get(f"{LIVE}?view=live")).status_code == 503
    monkeypatch.setattr(live, "LASTS", 0.0)
    assert (await ops.get(f"{LIVE}?view=live")).status_code == 200


async def test_the_number_is_bounded_for_those_that_come_at_once_too(tmp_path: Path) -> None:
    """Security rule 15."""
    site, ops = await make_dashboard(tmp_path)
    tails = [Tail(site, ops) for _ in range(live.MOST_TAILS + 5)]
    running = {asyncio.ensure_future(tail.run()) for tail in tails}
    async with asyncio.timeout(30):
        while len(running) > live.MOST_TAILS:
            _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    assert len(running) == live.MOST_TAILS
    for task in running:
        task.cancel()
    await asyncio.wait(running)


async def test_what_cannot_be_followed_is_refused(tmp_path: Path) -> None:
    """Security rule 65."""
    _, ops = await make_dashboard(tmp_path)
    for query in ("?view=events", "?view=attempts", "?outcome=refused", "?after=1", "?x=1"):
        assert (await ops.get(LIVE + query)).status_code == 400, query


async def test_the_page_works_without_a_script(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await write(site, 700, attempt="attempt1")
    page = (await ops.get("/auth/dashboard/log?view=live")).text
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "attempt1" in page
