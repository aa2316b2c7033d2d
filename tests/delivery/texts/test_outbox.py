"""The outbox of text messages keeps them, and reads the code as a person would."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware.delivery.texts.base import TextMessage, TextSender
from pwless_middleware.delivery.texts.outbox import TextOutbox
from pwless_middleware.errors import ConfigError
from tests.support import holds

pytestmark = pytest.mark.anyio

JO, KIM = "+4915112345678", "+4915187654321"
BODY = "123456 is your code for Acme.\n\n@app.example.com #123456"


async def test_messages_are_kept_oldest_first_with_the_second_they_came() -> None:
    outbox = TextOutbox(clock=lambda: 1_700_000_000.9)
    await outbox.send(TextMessage(JO, "one", "https://a.example/status/x"))
    await outbox.send(TextMessage(KIM, "two"))

    assert [m.body for m in outbox.messages] == ["one", "two"]
    kept = outbox.messages[0]
    assert (kept.to, kept.status_url) == (JO, "https://a.example/status/x")
    assert kept.sent_at == 1_700_000_000


async def test_it_is_bounded_and_the_oldest_goes() -> None:
    outbox = TextOutbox(max_messages=2)
    for body in ("one", "two", "three"):
        await outbox.send(TextMessage(JO, body))

    assert [m.body for m in outbox.messages] == ["two", "three"]


async def test_latest_looks_for_one_number_or_any() -> None:
    outbox = TextOutbox()
    assert outbox.latest() is None
    await outbox.send(TextMessage(JO, "one"))
    await outbox.send(TextMessage(KIM, "two"))

    newest, jos = outbox.latest(), outbox.latest(JO)
    assert newest is not None
    assert newest.body == "two"
    assert jos is not None
    assert jos.body == "one"
    outbox.clear()
    assert outbox.latest(JO) is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (BODY, "123456"),
        ("123456 ist dein Code.\n\n@app.example.com #123456", "123456"),
        ("@127001001.example #123456", "123456"),
        ("no code", None),
    ],
)
async def test_the_code_is_read_from_the_body(body: str, code: str | None) -> None:
    outbox = TextOutbox()
    await outbox.send(TextMessage(JO, body))

    assert outbox.messages[0].code == code


async def test_no_number_and_no_code_stands_in_its_repr() -> None:
    outbox = TextOutbox()
    await outbox.send(TextMessage(JO, BODY, "https://a.example/status/x"))

    assert isinstance(outbox, TextSender)
    for secret in (JO, "123456", "status/x"):
        assert not holds(repr(outbox.messages), secret)


@pytest.mark.parametrize("bound", [0, "5", None, 2.5])
async def test_a_bound_that_is_none_is_a_config_error(bound: Any) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        TextOutbox(max_messages=bound)


async def test_a_clock_that_is_none_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="clock"):
        TextOutbox(clock=5)  # type: ignore[arg-type]
