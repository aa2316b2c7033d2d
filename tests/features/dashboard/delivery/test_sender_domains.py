"""What DNS says of the sender's domain: asked behind the page, and not each time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.delivery.smtp.mailer import SMTPMailer
from pwless_middleware.features.dashboard.delivery import sender_domains
from pwless_middleware.features.dashboard.delivery.sender_domains import KEPT, SenderDomains
from pwless_middleware.pytest_plugin.clock import Clock
from pwless_middleware.text import Text
from tests.features.dashboard.operators import make_dashboard_site

pytestmark = pytest.mark.anyio

OK = Finding("ok", "spf", Text("%(domain)s has one", domain="acme.dev"))


class Zone:
    """A DNS that answers when it is let, and counts who asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.error: Exception | None = None

    async def look_up(self, domain: str) -> Sequence[Finding]:
        self.asked.append(domain)
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return [OK]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_nobody_waits_for_it_and_it_is_asked_once() -> None:
    zone, clock = Zone(), Clock()
    domains = SenderDomains(lambda: ["acme.dev"], zone.look_up, clock)
    async with domains.keep():
        for _ in range(3):
            (report,) = domains.reports()
            assert report.findings is None
            await settle()
        assert zone.asked == ["acme.dev"]
        zone.may_answer.set()
        await settle()
        (report,) = domains.reports()
        assert report.findings == (OK,)
        clock.advance(KEPT - 1)
        domains.reports()
        await settle()
        assert zone.asked == ["acme.dev"]
        clock.advance(1)
        assert domains.reports()[0].findings == (OK,), "the old answer stands until there is a new"
        await settle()
        assert zone.asked == ["acme.dev"] * 2


async def test_one_that_hangs_or_breaks_is_said_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sender_domains, "PATIENCE", 0.01)
    for error, said in ((None, "TimeoutError"), (ValueError("secret"), "ValueError")):
        zone = Zone()
        zone.error = error
        if error is not None:
            zone.may_answer.set()
        domains = SenderDomains(lambda: ["acme.dev"], zone.look_up, Clock())
        async with domains.keep():
            domains.reports()
            await asyncio.gather(*domains._asked.here().tasks.values())
            (report,) = domains.reports()
            assert report.findings is not None
            assert said in report.findings[0].message
            assert report.findings[0].level == "skip"
    assert "secret" not in caplog.text


async def test_what_is_being_asked_ends_with_the_process() -> None:
    zone = Zone()
    domains = SenderDomains(lambda: ["acme.dev", "acme.example"], zone.look_up, Clock())
    async with domains.keep():
        domains.reports()
        tasks = list(domains._asked.here().tasks.values())
    assert all(task.cancelled() for task in tasks)
    async with domains.keep():
        pass


async def test_the_domains_are_those_of_the_mailers(tmp_path: Path) -> None:
    mailer = SMTPMailer("smtp://127.0.0.1:2525", sender="Acme <login@acme.example>")
    site = make_dashboard_site(tmp_path, mailer=mailer)
    find: Callable[[], Sequence[str]] = site.passwordless._kit.delivery.sender_domains
    assert find() == ["acme.example"]
