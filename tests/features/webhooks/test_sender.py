"""The tries: when they are made, so many at a time, and what becomes of a webhook that fails."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import Kit, Mounted, Webhooks
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.operators.webhook import (
    DELAYS,
    TRIES,
    NextTry,
    Webhook,
    WebhookDelivery,
)
from pwless_middleware.database.repositories import Repositories
from pwless_middleware.errors import StoreError
from pwless_middleware.features.webhooks import outgoing, sender
from pwless_middleware.features.webhooks.held import HeldWebhooks
from pwless_middleware.features.webhooks.outgoing import OutgoingEvents
from pwless_middleware.features.webhooks.secrets import WebhookSecrets
from pwless_middleware.features.webhooks.sender import FAILING_SECONDS, PARALLEL, SHARE, Sender
from pwless_middleware.features.webhooks.turned_off import TurnOff
from pwless_middleware.safe_http.client import SafeHTTPClient
from tests.delivery.texts.fake_server import FakeServer, Reply, Seen, reply, serving
from tests.features.dashboard.operators import OPS, make_dashboard_site
from tests.features.webhooks.receivers import until
from tests.support import Site

pytestmark = pytest.mark.anyio


@dataclass
class Sending:
    """A sender of its own over a site's database, and the server that it sends to."""

    site: Site
    kit: Kit
    kept: Repositories
    sender: Sender
    secrets: WebhookSecrets
    server: FakeServer
    answer: Any = None
    number: int = 0

    async def webhook(self, id: str = "wh_a", **fields: Any) -> Webhook:
        made = Webhook(
            id=id,
            url=f"{self.server.url}/{id}",
            description="",
            kinds=(),
            secret=self.secrets.encrypt(id, b"x" * 32),
            created_at=self.site.clock.now,
            by="operator:jo",
        )
        assert await self.kept.webhooks.put(replace(made, **fields), seen=None) == "done"
        return replace(made, **fields)

    async def delivery(self, id: str = "wh_a") -> NextTry:
        self.number += 1
        row = WebhookDelivery(
            webhook_id=id,
            event_id=format_event_id(self.site.clock.now, self.number),
            kind="session.created",
            at=self.site.clock.now,
            body="{}",
            next_at=self.site.clock.now,
        )
        await self.kept.webhook_deliveries.add([row])
        return NextTry(id, row.event_id, 0)

    async def find(self, one: NextTry) -> WebhookDelivery:
        found = await self.kept.webhook_deliveries.find(one.webhook_id, one.event_id)
        assert found is not None
        return found

    async def make(self, one: NextTry) -> WebhookDelivery:
        await self.sender.make(one)
        return await self.find(one)

    async def delivered(self, one: NextTry) -> None:
        """Wait until it is."""

        async def is_so() -> bool:
            return (await self.find(one)).state == "delivered"

        await until(is_so)

    async def find_webhook(self, id: str = "wh_a") -> Webhook:
        found = await self.kept.webhooks.find(id)
        assert found is not None
        return found


@pytest.fixture
async def sending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sending]:
    kits: list[Kit] = []
    mount = Webhooks.mount

    def mount_and_tell(self: Webhooks, kit: Kit) -> Mounted:
        kits.append(kit)
        return mount(self, kit)

    monkeypatch.setattr(Webhooks, "mount", mount_and_tell)
    site = make_dashboard_site(tmp_path, features=[Webhooks(unsafe_loopback=True)])
    (kit,) = kits
    assert kit.repositories is not None
    kept = kit.repositories
    client = SafeHTTPClient("features", extra="webhooks", allow_loopback=True, seconds=30)
    secrets = WebhookSecrets(kit.secrets, kept.webhooks)
    turn_off = TurnOff(kit, kept.webhooks, HeldWebhooks(kept.webhooks, kit.signals))
    made = Sender(kit, kept, client, secrets, turn_off, jitter=lambda: 0.5)
    box: list[Sending] = []
    async with serving(lambda seen: box[0].answer(seen)) as server:
        box.append(Sending(site, kit, kept, made, secrets, server, lambda _: reply(204)))
        yield box[0]
    await site.passwordless.lifetime.close()


async def test_what_is_taken_is_delivered(sending: Sending) -> None:
    await sending.webhook()
    sending.answer = lambda _: reply(202, "ok")
    found = await sending.make(await sending.delivery())
    assert (found.state, found.status, found.answer, found.tries) == ("delivered", 202, "ok", 1)
    assert found.next_at is None
    assert found.milliseconds is not None


async def test_what_fails_is_tried_for_a_day_later_each_time(sending: Sending) -> None:
    await sending.webhook()
    sending.answer = lambda _: reply(500, "no")
    one, clock, begun = await sending.delivery(), sending.site.clock, sending.site.clock.now
    for number, delay in enumerate(DELAYS):
        found = await sending.make(replace(one, tries=number))
        assert (found.state, found.status, found.tries) == ("waiting", 500, number + 1)
        assert found.next_at == clock.now + delay
        clock.now = found.next_at
    found = await sending.make(replace(one, tries=len(DELAYS)))
    assert (found.state, found.tries, found.next_at) == ("failed", TRIES, None)
    assert 0.9 * 86_400 < clock.now - begun < 1.2 * 86_400
    assert len(sending.server.seen) == TRIES
    assert (await sending.find_webhook()).failing_since == begun


@pytest.mark.parametrize(
    ("said", "status", "fault"),
    [
        (reply(302, location="https://elsewhere.example.com"), 302, ""),
        (reply(404), 404, ""),
        ([None], None, "timeout"),
        ([b"HTTP/1.1 200 Said\r\ncontent-length: 9\r\n\r\nx"], None, "broken"),
        ([b"junk\r\n\r\n"], None, "broken"),
    ],
    ids=["redirect", "not found", "silence", "cut off", "no http"],
)
async def test_what_is_no_success_is_none(
    sending: Sending, said: Reply, status: int | None, fault: str
) -> None:
    await sending.webhook()
    sending.answer = lambda _: said
    if fault == "timeout":
        sending.sender._client._seconds = 0.3
    found = await sending.make(await sending.delivery())
    assert (found.state, found.status, found.fault) == ("waiting", status, fault)


async def test_of_a_huge_answer_the_beginning_is_kept(sending: Sending) -> None:
    await sending.webhook()
    sending.answer = lambda _: reply(500, "ü" * 3_000_000)
    found = await sending.make(await sending.delivery())
    assert found.answer == "ü" * 1000


async def test_who_asks_for_a_wait_is_given_it_within_reason(sending: Sending) -> None:
    await sending.webhook()
    now = sending.site.clock.now
    for asked, wait in (("600", 600), ("999999", 3600), ("1", DELAYS[0]), ("soon", DELAYS[0])):
        sending.answer = lambda _, asked=asked: reply(503, retry_after=asked)
        found = await sending.make(await sending.delivery())
        assert found.next_at == now + wait, asked


async def test_of_several_processes_one_makes_a_try(sending: Sending) -> None:
    await sending.webhook()
    one = await sending.delivery()
    await asyncio.gather(*(sending.sender.make(one) for _ in range(5)))
    assert len(sending.server.seen) == 1


async def test_what_waits_for_one_that_is_off_or_gone_fails_unsent(sending: Sending) -> None:
    await sending.webhook(off_reason="operator")
    found = await sending.make(await sending.delivery())
    assert (found.state, found.fault) == ("failed", "off")
    found = await sending.make(await sending.delivery("wh_none"))
    assert (found.state, found.fault) == ("failed", "off")
    assert sending.server.seen == []


async def test_what_ends_every_process_that_tries_it_fails_once_no_try_is_left(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would else be tried every minute for a month."""
    await sending.webhook()
    one = await sending.delivery()

    async def die(*given: Any, **named: Any) -> Any:
        raise MemoryError

    with monkeypatch.context() as dying:
        dying.setattr(SafeHTTPClient, "request", die)
        for tries in range(TRIES):
            with pytest.raises(MemoryError):
                await sending.sender.make(replace(one, tries=tries))
    found = await sending.make(replace(one, tries=TRIES))
    assert (found.state, found.fault) == ("failed", "lost")
    assert sending.server.seen == []


async def test_a_secret_that_no_key_decrypts_signs_nothing(sending: Sending) -> None:
    await sending.webhook(secret=b"\x01" + b"moved here from another row, or another key" * 2)
    found = await sending.make(await sending.delivery())
    assert (found.state, found.fault) == ("waiting", "secret")
    assert sending.server.seen == []


# --- turned off ----------------------------------------------------------------------------------


async def test_one_that_fails_for_days_is_turned_off_and_all_admins_are_told(
    sending: Sending,
) -> None:
    await sending.webhook()
    site, clock = sending.site, sending.site.clock
    sending.answer = lambda _: reply(500)
    await sending.make(await sending.delivery())
    clock.now += FAILING_SECONDS - 1
    await sending.make(await sending.delivery())
    assert (await sending.find_webhook()).is_on
    clock.now += 1
    await sending.make(await sending.delivery())
    webhook = await sending.find_webhook()
    assert webhook.off_reason == "failing"
    (event,) = site.passwordless.events.recent(kind="webhook.turned_off")
    assert (event.by, event.reason, event.details) == ("pwless", "failing", {"id": "wh_a"})
    await site.passwordless.deliveries.run_due()
    mail = site.mail(OPS)
    assert "webhook" in mail.subject
    assert "localhost" in mail.text.replace("\u2060", "")
    assert "help@" not in "".join(message.to for message in site.outbox.messages)


async def test_a_success_in_between_begins_anew(sending: Sending) -> None:
    await sending.webhook()
    clock = sending.site.clock
    for status in (500, 204, 500):
        sending.answer = lambda _, status=status: reply(status)
        await sending.make(await sending.delivery())
        clock.now += FAILING_SECONDS
    webhook = await sending.find_webhook()
    assert webhook.is_on
    assert webhook.failing_since == clock.now - FAILING_SECONDS


async def test_one_that_says_that_it_is_gone_is_turned_off_at_once(sending: Sending) -> None:
    await sending.webhook()
    sending.answer = lambda _: reply(410)
    found = await sending.make(await sending.delivery())
    assert found.state == "failed"
    assert (await sending.find_webhook()).off_reason == "gone"


async def test_what_an_operator_changes_meanwhile_stays_as_they_want_it(sending: Sending) -> None:
    webhook = await sending.webhook()

    def change(_: Seen) -> Reply:
        return reply(410)

    sending.answer = change
    taken = await sending.kept.webhooks.find("wh_a")
    assert taken is not None
    await sending.kept.webhooks.put(replace(webhook, description="new", version=2), seen=1)
    await sending.sender._turn_off(taken, "gone")
    assert (await sending.find_webhook()).is_on


# --- so many at a time ---------------------------------------------------------------------------


async def test_one_that_hangs_does_not_hold_up_the_others(sending: Sending) -> None:
    """The slow one has its share of the places, and no more."""
    await sending.webhook("wh_slow")
    await sending.webhook("wh_quick")
    sending.answer = lambda seen: [None] if "slow" in seen.target else reply(204)
    slow = [await sending.delivery("wh_slow") for _ in range(3 * PARALLEL)]
    quick = [await sending.delivery("wh_quick") for _ in range(10)]
    async with sending.sender.opened():
        for one in (*slow, *quick):
            sending.sender.add(one)
        for one in quick:
            await sending.delivered(one)
        asked = sum("slow" in seen.target for seen in sending.server.seen)
        assert SHARE <= asked < len(slow)
        assert len(sending.sender._here.here().running) <= PARALLEL


async def test_what_finds_no_room_is_looked_at_again(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "MOST_WAITING", 2)
    await sending.webhook()
    all = [await sending.delivery() for _ in range(SHARE + 5)]
    sending.answer = lambda _: [None]
    async with sending.sender.opened():
        for one in all:
            sending.sender.add(one)
        assert sending.sender._here.here().count == 2
    due = await sending.kept.webhook_deliveries.due(
        now=sending.site.clock.now, again_at=sending.site.clock.now + 60, limit=99
    )
    assert len(due) >= 5 - 2


# --- the way out ---------------------------------------------------------------------------------


def event(number: int, kind: str = "session.created") -> Event:
    return Event(at=1_800_000_000, kind=kind, id=format_event_id(1_800_000_000, number))


class Nobody:
    """A database that cannot be asked until it is mended."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.is_down = True

    async def add(self, rows: Sequence[WebhookDelivery]) -> None:
        if self.is_down:
            raise StoreError("gone")
        await self.inner.add(rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


async def test_events_wait_for_the_database_and_go_in_their_order(sending: Sending) -> None:
    await sending.webhook()
    kit = sending.kit
    down = Nobody(sending.kept.webhook_deliveries)
    out = OutgoingEvents(kit, HeldWebhooks(sending.kept.webhooks, kit.signals), down)
    for number in range(250):
        out.note(event(number))
    assert not await out.flush()
    out.note(event(250))
    down.is_down = False
    assert await out.flush()
    rows = await down.list("wh_a", limit=999)
    assert [row.event_id for row in rows] == [event(n).id for n in reversed(range(251))]


async def test_what_finds_no_room_in_memory_is_counted_and_told(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "MOST_WAITING", 3)
    kit = sending.kit
    held = HeldWebhooks(sending.kept.webhooks, kit.signals)
    out = OutgoingEvents(kit, held, sending.kept.webhook_deliveries)
    for number in range(5):
        out.note(event(number))
    out.note(event(9, "webhook.created"))
    assert await out.flush()
    (told,) = sending.site.passwordless.events.recent(kind="webhook.dropped")
    assert told.details == {"count": 2}


async def test_strangers_fill_neither_the_database_nor_the_way_of_others(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that is refused costs nothing, and each would be a row for each webhook."""
    monkeypatch.setattr(outgoing, "REFUSALS_PER_HOUR", 2)
    await sending.webhook()
    kit = sending.kit
    held = HeldWebhooks(sending.kept.webhooks, kit.signals)
    out = OutgoingEvents(kit, held, sending.kept.webhook_deliveries)
    for number in range(9):
        out.note(event(number, "caller.refused"))
    out.note(event(9))
    assert await out.flush()
    found = [one.kind for one in await sending.kept.webhook_deliveries.list("wh_a")]
    assert found == ["session.created", "caller.refused", "caller.refused"]


async def test_what_is_due_is_queued_and_tried_by_whoever_reads_the_job(sending: Sending) -> None:
    """As after a crash: the row alone is left."""
    await sending.webhook()
    one = await sending.delivery()
    kit = sending.kit
    held = HeldWebhooks(sending.kept.webhooks, kit.signals)
    await OutgoingEvents(kit, held, sending.kept.webhook_deliveries).queue_due()
    await sending.site.passwordless.deliveries.run_due()
    await sending.delivered(one)


async def test_a_message_is_the_same_bytes_with_each_try(sending: Sending) -> None:
    await sending.webhook()
    sending.answer = lambda _: reply(500)
    one = await sending.delivery()
    for tries in range(2):
        await sending.make(replace(one, tries=tries))
    first, second = sending.server.seen
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert json.loads(first.body) == {}
    assert re.fullmatch(r"v1,[A-Za-z0-9+/]{43}=", first.headers["webhook-signature"])
