"""What sends text messages (SMS) is given, and what it promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, Protocol, runtime_checkable

from pwless_middleware.core.dataclass import dataclass

DeliveryStatus = Literal["delivered", "undelivered"]
"""How a text message ended, as its gateway reports it."""


@dataclass(frozen=True, slots=True)
class TextMessage:
    """One text message, ready to go.

    Attributes:
        to: the one recipient's number in E.164, e.g. `+4915112345678`.
        body: what it says, lines ended by `\\n`; any Unicode. What GSM 03.38 cannot write halves
            how much fits into one part (160 characters, then 70).
        status_url: where the gateway reports how the message ended; empty for nowhere. It is a
            secret of this message: who knows it can report.
    """

    to: str = field(repr=False)
    body: str = field(repr=False)
    status_url: str = field(default="", repr=False)


@runtime_checkable
class TextSender(Protocol):
    """Hand text messages to a gateway. Any object with this method is one.

    Ours are `TwilioTexts`, `VonageTexts`, `MessageBirdTexts`, `SNSTexts`, `WebhookTexts`,
    `FallbackTexts` and `TextOutbox`. Six more attributes are optional, and read with `getattr`:

    - `aclose() -> Awaitable[None]`: give back connections, as the app ends. May be called twice,
      and on a sender that never sent.
    - `parallel: int`, default 8: how many messages it can send at a time.
    - `server: str`, default the name of its class: what events and the dashboard call it.
    - `check() -> Awaitable[None]`: reach the gateway and authenticate without sending, or raise
      `DeliveryError` with a reason that tells a person what to mend.
    - `read_status(headers, body) -> "delivered" | "undelivered" | None`: see `read_status`.
    - `senders: tuple[TextSender, ...]`: those that it shares the messages out to.
    """

    async def send(self, message: TextMessage) -> None:
        """Return once the gateway has taken responsibility for the message.

        Raises:
            RecipientRefused: the gateway will never have this recipient; another would not either.
            RecipientDeferred: it will not have this recipient now; that is no outage.
            MaybeDelivered: it was handed over and no answer came that says whether it was taken.
            DeliveryError: it was not taken; `permanent` says that another try cannot help. Any
                other exception counts as a temporary failure, and is logged.
        """
        ...


def read_status(
    sender: TextSender, headers: Mapping[str, str], body: bytes
) -> DeliveryStatus | None:
    """Return how a message ended, by what its gateway has sent to the message's `status_url`.

    `None` means that nothing is known yet (gateways report "queued" and "sent" too), or that the
    sender cannot read this report. Raises nothing, whatever the body is. That the report is true
    rests on the URL, which only the gateway knows.

    Args:
        sender: who was given the message.
        headers: of the request, names in lower case.
        body: of the request; of a GET, which MessageBird reports by, its query string.
    """
    read = getattr(sender, "read_status", None)
    found: DeliveryStatus | None = None if read is None else read(headers, body)
    return found
