"""Attempts and events as they are listed: what the templates are given, all of it text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.attempt import SUCCESSES, Attempt
from pwless_middleware.core.events.event import Event, EventKind
from pwless_middleware.core.events.event_id import second_of
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.core.logins.device import device_text
from pwless_middleware.features.dashboard.log.reasons import reason_text
from pwless_middleware.features.dashboard.log.sentences import sentence_of
from pwless_middleware.features.dashboard.log.words import IN_PROGRESS, OUTCOMES, method_text
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_duration, format_iso, format_time
from pwless_middleware.text import Text

OPEN_SECONDS: Final = 900
"""How long an attempt may go on: as long as its email can be asked for again."""
_BAD: Final = frozenset({"failed", "refused", "reached", "wrong", "undelivered", "dropped"})
_GOOD: Final = frozenset({"created", "verified", "renewed", "delivered"})
_WARN: Final = frozenset({"deferred", "suppressed", "disowned", "scanned", "fell", "disabled"})
_DETAILS: Final[Mapping[str, str]] = {
    "language": Text("Language"),
    "server": Text("Server"),
    "seconds": Text("Seconds since it was asked for"),
    "count": Text("How many"),
}
"""Details that many events have; others are called by their name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One attempt in the list.

    Attributes:
        name: leads to its page.
        at, iso: when it began, as people and as machines read it.
        who: the address, or the person's id, or the digest of an address; empty for nobody.
        outcome, tone: what became of it, and the tone of its badge.
        lasted: from its first event to its newest; empty for no time.
        method: how, in words; empty where nothing is proven.
        device, country: where from; empty where that is not known.
    """

    name: str
    at: str
    iso: str
    who: str
    outcome: str
    tone: str
    lasted: str
    method: str
    device: str
    country: str

    @classmethod
    def of(cls, attempt: Attempt, now: int) -> AttemptRow:
        """Return an attempt as it is listed."""
        outcome, tone = outcome_of(attempt, now)
        ways = [translate(method_text(way)) for way in (attempt.method, attempt.step) if way]
        at = second_of(attempt.first)
        return cls(
            name=attempt.name,
            at=format_time(at),
            iso=format_iso(at),
            who=_who(attempt.email, attempt.user_id, attempt.address),
            outcome=translate(outcome),
            tone=tone,
            lasted=duration_of(second_of(attempt.last) - at),
            method=" + ".join(ways),
            device=translate(device_text(attempt.device)) if attempt.device else "",
            country=attempt.country or "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One event, in the list or in the story of its attempt.

    Attributes:
        id: of the event.
        at, iso: when, as people and as machines read it.
        after: how long after the first event of the story; empty for no time.
        kind: its name.
        tone: good, bad, warn or empty.
        sentence: what happened.
        why: its reason in words; empty for none.
        said: its reason as a server or gateway said it; empty for none.
        who: as for `AttemptRow`.
        attempt: the name of its attempt; empty for none.
        facts: what else it says: pairs of name and value.
    """

    id: str
    at: str
    iso: str
    after: str
    kind: str
    tone: str
    sentence: str
    why: str
    said: str
    who: str
    attempt: str
    facts: Sequence[tuple[str, str]]

    @classmethod
    def of(
        cls,
        stored: StoredEvent,
        kinds: Mapping[str, EventKind],
        *,
        since: int | None = None,
        makers: Mapping[str, str] = {},
        organizations: Mapping[str, str] = {},
    ) -> EventRow:
        """Return an event as it is shown.

        Args:
            stored: the event.
            kinds: every kind that is declared.
            since: unix seconds at which its story began; `None` outside of one.
            makers: the names of those who did it, by what the event says; default as it says.
            organizations: the names of organizations, by id; default the ids.
        """
        event = stored.event
        why = reason_text(event)
        return cls(
            id=event.id or "",
            at=format_time(event.at),
            iso=format_iso(event.at),
            after=duration_of(event.at - since) if since is not None else "",
            kind=event.kind,
            tone=_tone(event.kind),
            sentence=sentence_of(event, kinds),
            why=translate(why) if why is not None else "",
            said=event.reason or "" if why is None else "",
            who=_who(stored.email, event.user_id, event.address),
            attempt=event.attempt or "",
            facts=_facts(event, makers, organizations),
        )


def outcome_of(attempt: Attempt, now: int) -> tuple[str, str]:
    """Return what became of an attempt, or that it may still go on, and the tone of the badge."""
    is_open = second_of(attempt.last) > now - OPEN_SECONDS
    if is_open and attempt.outcome in ("asked", "sent", "delayed", "verified", "step_open"):
        return IN_PROGRESS
    return OUTCOMES.get(attempt.outcome, (Text("%(name)s", name=attempt.outcome), ""))


def did_fail(attempt: Attempt) -> bool:
    """Whether somebody did not get what they wanted, so far."""
    return attempt.outcome not in SUCCESSES


def duration_of(seconds: int) -> str:
    """Return how long something took; empty for less than a second."""
    return format_duration(seconds) if seconds > 0 else ""


def _who(email: str | None, user_id: str | None, address: str | None) -> str:
    return email or user_id or (f"#{address}" if address else "")


def _tone(kind: str) -> str:
    word = kind.rpartition(".")[2].rpartition("_")[2]
    return "bad" if word in _BAD else "good" if word in _GOOD else "warn" if word in _WARN else ""


def _facts(
    event: Event, makers: Mapping[str, str], organizations: Mapping[str, str]
) -> list[tuple[str, str]]:
    told: list[tuple[Text, object]] = [
        (Text("By"), makers.get(event.by, event.by) if event.by else None),
        (Text("Tries"), event.tries),
        (Text("Organization"), organizations.get(event.organization or "", event.organization)),
        (Text("Browser"), translate(device_text(event.device)) if event.device else None),
        (Text("Country"), event.country),
        (Text("Caller"), event.caller if event.caller != "browser" else None),
        (Text("Network"), f"#{event.client}" if event.client else None),
        (Text("Session"), event.session),
    ]
    facts = [(translate(name), str(value)) for name, value in told if value is not None]
    details = (event.details or {}).items()
    return facts + [(translate(_DETAILS.get(name, name)), str(value)) for name, value in details]
