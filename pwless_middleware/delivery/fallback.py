"""A second mailer, for when the first does not take a message."""

from __future__ import annotations

import asyncio
import logging

from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_verbs
from pwless_middleware.delivery.base import (
    Mailer,
    MaybeDelivered,
    Message,
    RecipientDeferred,
    RecipientRefused,
    close_mailer,
    parallel_of,
)
from pwless_middleware.delivery.health.handovers import handing_to, server_of
from pwless_middleware.errors import ConfigError, DeliveryError

_log = logging.getLogger("pwless.delivery")


@named_options()
class FallbackMailer:
    """Send with the first mailer, and use the second for messages that the first does not take.

    The second gets a message that failed for a reason of the first's own: connection, login,
    timeout, a 4xx reply, a 5xx one about the sender or the message (an account out of credit
    speaks so), or an exception it did not expect. It does not get one whose *recipient* was
    refused, since that is no fault of the way out, nor one that may already have been accepted:
    that would be a double send, so it is left to the queue's next try.

    Args:
        first: tried for each message.
        second: tried when the first fails.
        patience: seconds that the first may take for one message; a server that dribbles must
            leave the second its share of the time that the queue gives one delivery (45 s).
            A mail whose first way is cut off in its very last step may arrive twice.

    Raises:
        ConfigError: one of the two is no mailer, or `patience` is not above 0.
    """

    def __init__(self, first: Mailer, second: Mailer, *, patience: float = 20) -> None:
        for option, mailer in (("first", first), ("second", second)):
            check_verbs(option, mailer, ("send",), example="a mailer, e.g. SMTPMailer(...)")
        if isinstance(patience, bool) or not isinstance(patience, int | float) or not patience > 0:
            raise ConfigError("patience", "set seconds above 0")
        self._first = first
        self._second = second
        self._patience = patience
        self._is_first_down = False

    @property
    def mailers(self) -> tuple[Mailer, Mailer]:
        """The two, in their order."""
        return self._first, self._second

    @property
    def parallel(self) -> int:
        """How many messages at a time: as many as the first can send."""
        return parallel_of(self._first)

    async def send(self, message: Message) -> None:
        """Return once one of the two has taken responsibility for the message.

        Raises:
            RecipientRefused: the first reached a server, and that will not have the recipient.
            MaybeDelivered: the first does not know whether it was accepted.
            RecipientDeferred: the second will not have the recipient now.
            DeliveryError: neither took it; permanent only if both failures are.
        """
        try:
            with handing_to(server_of(self._first)):
                async with asyncio.timeout(self._patience):
                    await self._first.send(message)
        except (RecipientRefused, MaybeDelivered):
            raise
        except DeliveryError as error:
            reason, is_permanent = str(error), error.permanent
        except Exception as error:
            # Its text may quote the message, so that only its kind is told.
            reason, is_permanent = type(error).__name__, False
        else:
            self._note(None)
            return
        self._note(reason)
        try:
            with handing_to(server_of(self._second)):
                await self._second.send(message)
        except (RecipientRefused, MaybeDelivered):
            raise
        except DeliveryError as error:
            both = f"first: {reason}; second: {error}"
            if isinstance(error, RecipientDeferred):
                raise RecipientDeferred(both) from None
            raise DeliveryError(both, permanent=is_permanent and error.permanent) from None

    def _note(self, reason: str | None) -> None:
        """Log once when the first goes down, and once when it is back."""
        if reason is not None and not self._is_first_down:
            _log.warning(
                "second mailer in use, since the first failed: %s",
                reason,
                extra={"event": "mail_fallback_begin", "reason": reason},
            )
        elif reason is None and self._is_first_down:
            _log.info("first mailer is back", extra={"event": "mail_fallback_end"})
        self._is_first_down = reason is not None

    async def check(self) -> None:
        """Check both, where they know how to.

        Raises:
            DeliveryError: of the first that fails.
        """
        for mailer in (self._first, self._second):
            check = getattr(mailer, "check", None)
            if check is not None:
                await check()

    async def aclose(self) -> None:
        """Close both, the second also when the first fails to."""
        try:
            await close_mailer(self._first)
        finally:
            await close_mailer(self._second)
