"""Two mailers: when the second is used, and when it must not be."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from pwless_middleware.delivery.base import (
    Mailer,
    MaybeDelivered,
    Message,
    RecipientDeferred,
    RecipientRefused,
)
from pwless_middleware.delivery.fallback import FallbackMailer
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.delivery.smtp.mailer import SMTPMailer
from pwless_middleware.errors import ConfigError, DeliveryError

if TYPE_CHECKING:
    from tests.delivery.conftest import StartScript

pytestmark = pytest.mark.anyio


class Failing:
    """A mailer that fails as it is told to, or hangs; `None` has it work."""

    def __init__(self, error: Exception | None = None, *, hangs: bool = False) -> None:
        self.error = error
        self.hangs = hangs
        self.closed = 0

    async def send(self, message: Message) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.closed += 1
        if self.error is not None:
            raise self.error


async def test_the_second_is_not_used_while_the_first_works(message: Message) -> None:
    second = Outbox()
    mailer = FallbackMailer(Failing(), second)
    await mailer.send(message)

    assert second.messages == []
    assert isinstance(mailer, Mailer)


@pytest.mark.parametrize(
    "error",
    [
        DeliveryError("451 later"),
        DeliveryError("550 no credit", permanent=True),
        ConnectionRefusedError("ann@example.org"),
    ],
)
async def test_the_second_sends_what_the_first_does_not_take(
    message: Message, error: Exception
) -> None:
    second = Outbox()
    await FallbackMailer(Failing(error), second).send(message)

    assert [m.to for m in second.messages] == ["ann@example.org"]


@pytest.mark.parametrize("error", [RecipientRefused("550"), MaybeDelivered("no word")])
async def test_a_refused_recipient_and_a_possible_double_stay_with_the_first(
    message: Message, error: DeliveryError
) -> None:
    second = Outbox()
    with pytest.raises(type(error)):
        await FallbackMailer(Failing(error), second).send(message)

    assert second.messages == []


async def test_a_first_that_hangs_is_left_after_its_patience(message: Message) -> None:
    second = Outbox()
    await FallbackMailer(Failing(hangs=True), second, patience=0.01).send(message)

    assert len(second.messages) == 1


async def test_a_dead_server_is_replaced_by_one_that_works(
    message: Message, start_script: StartScript
) -> None:
    dead, alive = await start_script(GREETING="close"), await start_script()
    mailer = FallbackMailer(
        SMTPMailer(f"smtp://127.0.0.1:{dead.port}", sender="a@b.example"),
        SMTPMailer(f"smtp://127.0.0.1:{alive.port}", sender="a@b.example"),
    )
    await mailer.send(message)
    await mailer.aclose()

    assert len(alive.messages) == 1


@pytest.mark.parametrize(
    ("first", "second", "permanent"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
async def test_both_failing_is_permanent_only_if_both_are(
    message: Message, first: bool, second: bool, permanent: bool
) -> None:
    mailer = FallbackMailer(
        Failing(DeliveryError("one", permanent=first)),
        Failing(DeliveryError("two", permanent=second)),
    )
    with pytest.raises(DeliveryError, match="first: one; second: two") as caught:
        await mailer.send(message)

    assert caught.value.permanent is permanent


async def test_the_seconds_word_on_the_recipient_is_passed_on(message: Message) -> None:
    mailer = FallbackMailer(Failing(DeliveryError("451")), Failing(RecipientRefused("550")))
    with pytest.raises(RecipientRefused):
        await mailer.send(message)


async def test_an_exception_of_the_first_is_not_quoted(message: Message) -> None:
    mailer = FallbackMailer(Failing(OSError("to ann@example.org")), Failing(DeliveryError("down")))
    with pytest.raises(DeliveryError) as caught:
        await mailer.send(message)

    assert str(caught.value) == "first: OSError; second: down"


async def test_going_over_and_coming_back_are_logged_once(
    message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pwless.delivery")
    first = Failing(DeliveryError("down"))
    mailer = FallbackMailer(first, Outbox())
    await mailer.send(message)
    await mailer.send(message)
    first.error = None
    await mailer.send(message)
    await mailer.send(message)

    events = [vars(record)["event"] for record in caplog.records]
    assert events == ["mail_fallback_begin", "mail_fallback_end"]


async def test_check_asks_those_that_know_how(
    start_script: StartScript, unused_tcp_port: int
) -> None:
    script = await start_script()
    good = SMTPMailer(f"smtp://127.0.0.1:{script.port}", sender="a@b.example")
    bad = SMTPMailer(f"smtp://127.0.0.1:{unused_tcp_port}", sender="a@b.example")
    await FallbackMailer(good, Outbox()).check()
    assert script.connections == 1

    with pytest.raises(DeliveryError, match="cannot be used"):
        await FallbackMailer(good, bad).check()


async def test_both_are_closed_even_if_the_first_fails_to() -> None:
    first, second = Failing(DeliveryError("stuck")), Failing()
    with pytest.raises(DeliveryError, match="stuck"):
        await FallbackMailer(first, second).aclose()

    assert (first.closed, second.closed) == (1, 1)


@pytest.mark.parametrize("patience", [0, "20", True, None, float("nan")])
async def test_patience_must_be_above_0(patience: Any) -> None:
    with pytest.raises(ConfigError, match="patience"):
        FallbackMailer(Failing(), Failing(), patience=patience)


@pytest.mark.parametrize("mailer", [None, "smtp://localhost", Failing])
async def test_what_is_no_mailer_is_refused(mailer: Any) -> None:
    with pytest.raises(ConfigError, match="first: set a mailer"):
        FallbackMailer(mailer, Failing())
    with pytest.raises(ConfigError, match="second: set a mailer"):
        FallbackMailer(Failing(), mailer)


async def test_a_recipient_that_the_second_defers_is_no_outage(message: Message) -> None:
    mailer = FallbackMailer(Failing(DeliveryError("down")), Failing(RecipientDeferred("451 later")))
    with pytest.raises(RecipientDeferred, match="first: down; second: 451 later"):
        await mailer.send(message)


def test_it_sends_as_many_at_a_time_as_the_first() -> None:
    first = SMTPMailer("smtp://localhost", sender="a@b.example", connections=3)
    assert FallbackMailer(first, Outbox()).parallel == 3
    assert FallbackMailer(Failing(), first).parallel == 8
