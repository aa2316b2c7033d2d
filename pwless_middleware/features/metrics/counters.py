"""What is counted as it happens: a subscriber of events, and of the times of the store.

The table `_COUNTED` says which kinds of events are counted where. Every kind is counted in
`pwless_events_total` besides, those of other features too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_kinds import KINDS
from pwless_middleware.features.metrics.labels import OTHER, MethodNames
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.store_deadline import STORE_SECONDS

_STORE_BUCKETS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
    STORE_SECONDS,
)
_MAIL_BUCKETS: Final = (0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)

_COUNTERS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "pwless_events": ("Events, by kind.", ("kind",)),
    "pwless_logins": ("Sessions that began by a login, by its first method.", ("method",)),
    "pwless_logins_failed": ("Wrong codes and answers, and logins refused, by why.", ("reason",)),
    "pwless_steps": ("Further steps: required, verified or wrong.", ("outcome",)),
    "pwless_mails": ("Emails by what became of them.", ("outcome",)),
    "pwless_texts": ("Text messages by what became of them.", ("outcome",)),
    "pwless_links": ("Links that spent nothing: opened elsewhere, or scanned.", ("outcome",)),
    "pwless_limits": ("Sends, tries and changes refused for their number.", ("limit",)),
    "pwless_sessions_begun": ("Sessions that began.", ()),
    "pwless_sessions_renewed": ("Fresh proofs for a session.", ()),
    "pwless_sessions_ended": ("Sessions that were ended before their time, by how.", ("reason",)),
    "pwless_callers_refused": ("API requests and writes refused, by why.", ("reason",)),
}
"""Name, without the `_total` that counters get, to what it counts and its labels."""

_COUNTED: Final[Mapping[str, tuple[str, str | None]]] = {
    "code.wrong": ("pwless_logins_failed", "wrong_code"),
    "login.refused": ("pwless_logins_failed", None),
    "passkey.refused": ("pwless_logins_failed", "passkey"),
    "sso.failed": ("pwless_logins_failed", "sso"),
    "step.required": ("pwless_steps", "required"),
    "step.verified": ("pwless_steps", "verified"),
    "step.wrong": ("pwless_steps", "wrong"),
    "send.requested": ("pwless_mails", "requested"),
    "resend.requested": ("pwless_mails", "requested"),
    "mail.sent": ("pwless_mails", "sent"),
    "mail.deferred": ("pwless_mails", "deferred"),
    "mail.failed": ("pwless_mails", "failed"),
    "mail.suppressed": ("pwless_mails", "suppressed"),
    "sms.requested": ("pwless_texts", "requested"),
    "sms.sent": ("pwless_texts", "sent"),
    "sms.deferred": ("pwless_texts", "deferred"),
    "sms.failed": ("pwless_texts", "failed"),
    "sms.suppressed": ("pwless_texts", "suppressed"),
    "sms.delivered": ("pwless_texts", "delivered"),
    "sms.undelivered": ("pwless_texts", "undelivered"),
    "link.opened_elsewhere": ("pwless_links", "opened_elsewhere"),
    "link.scanned": ("pwless_links", "scanned"),
    "limit.reached": ("pwless_limits", None),
    "session.created": ("pwless_sessions_begun", ""),
    "session.renewed": ("pwless_sessions_renewed", ""),
    "session.ended": ("pwless_sessions_ended", None),
    "caller.refused": ("pwless_callers_refused", None),
}
"""Kind to the counter and the value of its label; `None` takes the event's reason, which is one of
a closed list, and an empty text is for a counter that has none."""


class Counters:
    """Count events, and how long the store takes.

    What can be counted is there from the start, at 0: a rate needs a value before the first one.

    Args:
        registry: takes the metrics.
        events: have the kinds of all features, once they are mounted.

    Raises:
        ValueError: the registry has one of them already.
    """

    def __init__(self, registry: CollectorRegistry, events: Events) -> None:
        self._events = events
        self._methods = MethodNames()
        self._counters = {
            name: Counter(name, about, labels, registry=None)
            for name, (about, labels) in _COUNTERS.items()
        }
        self._mail_seconds = Histogram(
            "pwless_mail_seconds",
            "From when an email was asked for until a mail server took it.",
            buckets=_MAIL_BUCKETS,
            registry=None,
        )
        self._store_seconds = Histogram(
            "pwless_store_seconds",
            "How long the store took, by verb; not measured in memory.",
            ("verb",),
            buckets=_STORE_BUCKETS,
            registry=None,
        )
        self._store_errors = Counter(
            "pwless_store_errors",
            "Questions that the store did not answer, by verb.",
            ("verb",),
            registry=None,
        )
        of_store = (self._store_seconds, self._store_errors)
        _register(registry, (*self._counters.values(), self._mail_seconds, *of_store))
        self._verbs: dict[str, tuple[Histogram, Counter]] = {}
        self._increments: dict[tuple[str, str], Callable[[], None]] = {}
        for kind in KINDS:
            self._increment_of("pwless_events", kind)
        for kind, (name, value) in _COUNTED.items():
            for label in KINDS[kind].reasons if value is None else (value,):
                self._increment_of(name, label)

    def note_event(self, event: Event) -> None:
        """Count an event."""
        kind = event.kind if event.kind in self._events.kinds else OTHER
        self._increment_of("pwless_events", kind)()
        if event.kind == "session.created":
            first = event.methods[0] if event.methods else None
            self._increment_of("pwless_logins", self._methods.label(first))()
        seconds = (event.details or {}).get("seconds")
        if event.kind == "mail.sent" and isinstance(seconds, int):
            self._mail_seconds.observe(seconds)
        if event.kind in _COUNTED:
            name, value = _COUNTED[event.kind]
            self._increment_of(name, (event.reason or OTHER) if value is None else value)()

    def note_store(self, verb: str, seconds: float, is_answered: bool) -> None:
        """Count a question to the store.

        Args:
            verb: of `Store`.
            seconds: how long it took.
            is_answered: whether there was an answer.
        """
        found = self._verbs.get(verb)
        if found is None:
            found = self._store_seconds.labels(verb), self._store_errors.labels(verb)
            self._verbs[verb] = found
        times, errors = found
        if is_answered:
            times.observe(seconds)
        else:
            errors.inc()

    def _increment_of(self, name: str, label: str) -> Callable[[], None]:
        found = self._increments.get((name, label))
        if found is None:
            counter = self._counters[name]
            found = (counter.labels(label) if label else counter).inc
            self._increments[name, label] = found
        return found


def _register(registry: CollectorRegistry, metrics: Sequence[MetricWrapperBase]) -> None:
    """Register all or, for the next app that asks, none of them."""
    done: list[MetricWrapperBase] = []
    try:
        for metric in metrics:
            registry.register(metric)
            done.append(metric)
    except ValueError:
        for metric in done:
            registry.unregister(metric)
        raise
