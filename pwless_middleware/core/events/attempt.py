"""Attempts: what became of one login, from all of its events; pure.

Events of an attempt come from several processes, and may be written out of order. So each says by
itself what it makes of the attempt and how much that weighs: of two that weigh the same the later
one counts, and nothing undoes what weighs more. A wrong code after an email that failed is the
outcome; one after somebody has signed in is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_search import StoredEvent

_NOTHING, _PROGRESS, _NOBODY, _DONE = 0, 1, 2, 3
"""Says nothing of the outcome; the last one counts; nobody is served here; somebody is in."""

_DECIDES: Final[Mapping[str, tuple[int, str]]] = {
    "send.requested": (_PROGRESS, "asked"),
    "resend.requested": (_PROGRESS, "asked"),
    "mail.sent": (_PROGRESS, "sent"),
    "mail.deferred": (_PROGRESS, "delayed"),
    "mail.failed": (_PROGRESS, "not_delivered"),
    "mail.suppressed": (_NOBODY, "not_sent"),
    "sms.deferred": (_PROGRESS, "delayed"),
    "sms.failed": (_PROGRESS, "not_delivered"),
    "sms.undelivered": (_PROGRESS, "not_delivered"),
    "limit.reached": (_PROGRESS, "limited"),
    "code.wrong": (_PROGRESS, "wrong_code"),
    "login.refused": (_PROGRESS, "refused"),
    "passkey.refused": (_PROGRESS, "refused"),
    "sso.failed": (_PROGRESS, "refused"),
    "login.verified": (_PROGRESS, "verified"),
    "step.required": (_PROGRESS, "step_open"),
    "step.wrong": (_PROGRESS, "wrong_step"),
    "session.created": (_DONE, "signed_in"),
    "session.renewed": (_DONE, "confirmed"),
}
_SUPERSEDED: Final = "superseded"
"""Why one mail of several was not sent; it says nothing of the attempt."""

UNDECIDED: Final = "asked"
"""The outcome of an attempt of which nothing is known that decides."""
OUTCOMES: Final = tuple(dict.fromkeys(outcome for _, outcome in _DECIDES.values()))
"""Every outcome there is."""
SUCCESSES: Final = ("signed_in", "confirmed")
"""Those in which somebody got what they wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to sign in, or to confirm who one is.

    Attributes:
        name: ties its events together (`Event.attempt`).
        first: number of its first event, by which attempts are ordered.
        last: number of its newest event.
        outcome: one of `OUTCOMES`.
        reason: of the event that decided the outcome; `None` where that has none.
        weight, decided_by: of that event; which of two outcomes counts.
        user_id: of the person, once that is known.
        organization: that was to be entered, or was, by its id.
        address: keyed digest of the address.
        email: the address, where addresses are kept.
        caller: the kind of caller, as in `Event.caller`.
        method: the first proof, e.g. `email_code`; `None` before there is one.
        step: the last step that was asked for or done, e.g. `totp`; `None` where nothing was.
        country: where it came from, ISO 3166-1; `None` where that is not known.
        device: the browser in our own words.
    """

    name: str
    first: int
    last: int
    outcome: str
    reason: str | None = None
    weight: int = 0
    decided_by: int = 0
    user_id: str | None = None
    organization: str | None = None
    address: str | None = None
    email: str | None = None
    caller: str | None = None
    method: str | None = None
    step: str | None = None
    country: str | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFilter:
    """Which attempts are looked for: those to which all of it applies.

    Attributes:
        outcome: with this outcome; `None` for all.
        user_id: of one user; with `addresses`, of the user *or* one of the addresses.
        addresses: of one of these addresses, as keyed digests; empty for all.
        organization: of one organization, by its id.
        method: in which this was proved, first or as a step.
        country: from this country.
        since: that began from this unix second on.
        until: that began before this unix second.
    """

    outcome: str | None = None
    user_id: str | None = None
    addresses: tuple[str, ...] = ()
    organization: str | None = None
    method: str | None = None
    country: str | None = None
    since: int | None = None
    until: int | None = None

    def admits(self, attempt: Attempt, *, at: int) -> bool:
        """Whether an attempt is one of those.

        Args:
            attempt: which.
            at: unix seconds at which it began.
        """
        of_somebody = self.user_id is not None or bool(self.addresses)
        return (
            (self.outcome is None or attempt.outcome == self.outcome)
            and (
                not of_somebody
                or (attempt.user_id is not None and attempt.user_id == self.user_id)
                or attempt.address in self.addresses
            )
            and (self.organization is None or attempt.organization == self.organization)
            and (self.method is None or self.method in (attempt.method, attempt.step))
            and (self.country is None or attempt.country == self.country)
            and (self.since is None or at >= self.since)
            and (self.until is None or at < self.until)
        )


def decides(event: Event) -> tuple[int, str]:
    """Return how much an event weighs, and the outcome that it makes; weight 0 for none."""
    if event.reason == _SUPERSEDED:
        return _NOTHING, UNDECIDED
    return _DECIDES.get(event.kind, (_NOTHING, UNDECIDED))


def fold_attempts(numbered: Iterable[tuple[int, StoredEvent]]) -> dict[str, Attempt]:
    """Return what some events say of their attempts, by name; in whatever order they come.

    Args:
        numbered: the events, each with the number of its id.
    """
    found: dict[str, Attempt] = {}
    for number, stored in sorted(numbered, key=lambda one: one[0]):
        name = stored.event.attempt
        if name is not None:
            seen = _alone(name, number, stored)
            known = found.get(name)
            found[name] = seen if known is None else merge(known, seen)
    return found


def merge(known: Attempt, seen: Attempt) -> Attempt:
    """Return what is known and what is seen now of one attempt; what was known first stays.

    But the outcome, as above, and the step, which is the one that was done in the end.
    """
    newer = (seen.weight, seen.decided_by) > (known.weight, known.decided_by)
    decided = seen if newer else known
    later = seen if seen.last > known.last else known
    return Attempt(
        name=known.name,
        first=min(known.first, seen.first),
        last=max(known.last, seen.last),
        outcome=decided.outcome,
        reason=decided.reason,
        weight=decided.weight,
        decided_by=decided.decided_by,
        user_id=known.user_id or seen.user_id,
        organization=known.organization or seen.organization,
        address=known.address or seen.address,
        email=known.email or seen.email,
        caller=known.caller or seen.caller,
        method=known.method or seen.method,
        step=later.step or known.step or seen.step,
        country=known.country or seen.country,
        device=known.device or seen.device,
    )


def _alone(name: str, number: int, stored: StoredEvent) -> Attempt:
    event = stored.event
    weight, outcome = decides(event)
    methods = event.methods or ()
    is_step = event.kind.startswith("step.")
    steps = methods if is_step else methods[1:]
    return Attempt(
        name=name,
        first=number,
        last=number,
        outcome=outcome,
        reason=event.reason if weight else None,
        weight=weight,
        decided_by=number if weight else 0,
        user_id=event.user_id,
        organization=event.organization,
        address=event.address,
        email=stored.email,
        caller=event.caller,
        method=None if is_step else event.method or (methods[0] if methods else None),
        step=(event.method or (steps[0] if steps else None)) if is_step or steps else None,
        country=event.country,
        device=event.device,
    )
