"""The outbox keeps mails and reads code and link as a person would."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware.delivery.base import Mailer, Message
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.errors import ConfigError

pytestmark = pytest.mark.anyio


def mail(text: str = "", to: str = "ann@example.org", subject: str = "Hi") -> Message:
    return Message(to=to, subject=subject, text=text, html="<p></p>")


async def test_messages_are_kept_oldest_first_with_the_second_they_came() -> None:
    outbox = Outbox(clock=lambda: 1_700_000_000.9)
    await outbox.send(mail("one"))
    await outbox.send(mail("two"))

    assert [m.text for m in outbox.messages] == ["one", "two"]
    kept = outbox.messages[0]
    assert isinstance(kept, Message)
    assert (kept.to, kept.subject, kept.html) == ("ann@example.org", "Hi", "<p></p>")
    assert kept.sent_at == 1_700_000_000


async def test_it_is_bounded_and_the_oldest_goes() -> None:
    outbox = Outbox(max_messages=2)
    for text in ("one", "two", "three"):
        await outbox.send(mail(text))

    assert [m.text for m in outbox.messages] == ["two", "three"]


async def test_latest_looks_for_one_recipient_or_any() -> None:
    outbox = Outbox()
    assert outbox.latest() is None
    await outbox.send(mail("one", to="ann@example.org"))
    await outbox.send(mail("two", to="bob@example.org"))

    newest, anns = outbox.latest(), outbox.latest("ann@example.org")
    assert newest is not None
    assert newest.text == "two"
    assert anns is not None
    assert anns.text == "one"
    assert outbox.latest("eve@example.org") is None

    outbox.clear()
    assert outbox.messages == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Your code:\n\n123456\n", "123456"),
        ("Your code is 12345678.", "12345678"),
        ("Your code:\n\nBCDF-GHJK\n", "BCDF-GHJK"),
        ("Dear 123456@qq.com, your code is 654321", "654321"),
        ("Open https://a.example/link?link_token=123456 or type 654321", "654321"),
        ("Asked on 2025-11-23 at 06:20, order A-123456-B", None),
        ("Your code is 12345", None),
        ("Hello", None),
    ],
)
async def test_the_code_is_read_from_the_text(text: str, code: str | None) -> None:
    outbox = Outbox()
    await outbox.send(mail(text))

    assert outbox.messages[0].code == code


@pytest.mark.parametrize(
    ("text", "link"),
    [
        (
            "Open\n\nhttp://localhost/link?link_token=aB-_9\n",
            "http://localhost/link?link_token=aB-_9",
        ),
        ("Go to (https://a.example/x?y=1&link_token=t).", "https://a.example/x?y=1&link_token=t"),
        (
            "https://a.example/help https://a.example/?link_token=t",
            "https://a.example/?link_token=t",
        ),
        ("No link, but https://a.example/", None),
    ],
)
async def test_the_link_is_read_from_the_text(text: str, link: str | None) -> None:
    outbox = Outbox()
    await outbox.send(mail(text))

    assert outbox.messages[0].link == link


async def test_it_is_a_mailer_that_delivers_inline_and_outlives_its_closing() -> None:
    outbox = Outbox()
    await outbox.send(mail("one"))
    await outbox.aclose()
    await outbox.aclose()

    assert isinstance(outbox, Mailer)
    assert Outbox.delivers_inline
    assert len(outbox.messages) == 1
    assert "ann@" not in repr(outbox.messages)


@pytest.mark.parametrize("bound", [0, "5", None, 2.5])
async def test_a_bound_that_is_none_is_a_config_error(bound: Any) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        Outbox(max_messages=bound)


async def test_a_clock_that_is_none_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="clock"):
        Outbox(clock=5)  # type: ignore[arg-type]
