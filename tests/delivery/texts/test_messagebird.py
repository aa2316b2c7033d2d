"""What is MessageBird's own: which of its errors are about the number."""

from __future__ import annotations

import json

import pytest

from pwless_middleware.delivery.base import RecipientRefused
from pwless_middleware.delivery.texts.base import TextMessage
from pwless_middleware.delivery.texts.messagebird import MessageBirdTexts
from pwless_middleware.errors import DeliveryError
from tests.delivery.texts.fake_server import serving
from tests.delivery.texts.vendors import TLS, messagebird_error

pytestmark = pytest.mark.anyio

MESSAGE = TextMessage("+31612345678", "hello", "https://a.example/s")


@pytest.mark.parametrize(
    ("status", "code", "parameter", "kind", "permanent"),
    [
        (422, 9, "recipients", RecipientRefused, True),
        (422, 10, "recipient", RecipientRefused, True),
        (422, 10, "originator", DeliveryError, True),
        (422, 21, None, DeliveryError, True),
        (402, 25, None, DeliveryError, False),
        (422, 25, None, DeliveryError, False),  # out of credit, in whichever status
        (401, 2, "recipients", DeliveryError, False),
        (500, 99, None, DeliveryError, False),
    ],
)
async def test_an_error_is_about_the_number_only_where_it_names_the_recipient(
    status: int, code: int, parameter: str | None, kind: type[DeliveryError], permanent: bool
) -> None:
    said = messagebird_error(status, code, f"about {MESSAGE.to}", parameter)
    async with serving(lambda _: said) as server:
        bird = MessageBirdTexts(
            access_key="live_x", sender="Acme", base=server.url, tls_context=TLS
        )
        with pytest.raises(DeliveryError) as raised:
            await bird.send(MESSAGE)
        await bird.aclose()
    assert type(raised.value) is kind
    assert raised.value.permanent is permanent
    assert MESSAGE.to not in str(raised.value)


async def test_each_message_has_a_reference_of_its_own() -> None:
    async with serving(lambda _: messagebird_error(500, 99, "", None)) as server:
        bird = MessageBirdTexts(
            access_key="live_x", sender="Acme", base=server.url, tls_context=TLS
        )
        for _ in range(2):
            with pytest.raises(DeliveryError):
                await bird.send(MESSAGE)
        await bird.aclose()
    first, second = (json.loads(seen.body)["reference"] for seen in server.seen)
    assert first != second
