"""The second sender: what it gets, what it never gets, and when it is tried before the first."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import pytest

from pwless_middleware.delivery.base import MaybeDelivered, RecipientDeferred, RecipientRefused
from pwless_middleware.delivery.texts.base import TextMessage, TextSender, read_status
from pwless_middleware.delivery.texts.fallback import FallbackTexts
from pwless_middleware.delivery.texts.outbox import TextOutbox
from pwless_middleware.errors import ConfigError, DeliveryError
from tests.delivery.texts.fake_server import serving
from tests.delivery.texts.vendors import VENDORS
from tests.support import holds

pytestmark = pytest.mark.anyio

MESSAGE = TextMessage("+4915112345678", "123456")


class Sender:
    """Take messages, or raise, or hang."""

    def __init__(self, error: Exception | None = None, *, hangs: bool = False) -> None:
        self.error = error
        self.hangs = hangs
        self.sent: list[TextMessage] = []
        self.tried = 0
        self.closed = 0
        self.status: Any = None

    async def send(self, message: TextMessage) -> None:
        self.tried += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        self.sent.append(message)

    async def check(self) -> None:
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.closed += 1
        if self.error is not None:
            raise self.error

    def read_status(self, headers: Mapping[str, str], body: bytes) -> Any:
        return self.status


async def test_what_a_first_of_the_host_quotes_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = Sender(DeliveryError("cannot send 123456 to +4915112345678"))
    await FallbackTexts(first, Sender()).send(MESSAGE)
    (record,) = caplog.records
    for secret in (MESSAGE.to, MESSAGE.body):
        assert not holds(f"{vars(record)}{caplog.text}", secret)


class Timer:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_the_first_has_all_that_it_takes() -> None:
    first, second = Sender(), Sender()
    texts = FallbackTexts(first, second)
    assert isinstance(texts, TextSender)
    await texts.send(MESSAGE)
    assert (first.sent, second.tried) == ([MESSAGE], 0)


@pytest.mark.parametrize(
    "error",
    [
        DeliveryError("down"),
        DeliveryError("refuses the credentials"),
        DeliveryError("error 21408", permanent=True),
        RecipientDeferred("queue full"),
        ValueError("to +4915112345678"),
    ],
)
async def test_the_second_has_what_failed_for_a_reason_of_the_firsts(error: Exception) -> None:
    second = Sender()
    await FallbackTexts(Sender(error), second).send(MESSAGE)
    assert second.sent == [MESSAGE]


@pytest.mark.parametrize("error", [RecipientRefused("error 21211"), MaybeDelivered("no answer")])
async def test_it_has_no_refused_number_and_nothing_that_may_be_on_its_way(
    error: Exception,
) -> None:
    second = Sender()
    with pytest.raises(type(error)):
        await FallbackTexts(Sender(error), second).send(MESSAGE)
    assert second.tried == 0


async def test_a_first_that_never_ends_may_have_taken_it_and_is_passed_over_then() -> None:
    first, second = Sender(hangs=True), Sender()
    texts = FallbackTexts(first, second, patience=0.01)
    with pytest.raises(MaybeDelivered, match=r"no end after 0\.01 s"):
        await texts.send(MESSAGE)
    await texts.send(MESSAGE)  # the queue's next try
    assert (first.tried, second.sent) == (1, [MESSAGE])


async def test_a_first_that_is_down_is_passed_over_for_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "pwless.delivery")
    timer, first, second = Timer(), Sender(DeliveryError("down")), Sender()
    texts = FallbackTexts(first, second, timer=timer)
    for timer.now in (0.0, 1.0, 59.0):
        await texts.send(MESSAGE)
    assert (first.tried, len(second.sent)) == (1, 3)
    timer.now = 60.0
    await texts.send(MESSAGE)
    assert (first.tried, len(second.sent)) == (2, 4)
    first.error, timer.now = None, 120.0
    await texts.send(MESSAGE)
    await texts.send(MESSAGE)
    assert (len(first.sent), len(second.sent)) == (2, 4)
    events = [vars(record)["event"] for record in caplog.records]
    assert events == ["sms_fallback_begin", "sms_fallback_end"]


async def test_while_it_is_passed_over_the_first_has_what_the_second_does_not_take() -> None:
    first, second = Sender(DeliveryError("down")), Sender()
    texts = FallbackTexts(first, second)
    await texts.send(MESSAGE)
    first.error, second.error = None, DeliveryError("down, too")
    await texts.send(MESSAGE)
    assert first.sent == [MESSAGE]


@pytest.mark.parametrize(
    "error", [DeliveryError("error 21617", permanent=True), RecipientDeferred("queue full"),
              RecipientRefused("error 21211")]
)  # fmt: skip
async def test_what_the_first_says_of_one_message_passes_it_over_for_no_other(
    error: Exception,
) -> None:
    first, second = Sender(error), Sender()
    texts = FallbackTexts(first, second)
    with contextlib.suppress(RecipientRefused):
        await texts.send(MESSAGE)
    first.error = None
    await texts.send(MESSAGE)
    assert first.sent == [MESSAGE]


@pytest.mark.parametrize(
    ("one", "two", "permanent", "retry_after"),
    [
        (DeliveryError("a"), DeliveryError("b"), False, None),
        (DeliveryError("a", permanent=True), DeliveryError("b"), False, None),
        (DeliveryError("a", permanent=True), DeliveryError("b", permanent=True), True, None),
        (DeliveryError("a", retry_after=9), DeliveryError("b", retry_after=5), False, 5),
        (DeliveryError("a", retry_after=9), DeliveryError("b"), False, None),
        (ValueError("to +4915112345678"), DeliveryError("b"), False, None),
    ],
)
async def test_when_neither_takes_it_both_reasons_are_told(
    one: Exception, two: DeliveryError, permanent: bool, retry_after: int | None
) -> None:
    with pytest.raises(DeliveryError) as raised:
        await FallbackTexts(Sender(one), Sender(two)).send(MESSAGE)
    assert raised.value.permanent is permanent
    assert raised.value.retry_after == retry_after
    first = type(one).__name__ if isinstance(one, ValueError) else "a"
    assert str(raised.value) == f"{first}; then b"


async def test_a_number_that_the_second_will_not_have_now_is_no_outage() -> None:
    with pytest.raises(RecipientDeferred, match="down; then later"):
        await FallbackTexts(Sender(DeliveryError("down")), Sender(RecipientDeferred("later"))).send(
            MESSAGE
        )


async def test_two_gateways_stand_in_for_each_other_on_the_wire() -> None:
    twilio, vonage, *_ = VENDORS
    async with serving(vonage.answer) as server:
        texts = FallbackTexts(twilio.make("http://localhost:1"), vonage.make(server.url))
        await texts.send(MESSAGE)
        await texts.aclose()
    assert vonage.read(server.seen[0]).body == "123456"
    # A report may come from either.
    assert read_status(texts, {}, b"MessageStatus=delivered") == "delivered"
    assert read_status(texts, {}, b'{"status": "failed"}') == "undelivered"
    assert read_status(texts, {}, b"nothing") is None


async def test_both_are_checked_and_closed_the_second_also_when_the_first_fails() -> None:
    first, second = Sender(), Sender(DeliveryError("down"))
    with pytest.raises(DeliveryError, match="down"):
        await FallbackTexts(first, second).check()
    first, second = Sender(DeliveryError("stuck")), Sender()
    with pytest.raises(DeliveryError, match="stuck"):
        await FallbackTexts(first, second).aclose()
    assert (first.closed, second.closed) == (1, 1)
    plain = FallbackTexts(TextOutbox(), TextOutbox())
    await plain.check()
    await plain.aclose()
    assert plain.parallel == 8


BAD: dict[str, list[object]] = {
    "first": [None, "https://a.example", Sender],
    "second": [None, object(), Sender],
    "patience": [0, -1, None, "5", True, float("inf"), float("nan")],
    "pause": [-1, None, "5", False, float("inf")],
    "timer": [5, None],
}


@pytest.mark.parametrize(
    ("option", "value"), [(option, value) for option, values in BAD.items() for value in values]
)
def test_a_bad_option_is_named(option: str, value: object) -> None:
    given: dict[str, Any] = {"first": Sender(), "second": Sender(), option: value}
    with pytest.raises(ConfigError) as raised:
        FallbackTexts(**given)
    assert raised.value.option == option
