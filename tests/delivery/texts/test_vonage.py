"""What is Vonage's own: a 200 that refuses, parts of a message, and the alphabet of a body."""

from __future__ import annotations

import pytest

from pwless_middleware.delivery.base import MaybeDelivered, RecipientRefused
from pwless_middleware.delivery.texts.base import TextMessage
from pwless_middleware.delivery.texts.vonage import VonageTexts
from pwless_middleware.errors import DeliveryError
from tests.delivery.texts.fake_server import serving
from tests.delivery.texts.vendors import TLS, vonage_says

pytestmark = pytest.mark.anyio

MESSAGE = TextMessage("+4915112345678", "hello")


def make(base: str) -> VonageTexts:
    return VonageTexts(
        api_key="abcd1234", api_secret="s3cret", sender="+15551234567", base=base, tls_context=TLS
    )


async def result_of(*statuses: str) -> DeliveryError | None:
    async with serving(lambda _: vonage_says(*statuses)) as server:
        vonage = make(server.url)
        try:
            await vonage.send(MESSAGE)
        except DeliveryError as error:
            return error
        finally:
            await vonage.aclose()
    return None


@pytest.mark.parametrize("statuses", [("0",), ("0", "0", "0")])
async def test_it_is_taken_where_all_parts_are(statuses: tuple[str, ...]) -> None:
    assert await result_of(*statuses) is None


@pytest.mark.parametrize(
    ("status", "kind", "permanent"),
    [
        ("1", DeliveryError, False),  # throttled
        ("2", DeliveryError, True),
        ("4", DeliveryError, False),  # invalid credentials
        ("5", DeliveryError, False),
        ("6", DeliveryError, True),
        ("7", RecipientRefused, True),  # number barred
        ("8", DeliveryError, False),  # account suspended
        ("9", DeliveryError, False),  # no credit
        ("15", DeliveryError, True),  # invalid sender
        ("29", DeliveryError, True),  # not on a trial account's list
        ("33", RecipientRefused, True),  # number deactivated
        ("99", DeliveryError, False),
        ("12345", DeliveryError, True),
    ],
)
async def test_a_200_that_refuses_is_a_refusal(
    status: str, kind: type[DeliveryError], permanent: bool
) -> None:
    error = await result_of(status)
    assert type(error) is kind
    assert error.permanent is permanent
    assert f"(status {status})" in str(error)


@pytest.mark.parametrize("statuses", [("0", "1"), ("1", "0"), ("0", "7")])
async def test_a_part_that_was_taken_is_not_sent_again_in_the_same_breath(
    statuses: tuple[str, ...],
) -> None:
    assert type(await result_of(*statuses)) is MaybeDelivered


@pytest.mark.parametrize("statuses", [(), ("x",), ("0", "x"), ("٠",), ("",)])
async def test_a_status_that_is_none_says_nothing(statuses: tuple[str, ...]) -> None:
    assert type(await result_of(*statuses)) is MaybeDelivered


@pytest.mark.parametrize(
    ("body", "kind"),
    [("Grüße: 5 €", "text"), ("Ваш код 123456", "unicode"), ("🔑 123456", "unicode")],
)
async def test_it_says_which_alphabet_the_body_needs(body: str, kind: str) -> None:
    """Else Vonage sends a question mark for each character that it does not know."""
    async with serving(lambda _: vonage_says("0")) as server:
        vonage = make(server.url)
        await vonage.send(TextMessage("+4915112345678", body))
        await vonage.aclose()
    form = server.seen[0].form
    assert (form["type"], form["text"]) == (kind, body)
    assert (form["from"], form["to"]) == ("15551234567", "4915112345678")
