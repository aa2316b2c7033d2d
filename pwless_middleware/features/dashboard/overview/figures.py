"""The numbers of a time, summed up from counters."""

from __future__ import annotations

from collections import Counter as Sum
from collections.abc import Iterable, Mapping, Sequence

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event_counters import Counter
from pwless_middleware.core.events.event_search import EventCount

FAILURES = (
    *("code.wrong", "step.wrong", "login.refused", "passkey.refused", "sso.failed"),
    "caller.refused",
)
"""What keeps somebody from signing in, but for limits, which are counted apart."""
SIGN_IN = "session.created"


@dataclass(frozen=True, slots=True)
class Figures:
    """What happened in a time, bar by bar and in all.

    Attributes:
        kinds: events of a kind in each bar; kinds without any are not there.
        reasons: events of a kind and reason.
        methods: events of a kind and method; empty for none.
        seconds: messages of a kind by how many seconds they took.
        people: how many people were active in each bar; all 0 where bars are hours.
        signed_in_before: sign-ins in the time before, as long.
    """

    kinds: Mapping[str, Sequence[int]]
    reasons: Mapping[tuple[str, str], int]
    methods: Mapping[tuple[str, str], int]
    seconds: Mapping[str, Mapping[int, int]]
    people: Sequence[int]
    signed_in_before: int

    def bars(self, *kinds: str) -> list[int]:
        """Return how many events of these kinds there were in each bar."""
        found = [self.kinds[kind] for kind in kinds if kind in self.kinds]
        return [sum(bar) for bar in zip(*found, strict=True)] if found else [0] * len(self.people)

    def total(self, *kinds: str) -> int:
        """Return how many events of these kinds there were."""
        return sum(self.bars(*kinds))

    def quantile(self, kind: str, share: float) -> int | None:
        """Return the seconds within which a share of the messages was taken; `None` for none."""
        return quantile(self.seconds.get(kind, {}), share)


def sum_up(
    starts: Sequence[int], counters: Iterable[Counter], hours: Iterable[EventCount] = ()
) -> Figures:
    """Return the figures of a time.

    Args:
        starts: at which the bars begin, in order.
        counters: of hours or of days, as the bars are, of this time and the one before.
        hours: counts of hours by method, where bars are hours: days have them among the counters.
    """
    place = {start: index for index, start in enumerate(starts)}
    kinds: dict[str, list[int]] = {}
    reasons: Sum[tuple[str, str]] = Sum()
    methods: Sum[tuple[str, str]] = Sum()
    seconds: dict[str, Sum[int]] = {}
    people = [0] * len(starts)
    before = 0

    def add(start: int, kind: str, method: str, count: int) -> None:
        nonlocal before
        index = place.get(start)
        if index is not None:
            kinds.setdefault(kind, [0] * len(starts))[index] += count
            methods[kind, method] += count
        elif kind == SIGN_IN and start < starts[0]:
            before += count

    for counter in counters:
        (_, start, kind, label, value), count = counter.name, counter.count
        if label == "method":
            add(start, kind, value, count)
        elif start not in place:
            continue
        elif label == "reason":
            reasons[kind, value] += count
        elif label == "seconds":
            seconds.setdefault(kind, Sum())[int(value)] += count
        elif label == "people":
            people[place[start]] = count
    for each in hours:
        add(each.start, each.kind, each.method or "", each.count)
    return Figures(kinds, reasons, methods, seconds, people, before)


def quantile(counts: Mapping[int, int], share: float) -> int | None:
    """Return the least value that so large a share of all is not above; `None` where there is none.

    Args:
        counts: how often each value was.
        share: 0 to 1; 0.5 is the median.
    """
    wanted, passed = share * sum(counts.values()), 0
    for value, count in sorted(counts.items()):
        passed += count
        if passed >= wanted:
            return value
    return None
