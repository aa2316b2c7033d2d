"""The development sender: keeps text messages in memory, for tests and the mailbox page."""

from __future__ import annotations

import time
from collections.abc import Callable

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_verbs
from pwless_middleware.delivery.outbox import find_code
from pwless_middleware.delivery.texts.base import TextMessage
from pwless_middleware.errors import ConfigError


@dataclass(frozen=True, slots=True)
class OutboxTextMessage(TextMessage):
    """A kept text message, and what a person reads in it.

    Attributes:
        sent_at: when it was handed over, unix seconds.
    """

    sent_at: int = 0

    @property
    def code(self) -> str | None:
        """The code as the text shows it; `None` when it has none."""
        return find_code(self.body)


@named_options()
class TextOutbox:
    """Keep the newest text messages instead of sending them. For development and tests.

    Args:
        max_messages: how many are kept, at least 1; then the oldest goes.
        clock: unix seconds, for `sent_at`.

    Raises:
        ConfigError: `max_messages` is no whole number above 0, or `clock` cannot be called.
    """

    def __init__(self, *, max_messages: int = 100, clock: Callable[[], float] = time.time) -> None:
        if type(max_messages) is not int or max_messages < 1:
            raise ConfigError("max_messages", "set a whole number, at least 1")
        check_verbs("clock", clock, ("__call__",), example="a callable, e.g. time.time")
        self.messages: list[OutboxTextMessage] = []
        """What was sent, oldest first."""
        self._max_messages = max_messages
        self._clock = clock

    async def send(self, message: TextMessage) -> None:
        """Keep the message; the oldest goes when there are too many."""
        kept = OutboxTextMessage(
            to=message.to,
            body=message.body,
            status_url=message.status_url,
            sent_at=int(self._clock()),
        )
        self.messages.append(kept)
        del self.messages[: -self._max_messages]

    def latest(self, to: str | None = None) -> OutboxTextMessage | None:
        """Return the newest message, or `None` when there is none.

        Args:
            to: only messages to this number, in E.164; `None` means to anybody.
        """
        for message in reversed(self.messages):
            if to is None or message.to == to:
                return message
        return None

    def clear(self) -> None:
        """Forget all messages."""
        self.messages.clear()
