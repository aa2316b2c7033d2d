"""What `check` says of text messages: each gateway is asked, and none is sent."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware import DeliveryError, EmailLogin, Kit, Mounted
from pwless_middleware.cli.checks import text_checks
from pwless_middleware.cli.checks.text_checks import check_text_senders
from pwless_middleware.delivery.texts.fallback import FallbackTexts
from tests.cli.conftest import Project
from tests.delivery.texts.fake_server import serving
from tests.delivery.texts.vendors import VENDORS
from tests.support import make_site

pytestmark = pytest.mark.anyio

TWILIO, VONAGE, *_ = VENDORS


class Gateway:
    """Be checked as told, and never send."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.closed = 0

    async def send(self, message: object) -> None:
        raise AssertionError("a check sends nothing")

    async def check(self) -> None:
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.closed += 1


class Plain:
    async def send(self, message: object) -> None: ...


class Texts:
    def __init__(self, *senders: Any) -> None:
        self.senders = senders

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(text_senders=self.senders)


async def found(*senders: Any) -> list[tuple[str, str]]:
    site = make_site(base_url="https://app.example.com", features=[EmailLogin(), Texts(*senders)])
    findings = await check_text_senders(site.passwordless)
    assert {finding.check for finding in findings} <= {"text_messages"}
    return [(finding.level, finding.message) for finding in findings]


async def test_without_text_messages_nothing_is_said() -> None:
    assert await found() == []


@pytest.mark.parametrize(
    ("sender", "level", "text"),
    [
        (Gateway(), "ok", "Gateway answers and signs in"),
        (Gateway(DeliveryError("it refuses the credentials")), "fail", "refuses the credentials"),
        (Gateway(ValueError("s3cret")), "fail", "Gateway.check() raised ValueError"),
        (Gateway(TimeoutError()), "fail", "Gateway does not answer"),
        (Plain(), "skip", "Plain has no check()"),
    ],
)
async def test_each_sender_is_told_as_it_is(sender: Any, level: str, text: str) -> None:
    ((told_level, told),) = await found(sender)
    assert told_level == level
    assert text in told
    assert "s3cret" not in told


async def test_both_of_a_fallback_are_asked_on_the_wire_and_closed() -> None:
    async with serving(TWILIO.answer) as twilio, serving(VONAGE.answer) as vonage:
        first, second = TWILIO.make(twilio.url), VONAGE.with_wrong_key(vonage.url)
        told = await found(FallbackTexts(first, second))
        assert len(twilio.seen) == len(vonage.seen) == 1
    assert told == [
        ("ok", "TwilioTexts answers and signs in"),
        ("fail", "Vonage refuses the credentials (answer 401)"),
    ]


async def test_senders_are_closed_afterwards() -> None:
    gateway = Gateway()
    await found(gateway)
    assert gateway.closed == 1


async def test_a_gateway_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_checks, "PATIENCE", 0.05)
    async with serving(lambda _: [None]) as server:
        assert await found(TWILIO.make(server.url)) == [("fail", "TwilioTexts does not answer")]


def test_the_command_asks(project: Project) -> None:
    project.write(
        "texts",
        "from pwless_middleware import Mounted\n"
        "from pwless_middleware.delivery.texts.outbox import TextOutbox\n"
        "class Texts:\n"
        "    def mount(self, kit):\n"
        "        return Mounted(text_senders=(TextOutbox(),))\n",
    )
    features = "features=[EmailLogin(), __import__('texts').Texts()]"
    project.wrapped(f"base_url='http://localhost:8000', mailer=Outbox(), {features}")
    _, report = project.check("site_app:app")
    assert report["text_messages"][0] == "warn"
