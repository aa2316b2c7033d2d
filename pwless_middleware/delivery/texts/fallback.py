"""A second sender, for when the first does not take a text message."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from math import inf

from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_verbs
from pwless_middleware.delivery.base import (
    PARALLEL,
    MaybeDelivered,
    RecipientDeferred,
    RecipientRefused,
)
from pwless_middleware.delivery.health.handovers import handing_to, server_of
from pwless_middleware.delivery.health.reasons import redact
from pwless_middleware.delivery.texts.base import (
    DeliveryStatus,
    TextMessage,
    TextSender,
    read_status,
)
from pwless_middleware.errors import ConfigError, DeliveryError

_log = logging.getLogger("pwless.delivery")


@named_options()
class FallbackTexts:
    """Send with the first sender, and use the second for messages that the first does not take.

    The second gets a message that failed for a reason of the first's own: connection, credentials,
    credit, limits, an error of the gateway, or an exception it did not expect. It does not get one
    whose *number* was refused, nor, in the same breath, one that may already have been taken: that
    is left to the queue's next try.

    A first that fails for now is passed over for a while: the second is tried before it. Otherwise
    a gateway that takes connections and never answers would keep each message for as long as it
    may, and get it again at the next try.

    Args:
        first: tried for each message.
        second: tried when the first fails.
        patience: seconds that the first may take for one message, so that the second has its share
            of the time that the queue gives one delivery (45 s).
        pause: seconds for which a first that failed for now is passed over.
        timer: seconds that only go forward.

    Raises:
        ConfigError: one of the two is no sender, or a time is out of its range.
    """

    def __init__(
        self,
        first: TextSender,
        second: TextSender,
        *,
        patience: float = 15,
        pause: float = 60,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        for option, sender in (("first", first), ("second", second)):
            check_verbs(option, sender, ("send",), example="a sender, e.g. TwilioTexts(...)")
        for option, seconds, least in (("patience", patience, 0.001), ("pause", pause, 0)):
            is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
            if not is_number or not least <= seconds < inf:
                raise ConfigError(option, f"set seconds, at least {least:g}")
        check_verbs("timer", timer, ("__call__",), example="a callable, e.g. time.monotonic")
        self._first = first
        self._second = second
        self._patience = patience
        self._pause = pause
        self._timer = timer
        self._down_until: float | None = None

    @property
    def senders(self) -> tuple[TextSender, TextSender]:
        """The two, in their order."""
        return self._first, self._second

    @property
    def parallel(self) -> int:
        """How many messages at a time: as many as the first can send."""
        return int(getattr(self._first, "parallel", PARALLEL))

    async def send(self, message: TextMessage) -> None:
        """Return once one of the two has taken responsibility for the message.

        Raises:
            RecipientRefused: one of them will not have the number.
            MaybeDelivered: one of them does not know whether it was taken.
            RecipientDeferred: the last one will not have the number now.
            DeliveryError: neither took it; permanent only if both failures are.
        """
        is_passed_over = self._down_until is not None and self._timer() < self._down_until
        order = (self._second, self._first) if is_passed_over else (self._first, self._second)
        reasons: list[DeliveryError] = []
        for sender in order:
            try:
                await self._send_with(sender, message)
            except (RecipientRefused, MaybeDelivered):
                raise
            except DeliveryError as error:
                reasons.append(error)
            else:
                return
        both = "; then ".join(str(error) for error in reasons)
        if isinstance(reasons[-1], RecipientDeferred):
            raise RecipientDeferred(both)
        waits = [error.retry_after for error in reasons if error.retry_after is not None]
        raise DeliveryError(
            both,
            permanent=all(error.permanent for error in reasons),
            # Where one of them is not to wait for, nobody is.
            retry_after=min(waits) if len(waits) == len(reasons) else None,
        )

    async def _send_with(self, sender: TextSender, message: TextMessage) -> None:
        """Have one of the two send a message.

        Raises:
            DeliveryError: it did not, whatever it raised.
        """
        if sender is self._second:
            with handing_to(server_of(sender)):
                await sender.send(message)
            return
        failure: DeliveryError
        try:
            with handing_to(server_of(sender)):
                async with asyncio.timeout(self._patience):
                    await sender.send(message)
        except (RecipientRefused, RecipientDeferred):
            raise  # the first is up: it says so of this number
        except DeliveryError as error:
            failure = error
        except TimeoutError:
            failure = MaybeDelivered(f"no end after {self._patience:g} s")
        except Exception as error:
            # Its text may quote the message, so that only its kind is told.
            failure = DeliveryError(type(error).__name__)
        else:
            self._note_up()
            return
        if not failure.permanent:  # else it is up, and will not have this message
            self._note_down(redact(str(failure), is_text=True))
        raise failure

    def _note_down(self, reason: str) -> None:
        """Pass the first over from now on, and log so once."""
        if self._down_until is None:
            _log.warning(
                "second text sender in use, since the first failed: %s",
                reason,
                extra={"event": "sms_fallback_begin", "reason": reason},
            )
        self._down_until = self._timer() + self._pause

    def _note_up(self) -> None:
        """Have the first be the first again."""
        if self._down_until is not None:
            _log.info("first text sender is back", extra={"event": "sms_fallback_end"})
        self._down_until = None

    def read_status(self, headers: Mapping[str, str], body: bytes) -> DeliveryStatus | None:
        """Return what the report says to whichever of the two can read it."""
        found = read_status(self._first, headers, body)
        return read_status(self._second, headers, body) if found is None else found

    async def check(self) -> None:
        """Check both, where they know how to.

        Raises:
            DeliveryError: of the first that fails.
        """
        for sender in self.senders:
            check = getattr(sender, "check", None)
            if check is not None:
                await check()

    async def aclose(self) -> None:
        """Close both, the second also when the first fails to."""
        try:
            await _close(self._first)
        finally:
            await _close(self._second)


async def _close(sender: TextSender) -> None:
    aclose = getattr(sender, "aclose", None)
    if aclose is not None:
        await aclose()
