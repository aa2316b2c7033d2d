"""How each mail server and gateway does, as a process has seen it while it sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.delivery.base import RecipientDeferred, RecipientRefused
from pwless_middleware.delivery.health.handovers import Handover
from pwless_middleware.delivery.health.health import FAILING_AFTER
from pwless_middleware.delivery.health.reasons import redact
from pwless_middleware.delivery.queue.outcomes import Channel
from pwless_middleware.errors import DeliveryError

_MOST: Final = 50
"""Servers that are known at a time: a name that is made anew each time must not fill the memory."""


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """How one server does.

    Attributes:
        server: its name.
        channel: what is sent through it.
        taken: messages that it took.
        refused: messages that it did not take, tries counted each.
        failures: tries in a row that failed for a reason of the server's own.
        failing_since: when the first of these was, unix seconds; `None` where it does well.
        taken_at: when it last took one, unix seconds; `None` for never.
        error: what it, or the way to it, said when a message was last not taken; empty for never.
        error_at: when that was, unix seconds; `None` for never.
    """

    server: str
    channel: Channel
    taken: int = 0
    refused: int = 0
    failures: int = 0
    failing_since: int | None = None
    taken_at: int | None = None
    error: str = ""
    error_at: int | None = None

    @property
    def is_down(self) -> bool:
        """Whether it is counted as down: so many tries in a row failed."""
        return self.failures >= FAILING_AFTER


class ServerHealths:
    """Keep count of what servers take and refuse.

    Args:
        clock: whole unix seconds.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._known: dict[tuple[Channel, str], ServerHealth] = {}

    def note(self, channel: Channel, handovers: Sequence[Handover]) -> None:
        """Note what became of a message at each server that it was handed to, in order.

        One that was cut off tells nothing of its server: the process may be ending.
        """
        for handover in handovers:
            if not handover.is_cut_off:
                self._note(channel, handover.server, handover.error)

    def note_cut_off(self, channel: Channel, handovers: Sequence[Handover], reason: str) -> None:
        """Note that a message was cut off at a server, since it took too long."""
        for handover in handovers:
            if handover.is_cut_off:
                self._note(channel, handover.server, DeliveryError(reason))

    def all(self) -> tuple[ServerHealth, ...]:
        """Return all that have been used, mail servers first, by name."""
        return tuple(self._known[key] for key in sorted(self._known))

    def _note(self, channel: Channel, server: str, error: BaseException | None) -> None:
        if not server:
            return
        key = (channel, server)
        known = self._known.pop(key, None) or ServerHealth(server, channel)
        self._known[key] = self._after(known, error)
        while len(self._known) > _MOST:
            del self._known[next(iter(self._known))]

    def _after(self, known: ServerHealth, error: BaseException | None) -> ServerHealth:
        now = self._clock()
        if error is None:
            return replace(
                known, taken=known.taken + 1, failures=0, failing_since=None, taken_at=now
            )
        is_fault = not isinstance(error, RecipientRefused | RecipientDeferred)
        # Of an exception that is not ours only the kind is told: its text may quote the message.
        text = str(error) if isinstance(error, DeliveryError) else type(error).__name__
        return replace(
            known,
            refused=known.refused + 1,
            failures=known.failures + 1 if is_fault else 0,
            failing_since=(known.failing_since or now) if is_fault else None,
            error=redact(text, is_text=known.channel == "sms"),
            error_at=now,
        )
