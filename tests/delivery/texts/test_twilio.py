"""What is Twilio's own: who sends, API keys, and errors that come with a success."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pwless_middleware.delivery.base import RecipientRefused
from pwless_middleware.delivery.texts.base import TextMessage
from pwless_middleware.delivery.texts.options import basic_auth
from pwless_middleware.delivery.texts.twilio import TwilioTexts
from pwless_middleware.errors import ConfigError, DeliveryError
from tests.delivery.texts.fake_server import reply, serving
from tests.delivery.texts.vendors import ACCOUNT, TLS, TOKEN

pytestmark = pytest.mark.anyio

MESSAGE = TextMessage("+4915112345678", "hello")
QUEUED = reply(201, json.dumps({"sid": "SM1", "status": "queued", "error_code": None}))


def make(base: str, **options: Any) -> TwilioTexts:
    return TwilioTexts(
        **{
            "account_sid": ACCOUNT, "auth_token": TOKEN, "sender": "+15551234567", "base": base,
            "tls_context": TLS, **options,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sender", "field"),
    [
        ("+15551234567", "From"),
        ("12345", "From"),
        ("Acme Login", "From"),
        ("MG" + "0a" * 16, "MessagingServiceSid"),
    ],
)
async def test_it_sends_as_a_number_a_name_or_a_service(sender: str, field: str) -> None:
    async with serving(lambda _: QUEUED) as server:
        twilio = make(server.url, sender=sender)
        await twilio.send(MESSAGE)
        await twilio.aclose()
    form = server.seen[0].form
    assert form == {"To": MESSAGE.to, field: sender, "Body": "hello"}


async def test_an_api_key_signs_in_and_the_account_stays_in_the_path() -> None:
    key = "SK" + "0b" * 16
    async with serving(lambda _: QUEUED) as server:
        twilio = make(server.url, key_sid=key, auth_token="secretOfTheKey")
        await twilio.send(MESSAGE)
        await twilio.aclose()
    assert server.seen[0].headers["authorization"] == basic_auth(key, "secretOfTheKey")
    assert ACCOUNT in server.seen[0].target


@pytest.mark.parametrize("code", [21211, 21610, 21614])
async def test_errors_about_the_number_are_the_numbers(code: int) -> None:
    said = reply(400, json.dumps({"code": code, "message": MESSAGE.to, "status": 400}))
    async with serving(lambda _: said) as server:
        twilio = make(server.url)
        with pytest.raises(RecipientRefused, match=f"error {code}"):
            await twilio.send(MESSAGE)
        await twilio.aclose()


@pytest.mark.parametrize(
    ("status", "code", "is_permanent"),
    [(400, 21408, True), (400, 21606, True), (429, 63038, False), (403, 20005, False)],
)
async def test_errors_about_the_account_are_not(status: int, code: int, is_permanent: bool) -> None:
    """A region that is not allowed, a number that cannot send, the day's limit, a suspension."""
    said = reply(status, json.dumps({"code": code, "message": MESSAGE.to}))
    async with serving(lambda _: said) as server:
        twilio = make(server.url)
        with pytest.raises(DeliveryError, match=f"error {code}") as raised:
            await twilio.send(MESSAGE)
        await twilio.aclose()
    assert not isinstance(raised.value, RecipientRefused)
    assert raised.value.permanent is is_permanent


async def test_a_message_that_was_made_and_failed_at_once_is_not_sent() -> None:
    said = reply(201, json.dumps({"sid": "SM1", "status": "failed", "error_code": 30007}))
    async with serving(lambda _: said) as server:
        twilio = make(server.url)
        with pytest.raises(DeliveryError, match="error 30007"):
            await twilio.send(MESSAGE)
        await twilio.aclose()


BAD: dict[str, list[object]] = {
    "account_sid": ["", "AC", "SK" + "0a" * 16, None, "AC" + "0g" * 16, "AC" + "0a" * 16 + "\n"],
    "key_sid": ["", "AC" + "0a" * 16, 5],
    "sender": ["", "+0123", "+1555123456789012", "A name too long", "a\nb", None, 5, "12"],
}


@pytest.mark.parametrize(
    ("option", "value"), [(option, value) for option, values in BAD.items() for value in values]
)
def test_a_bad_option_is_named(option: str, value: object) -> None:
    with pytest.raises(ConfigError) as raised:
        make("https://a.example", **{option: value})
    assert raised.value.option == option


async def test_a_slash_at_the_end_of_the_address_does_not_matter() -> None:
    async with serving(lambda _: QUEUED) as server:
        twilio = make(f"{server.url}/proxy/")
        await twilio.send(MESSAGE)
        await twilio.aclose()
    assert server.seen[0].target.startswith("/proxy/2010-04-01/Accounts/")
    with pytest.raises(ConfigError, match="without a query"):
        make("https://a.example/?x=y")


def test_a_missing_or_unknown_option_is_named() -> None:
    with pytest.raises(ConfigError, match="account_sid: this option is required"):
        TwilioTexts(auth_token=TOKEN, sender="Acme")  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="did you mean auth_token"):
        make("https://a.example", auth_tokn="x")
