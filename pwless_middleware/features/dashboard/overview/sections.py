"""The parts of the page: what each shows, made of the figures of a time."""

from __future__ import annotations

from collections import Counter as Sum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event_counters import DAY, Span, start_of
from pwless_middleware.features.dashboard.overview.charts import (
    Chart,
    Row,
    Series,
    Tone,
    format_share,
    make_chart,
    make_rows,
)
from pwless_middleware.features.dashboard.overview.figures import FAILURES, SIGN_IN, Figures
from pwless_middleware.features.dashboard.overview.names import (
    METHODS,
    REASONS,
    name_failure,
    name_methods,
    name_reason,
)
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.numbers import format_number
from pwless_middleware.text import Text

_TIMES: Final = (1, 2, 5, 10, 30, 60)
"""Seconds up to which times to delivery are shown together."""
_SECOND_FACTORS: Final = ("totp", "sms", "recovery_code")


@dataclass(frozen=True, slots=True)
class Active:
    """How many people were active in the days, weeks and months around now.

    Attributes:
        counts: by span and its beginning.
        now: unix seconds.
    """

    counts: Mapping[tuple[Span, int], int]
    now: int

    @property
    def today(self) -> int:
        """Since midnight, UTC."""
        return self.counts.get(("day", start_of("day", self.now)), 0)

    @property
    def yesterday(self) -> int:
        """In the day before."""
        return self.counts.get(("day", start_of("day", self.now) - DAY), 0)

    @property
    def week(self) -> int:
        """Since Monday, UTC."""
        return self.counts.get(("week", start_of("week", self.now)), 0)

    @property
    def last_week(self) -> int:
        """In the week before."""
        return self.counts.get(("week", start_of("week", self.now) - 7 * DAY), 0)

    @property
    def month(self) -> int:
        """Since the first, UTC."""
        return self.counts.get(("month", start_of("month", self.now)), 0)

    @property
    def last_month(self) -> int:
        """In the month before."""
        before = start_of("month", start_of("month", self.now) - DAY)
        return self.counts.get(("month", before), 0)


@dataclass(frozen=True, slots=True)
class SignIns:
    """Sign-ins and failures, and by which methods people signed in.

    Attributes:
        count: how many.
        before: how many in the time before, in words.
        failures: how often somebody was kept out.
        second_factor: the share of sign-ins with a second factor, or a passkey.
        chart: both over time.
        methods: sign-ins by their methods.
        opened_elsewhere, scanned: links that nobody signed in by.
    """

    count: str
    before: str
    failures: str
    second_factor: str
    chart: Chart
    methods: Sequence[Row]
    opened_elsewhere: str
    scanned: str


def describe_sign_ins(figures: Figures, labels: Sequence[str], *, before: str) -> SignIns:
    """Return what is shown of sign-ins; `before` says how many there were in the time before."""
    count = figures.total(SIGN_IN)
    by_methods = [
        (methods, number) for (kind, methods), number in figures.methods.items() if kind == SIGN_IN
    ]
    chart = make_chart(
        Text("Sign-ins and failures"),
        labels,
        [
            Series(translate(Text("Sign-ins")), figures.bars(SIGN_IN)),
            Series(translate(Text("Failures")), figures.bars(*FAILURES), "second"),
        ],
    )
    return SignIns(
        count=format_number(count),
        before=translate(before) % {"n": format_number(figures.signed_in_before)},
        failures=format_number(figures.total(*FAILURES)),
        second_factor=format_share(sum(n for one, n in by_methods if _is_strong(one)), count),
        chart=chart,
        methods=make_rows(_merge((name_methods(one), number) for one, number in by_methods)),
        opened_elsewhere=format_number(figures.total("link.opened_elsewhere")),
        scanned=format_number(figures.total("link.scanned")),
    )


def _is_strong(methods: str) -> bool:
    """Whether a sign-in was by more than the mailbox; a passkey is two (security rule 40)."""
    given = methods.split("+")
    return "passkey" in given or any(one in given for one in _SECOND_FACTORS)


@dataclass(frozen=True, slots=True)
class Failures:
    """What kept people from signing in, and which limits were hit.

    Attributes:
        rows: failures by what; limits are not among them.
        limits: limits by which.
        limit_count: how often one was hit.
    """

    rows: Sequence[Row]
    limits: Sequence[Row]
    limit_count: str


def describe_failures(figures: Figures) -> Failures:
    """Return what is shown of failures and limits."""
    found: Sum[str] = Sum()
    kinds: dict[str, str] = {}
    for kind, label, count in _failures(figures):
        found[label] += count
        kinds[label] = kind
    kind = "limit.reached"
    limits = [
        (name_reason(kind, reason), count)
        for (theirs, reason), count in figures.reasons.items()
        if theirs == kind
    ]
    return Failures(
        rows=make_rows([*found.items()], kinds),
        limits=make_rows(limits, dict.fromkeys((label for label, _ in limits), kind)),
        limit_count=format_number(figures.total(kind)),
    )


def _failures(figures: Figures) -> Iterator[tuple[str, str, int]]:
    """Go through failures by what: kind, name and number."""
    for kind in FAILURES:
        if kind in REASONS:
            for (theirs, reason), count in figures.reasons.items():
                if theirs == kind:
                    yield kind, name_failure(kind, reason), count
        elif kind == "step.wrong":
            for (theirs, method), count in figures.methods.items():
                if theirs == kind:
                    yield kind, _name_step(method), count
        elif count := figures.total(kind):
            yield kind, name_failure(kind), count


def _name_step(method: str) -> str:
    name = translate(METHODS[method]) if method in METHODS else method
    return (
        translate(Text("Wrong answer: %(method)s", method=name))
        if name
        else name_failure("step.wrong")
    )


@dataclass(frozen=True, slots=True)
class Emails:
    """Emails by outcome, and how long they took; text messages where there are any.

    Attributes:
        sent: how many a mail server took.
        chart: outcomes over time.
        outcomes: each outcome with its number.
        median, slow: seconds within which half of them, and 95 of 100, were taken; empty for none.
        times: emails by how long they took, the quickest first.
        texts: text messages by outcome; empty for none.
    """

    sent: str
    chart: Chart
    outcomes: Sequence[Row]
    median: str
    slow: str
    times: Sequence[Row]
    texts: Sequence[Row]


def describe_emails(figures: Figures, labels: Sequence[str]) -> Emails:
    """Return what is shown of emails and text messages."""
    outcomes = {
        "mail.sent": Text("Sent"),
        "mail.deferred": Text("Tried again"),
        "mail.failed": Text("Given up"),
    }
    tones: Mapping[str, Tone] = {"mail.deferred": "third", "mail.failed": "second"}
    series = [
        Series(translate(title), figures.bars(kind), tones.get(kind, "first"))
        for kind, title in outcomes.items()
    ]
    rows = [(translate(title), figures.total(kind)) for kind, title in outcomes.items()]
    kinds = {translate(title): kind for kind, title in outcomes.items()}
    for (kind, reason), count in sorted(figures.reasons.items()):
        if kind == "mail.suppressed":
            why = name_reason(kind, reason)
            label = translate(Text("Not sent: %(why)s", why=why))
            rows.append((label, count))
            kinds[label] = kind
    texts = {
        "sms.sent": Text("Sent"),
        "sms.delivered": Text("Arrived"),
        "sms.deferred": Text("Tried again"),
        "sms.failed": Text("Given up"),
        "sms.undelivered": Text("Not delivered"),
    }
    of_texts = [(translate(title), figures.total(kind)) for kind, title in texts.items()]
    return Emails(
        sent=format_number(figures.total("mail.sent")),
        chart=make_chart(Text("Emails by outcome"), labels, series),
        outcomes=make_rows(rows, kinds, is_sorted=False),
        median=_seconds(figures.quantile("mail.sent", 0.5)),
        slow=_seconds(figures.quantile("mail.sent", 0.95)),
        times=make_rows(_by_time(figures.seconds.get("mail.sent", {})), is_sorted=False),
        texts=make_rows(of_texts, is_sorted=False) if any(n for _, n in of_texts) else (),
    )


def _seconds(seconds: int | None) -> str:
    if seconds is None:
        return ""
    if seconds == 0:
        return translate(Text("under 1 s"))
    return translate(Text("%(n)s s", n=seconds))


def _by_time(seconds: Mapping[int, int]) -> list[tuple[str, int]]:
    if not seconds:
        return []
    found, last = [], -1
    for most in _TIMES:
        count = sum(number for value, number in seconds.items() if last < value <= most)
        found.append((translate(Text("up to %(n)s s", n=most)), count))
        last = most
    slower = sum(number for value, number in seconds.items() if value > last)
    return [*found, (translate(Text("over %(n)s s", n=last)), slower)]


@dataclass(frozen=True, slots=True)
class People:
    """How many people were active.

    Attributes:
        today, week, month: since midnight, Monday, the first, in UTC.
        yesterday, last_week, last_month: in the time before each.
        chart: days of the time that is shown; `None` where it shows hours.
    """

    today: str
    yesterday: str
    week: str
    last_week: str
    month: str
    last_month: str
    chart: Chart | None


def describe_people(
    figures: Figures, labels: Sequence[str], active: Active, *, are_hours: bool
) -> People:
    """Return what is shown of people."""
    chart = None
    if not are_hours:
        series = [Series(translate(Text("People")), figures.people)]
        chart = make_chart(Text("People active by day"), labels, series)
    return People(
        today=format_number(active.today),
        yesterday=format_number(active.yesterday),
        week=format_number(active.week),
        last_week=format_number(active.last_week),
        month=format_number(active.month),
        last_month=format_number(active.last_month),
        chart=chart,
    )


def _merge(counts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    found: Sum[str] = Sum()
    for label, count in counts:
        found[label] += count
    return [*found.items()]
