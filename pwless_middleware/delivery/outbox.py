"""The development mailer: keeps messages in memory, where a test or the mailbox page reads them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import ClassVar

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_verbs
from pwless_middleware.delivery.base import Message
from pwless_middleware.errors import ConfigError

# Addresses and URLs are cut out before a code is looked for: both may hold runs of digits.
_NOT_PROSE = re.compile(r"\S*(?:://|@)\S*")
# The two kinds of codes (`EmailLogin(code=...)`): at least six digits, or XXXX-XXXX without vowels.
_CODE = re.compile(
    r"(?<![\w-])(?:[0-9]{6,12}|[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})(?![\w-])"
)
_LINK = re.compile(r"https?://[^\s<>\"]+[?&]link_token=[^\s<>\"]+")


def find_code(text: str) -> str | None:
    """Return the first code that a person reads in a text, or `None`."""
    found = _CODE.search(_NOT_PROSE.sub(" ", text))
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class OutboxMessage(Message):
    """A kept message, and what a person reads in it.

    Attributes:
        sent_at: when it was handed over, unix seconds.
    """

    sent_at: int = 0

    @property
    def code(self) -> str | None:
        """The code as the text shows it, dash included; `None` when the text has none."""
        return find_code(self.text)

    @property
    def link(self) -> str | None:
        """The first sign-in link of the text; `None` when the text has none."""
        found = _LINK.search(self.text)
        return found[0].rstrip(".,;:!?)") if found else None


@named_options()
class Outbox:
    """Keep the newest messages instead of sending them. For development and tests.

    Args:
        max_messages: how many are kept, at least 1; then the oldest goes.
        clock: unix seconds, for `sent_at`.

    Raises:
        ConfigError: `max_messages` is no whole number above 0, or `clock` cannot be called.
    """

    delivers_inline: ClassVar[bool] = True
    """The request that asks for a mail delivers it itself (see `Mailer`)."""

    def __init__(self, *, max_messages: int = 100, clock: Callable[[], float] = time.time) -> None:
        if type(max_messages) is not int or max_messages < 1:
            raise ConfigError("max_messages", "set a whole number, at least 1")
        check_verbs("clock", clock, ("__call__",), example="a callable, e.g. time.time")
        self.messages: list[OutboxMessage] = []
        """What was sent, oldest first."""
        self._max_messages = max_messages
        self._clock = clock

    async def send(self, message: Message) -> None:
        """Keep the message; the oldest goes when there are too many."""
        kept = OutboxMessage(
            to=message.to,
            subject=message.subject,
            text=message.text,
            html=message.html,
            sent_at=int(self._clock()),
        )
        self.messages.append(kept)
        del self.messages[: -self._max_messages]

    def latest(self, to: str | None = None) -> OutboxMessage | None:
        """Return the newest message, or `None` when there is none.

        Args:
            to: only messages to this address; `None` means to anybody.
        """
        for message in reversed(self.messages):
            if to is None or message.to == to:
                return message
        return None

    def clear(self) -> None:
        """Forget all messages."""
        self.messages.clear()

    async def aclose(self) -> None:
        """Do nothing: there is no connection, and the messages stay readable after shutdown."""
