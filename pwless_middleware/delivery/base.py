"""What a mailer is given, what it promises, and which errors it may raise."""

from __future__ import annotations

from dataclasses import field
from typing import Final, Protocol, runtime_checkable

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import DeliveryError


class RecipientRefused(DeliveryError):
    """The server will not take mail for this recipient (a 5xx reply to RCPT). Always permanent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=True)


class RecipientDeferred(DeliveryError):
    """The server will not take this mail now: a 4xx reply to RCPT or to the message. Temporary.

    Greylisting speaks so (RFC 6647 §2), and a full mailbox; neither is an outage.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=False)


class MaybeDelivered(DeliveryError):
    """The message was handed over and no answer came, so it may have been accepted or not.

    Temporary: RFC 5321 §6.1 and §4.5.4.1 have the client keep such a message and try again later,
    so that a mail may come twice rather than never. Nothing sends it again in the same breath.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One email, rendered and ready to go.

    Attributes:
        to: the one recipient, a canonical address; also the one envelope recipient.
        subject: one line, no control characters, no user input (security rule 16).
        text: the plain part, lines ended by `\\n`.
        html: the HTML part, a whole document.
    """

    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


@runtime_checkable
class Mailer(Protocol):
    """Send messages, as `SMTPMailer`, `FallbackMailer`, `Outbox` or any object with this method.

    Five more attributes are optional, and read with `getattr`:

    - `aclose() -> Awaitable[None]`: give back connections, as the app ends. May be called twice,
      and on a mailer that never sent.
    - `delivers_inline: bool`, default false. True has the request that asked for the mail deliver
      it too, before it answers, instead of the worker. For development only: it lets the time of
      an answer tell whether there was anybody to serve (security rule 14). `Outbox` sets it, since
      under Starlette's TestClient an event loop, and so a worker, lives for one request.
    - `parallel: int`, default 8: how many messages it can send at a time.
    - `server: str`, default the name of its class: what events and the dashboard call it, e.g.
      `smtp.acme.example:587`. No password.
    - `check() -> Awaitable[None]`: connect and authenticate without sending, or raise
      `DeliveryError` with a reason that tells a person what to mend.
    """

    async def send(self, message: Message) -> None:
        """Return once the next system has taken responsibility for the message.

        Raises:
            DeliveryError: it did not; `permanent` says that another try cannot help. Any other
                exception counts as a temporary failure, and is logged.
        """
        ...


PARALLEL: Final = 8
"""Messages at a time, where a mailer does not say how many it can send."""


def parallel_of(mailer: Mailer) -> int:
    """Return how many messages a mailer can send at a time."""
    return int(getattr(mailer, "parallel", PARALLEL))


def is_inline(mailer: Mailer) -> bool:
    """Whether the request that asked for a mail delivers it."""
    return bool(getattr(mailer, "delivers_inline", False))


async def close_mailer(mailer: Mailer) -> None:
    """Have a mailer give back its connections, if it has any."""
    aclose = getattr(mailer, "aclose", None)
    if aclose is not None:
        await aclose()
