"""The whole way: a real SMTP server gets the mail, and a real browser signs in with it."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from queue import Queue
from typing import Literal

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from playwright.sync_api import expect

from demo_app.app import create_app
from pwless_middleware import Outbox, SMTPMailer
from tests.browser.conftest import SECRET_KEY, Demo, Visit, violations
from tests.live import clock_of_today, served

JO = "jo@example.com"
OF_WHOLE_PAGES = {rule: {"enabled": False} for rule in ("region", "landmark-one-main")}
"""Rules that do not bind a mail: it is shown inside somebody else's page."""


class Postbox:
    """An SMTP server on a loop of its own; what it accepts comes out of `mails`."""

    def __init__(self) -> None:
        self.mails: Queue[tuple[Envelope, EmailMessage]] = Queue()
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._run)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.put((envelope, message))
        return "250 taken"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            self._loop.create_server(lambda: SMTP(self), "127.0.0.1", 0)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._is_up.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def __enter__(self) -> Postbox:
        self._thread.start()
        assert self._is_up.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """Return a mail server."""
    with Postbox() as postbox:
        yield postbox


@pytest.fixture
def demo(postbox: Postbox) -> Iterator[Demo]:
    """Serve a demo that sends real mail."""
    mailer = SMTPMailer(f"smtp://127.0.0.1:{postbox.port}", sender="Fernway <login@example.org>")
    with served(lambda url: create_app(secret_key=SECRET_KEY, base_url=url, mailer=mailer)) as url:
        yield Demo(url, Outbox(), clock_of_today())


def part(message: EmailMessage, kind: Literal["plain", "html"]) -> str:
    """Return one of the mail's two parts."""
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_the_code_of_a_real_mail_signs_in(postbox: Postbox, visit: Visit) -> None:
    visitor = visit()
    page = visitor.ask(JO)
    envelope, message = postbox.mails.get(timeout=30)
    assert (envelope.mail_from, envelope.rcpt_tos) == ("login@example.org", [JO])
    assert message["from"] == "Fernway <login@example.org>"
    code = re.search(r"^\s*(\d{6})\s*$", part(message, "plain"), re.MULTILINE)
    assert code is not None
    assert code[1] in part(message, "html")
    assert code[1] not in message["subject"]
    visitor.enter(page, code[1])
    expect(page.get_by_role("heading", level=1)).to_contain_text(JO)


def test_the_button_of_a_real_mail_signs_in(postbox: Postbox, visit: Visit) -> None:
    visitor = visit()
    waiting = visitor.ask(JO)
    _, message = postbox.mails.get(timeout=30)
    mail = visit().context.new_page()
    mail.set_content(part(message, "html"))
    link = mail.get_by_role("link", name="Sign in to Fernway").get_attribute("href")
    assert link is not None
    assert link in part(message, "plain")
    visitor.open(link).wait_for_url("**/dashboard")
    waiting.wait_for_url("**/dashboard")


def test_the_mail_is_readable(postbox: Postbox, visit: Visit) -> None:
    visit().ask("a.rather.long.mailbox.name.that.goes.on@subdomain.of.a.long.name.example.com")
    _, message = postbox.mails.get(timeout=30)
    page = visit().context.new_page()
    for width in (320, 800):
        page.set_viewport_size({"width": width, "height": 800})
        page.set_content(part(message, "html"))
        assert violations(page, {"rules": OF_WHOLE_PAGES}) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
