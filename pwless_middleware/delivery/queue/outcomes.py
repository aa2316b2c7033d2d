"""The outcomes of a job: what its feature made of it, and how its delivery ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import field
from enum import Enum
from typing import Final, Literal

from pwless_middleware.core.dataclass import dataclass

Channel = Literal["mail", "sms"]
"""What a message goes out as: an email, or a text message."""

_SHARED: Final = frozenset(
    ("ac", "co", "com", "edu", "go", "gob", "gov", "gv", "ne", "net", "nom", "or", "org")
)
"""Second labels under which a country's domains are registered, as in `co.uk` and `com.au`."""


class Outcome(Enum):
    """How one delivery ended, where it did not fail."""

    SENT = "sent"
    """The mailer took it."""
    DROPPED = "dropped"
    """There is nothing to send any more: nobody to serve, used, or expired untried."""
    DONE = "done"
    """There was no mail to send, and what the job stood for is done."""
    EXPIRED = "expired"
    """It was still failing when its challenge expired."""
    TEXT_EXPIRED = "text_expired"
    """It was a text message, and still failing when its code expired."""
    NOT_YET = "not_yet"
    """What it tells of is under way: it is read again a little later, and says nothing of the
    health of a server."""
    NOT_OURS = "not_ours"
    """This process has not the key it was made under, or not the feature that reads it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A job that was read and now waits for its turn.

    Attributes:
        recipient: whom it is for, a canonical address, or a number in E.164. Never logged.
        send: hands it over; raises as `Mailer.send` or `TextSender.send`. `None` where there is
            nobody to serve: it then waits for its turn and takes its time like any other, so that
            the time of the mails behind it does not tell who has an account.
        attempt: names the login in events; empty for none.
        reason: why there is nobody to serve, for the event.
        channel: what it goes out as. Text messages have places, health and events of their own
            (`sms.sent` for `mail.sent`): a gateway that is down does not make mail look down.
    """

    recipient: str = field(repr=False)
    send: Callable[[], Awaitable[None]] | None
    attempt: bytes = b""
    reason: str = ""
    channel: Channel = "mail"

    @property
    def lane(self) -> str:
        """The domain that this mail takes its turn with; text messages all take theirs together.

        Names below one registered domain are one lane, or the owner of a domain could have as many
        as there are names. Without a list of public suffixes: where it is read too widely, mails of
        strangers share a lane, which costs them a wait and nothing else.
        """
        if self.channel == "sms":
            return "sms"
        labels = self.recipient.rpartition("@")[2].split(".")
        is_shared = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SHARED
        return ".".join(labels[-3 if is_shared else -2 :])


Deliver = Callable[[bytes], Awaitable[Outcome | Delivery]]
"""Read a payload, and return how it ended, or what is to be handed over in its turn."""
