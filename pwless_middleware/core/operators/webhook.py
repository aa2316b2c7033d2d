"""Webhooks: where events are sent, and each event that is sent there."""

from __future__ import annotations

from dataclasses import field
from typing import Final, Literal

from pwless_middleware.core.dataclass import dataclass

OffReason = Literal["operator", "failing", "gone"]
"""Why a webhook is off: an operator wants it so, it has failed for days, or it answered 410."""
DeliveryState = Literal["waiting", "delivered", "failed"]
STATES: Final[tuple[DeliveryState, ...]] = ("waiting", "delivered", "failed")

DELAYS: Final = (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 21_600, 36_000)
"""Seconds from a failed try to the next: ten more tries in a day (Standard Webhooks, "Retries")."""
TRIES: Final = len(DELAYS) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where events are sent.

    Attributes:
        id: names it.
        url: where to.
        description: for operators; may be empty.
        kinds: of events, sorted; empty for all.
        off_reason: why it is off; `None` while it is on.
        secret: what signs, encrypted.
        old_secret: what signed before it, encrypted, and still does; `None` for nothing.
        old_until: unix seconds until which the old one does.
        created_at: unix seconds.
        by: who made it.
        version: goes up with each change by an operator.
        failing_since: unix seconds of the first failure since the last success; `None` for none.
        deleted_at: unix seconds since when it is none any more, and only its deliveries have to go.
    """

    id: str
    url: str
    description: str
    kinds: tuple[str, ...]
    off_reason: OffReason | None = None
    secret: bytes = field(repr=False)
    old_secret: bytes | None = field(default=None, repr=False)
    old_until: int | None = None
    created_at: int
    by: str
    version: int = 1
    failing_since: int | None = None
    deleted_at: int | None = None

    @property
    def is_on(self) -> bool:
        """Whether events are sent to it."""
        return self.off_reason is None and self.deleted_at is None

    def wants(self, kind: str) -> bool:
        """Whether it is sent events of a kind."""
        return self.is_on and (not self.kinds or kind in self.kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One event on its way to one webhook.

    Attributes:
        webhook_id: where to.
        event_id: which event; of a test, an id of its own.
        kind: the event's.
        at: unix seconds of the event.
        body: what is sent, JSON; the same with each try.
        user_id: whom the event is about, if anybody.
        by: who did what it tells of, if it says so.
        state: what has become of it.
        tries: how many there were.
        tries_left: how many there will be, if they fail.
        next_at: unix seconds from which on it is looked at again; `None` if it is not waiting.
        tried_at: unix seconds of the last try; `None` before the first.
        status: of HTTP, of the last answer; `None` where there was none.
        fault: why there was no good answer, of `errors.FAULTS` or `FAULTS` of the feature; empty
            where it was good, or its status says all.
        answer: the beginning of the last answer, as text.
        milliseconds: how long the last try took.
    """

    webhook_id: str
    event_id: str
    kind: str
    at: int
    body: str
    user_id: str | None = None
    by: str | None = None
    state: DeliveryState = "waiting"
    tries: int = 0
    tries_left: int = TRIES
    next_at: int | None = None
    tried_at: int | None = None
    status: int | None = None
    fault: str = ""
    answer: str = ""
    milliseconds: int | None = None


@dataclass(frozen=True, slots=True)
class NextTry:
    """One try that is to be made: of several that know of it, one makes it.

    Attributes:
        webhook_id, event_id: of the delivery.
        tries: how many there were before it.
    """

    webhook_id: str
    event_id: str
    tries: int
