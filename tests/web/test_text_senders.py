"""What a feature that sends text messages gets: places, health and an end for its senders."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware import DeliveryError, EmailLogin, Kit, Mounted
from pwless_middleware.delivery.queue.outcomes import Delivery
from pwless_middleware.delivery.texts.base import TextMessage
from pwless_middleware.delivery.texts.fallback import FallbackTexts
from pwless_middleware.delivery.texts.outbox import TextOutbox
from pwless_middleware.delivery.texts.senders import TextSenders
from pwless_middleware.errors import StoreError
from pwless_middleware.flows.capabilities.topics import QueuedJob
from pwless_middleware.stores.memory import MemoryStore
from tests.support import make_site

pytestmark = pytest.mark.anyio

JO = "+4915112345678"


class Gateway:
    """Take messages unless there is an error to raise instead."""

    def __init__(self, error: Exception | None = None, *, parallel: int = 3) -> None:
        self.error = error
        self.parallel = parallel
        self.sent: list[TextMessage] = []
        self.closed = 0

    async def send(self, message: TextMessage) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append(message)

    async def aclose(self) -> None:
        self.closed += 1
        if self.error is not None:
            raise self.error


class Texts:
    """Send a text message by each gateway."""

    def __init__(self, *gateways: Any) -> None:
        self.gateways = gateways

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        return Mounted(jobs={"texts": self._read}, text_senders=self.gateways)

    async def _read(self, job: QueuedJob) -> Delivery:
        gateway = self.gateways[int(job.body)]

        async def send() -> None:
            await gateway.send(TextMessage(JO, "hello"))

        return Delivery(JO, send, channel="sms")


async def down(texts: Texts) -> list[str]:
    """Return what health names after three messages by the first gateway."""
    site = make_site(features=[EmailLogin(), texts])
    for _ in range(3):
        await texts.kit.jobs.put("texts", b"0")
    answer = await site.backend().browser.get("/auth/health")
    assert answer.status_code == 200
    found: list[str] = answer.json()["down"]
    return found


async def test_a_gateway_that_fails_is_named_apart_from_mail() -> None:
    assert await down(Texts(Gateway(DeliveryError("down")))) == ["text_delivery"]


async def test_a_gateway_that_takes_messages_is_not_named() -> None:
    gateway = Gateway()
    assert await down(Texts(gateway)) == []
    assert [message.body for message in gateway.sent] == ["hello"] * 3


@pytest.mark.parametrize(
    ("texts", "named"), [([], ["delivery"]), ([Texts(Gateway())], ["delivery", "text_delivery"])]
)
async def test_a_queue_that_is_down_is_told_of_text_messages_only_where_there_are_some(
    monkeypatch: pytest.MonkeyPatch, texts: list[Texts], named: list[str]
) -> None:
    async def away(**given: object) -> None:
        raise StoreError("no route to the store")

    store = MemoryStore()
    site = make_site(store=store, features=[EmailLogin(), *texts])
    monkeypatch.setattr(store.jobs, "claim", away)
    await site.passwordless.lifetime.close()
    answer = await site.backend().browser.get("/auth/health")
    assert answer.json()["down"] == named


async def test_senders_are_closed_once_at_the_end_the_others_also_when_one_fails() -> None:
    broken, whole = Gateway(DeliveryError("stuck")), Gateway()
    site = make_site(features=[EmailLogin(), Texts(broken, whole, whole)])
    with pytest.raises(ExceptionGroup, match="could not be closed"):
        await site.passwordless.lifetime.close()
    assert (broken.closed, whole.closed) == (1, 1)


@pytest.mark.parametrize(
    ("base_url", "warns"), [("https://app.example.com", True), ("http://localhost:8000", False)]
)
async def test_an_outbox_that_is_served_to_people_is_warned_of(
    base_url: str, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    texts = Texts(FallbackTexts(Gateway(), TextOutbox()))
    site = make_site(base_url=base_url, features=[EmailLogin(), texts])
    site.passwordless.check_served()
    assert ("nobody gets a code on their phone" in caplog.text) is warns


async def test_a_sender_needs_no_more_than_its_verb() -> None:
    class Plain:
        async def send(self, message: TextMessage) -> None: ...

    senders = TextSenders()
    assert senders.parallel == 0
    senders.add(Gateway(parallel=3))
    senders.add(Plain())
    assert senders.parallel == 3 + 8
    await senders.aclose()
