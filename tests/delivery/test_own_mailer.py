"""A mailer of the host's own: one method is enough."""

from __future__ import annotations

import pytest

from pwless_middleware import FallbackMailer, Mailer, Message
from pwless_middleware.delivery.base import close_mailer

pytestmark = pytest.mark.anyio


class Kept:
    """Keep messages; nothing else."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)


async def test_an_object_that_can_only_send_is_a_mailer() -> None:
    mailer = Kept()
    assert isinstance(mailer, Mailer)
    await close_mailer(mailer)


async def test_it_is_closed_with_the_other_in_a_fallback() -> None:
    await FallbackMailer(Kept(), Kept()).aclose()
