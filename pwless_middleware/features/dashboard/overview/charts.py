"""Charts, as the template draws them: bars over time, and the rows of a list with their shares.

A chart is an SVG without any style of its own, which the style sheet colors; its numbers stand in a
table behind it, for who cannot see it, and for who wants to know exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, Literal

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.numbers import format_number
from pwless_middleware.languages.times import format_date
from pwless_middleware.text import Text

WIDTH: Final = 1000
HEIGHT: Final = 100
_GAP: Final = 0.25  # of a bar's place

Tone = Literal["first", "second", "third"]


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers that are drawn in one color.

    Attributes:
        title: in the legend and the table.
        values: one for each bar.
        tone: its color: good, bad, in between.
    """

    title: str
    values: Sequence[int]
    tone: Tone = "first"


@dataclass(frozen=True, slots=True)
class Part:
    """One colored part of a bar, in the units of the drawing."""

    tone: Tone
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it stands for, its numbers, and how it is drawn.

    Attributes:
        label: the day or hour.
        values: as they are written, in the order of the series.
        title: all of it in one line.
        left: where its place begins.
        x: where the bar itself begins.
        parts: what is drawn.
    """

    label: str
    values: Sequence[str]
    title: str
    left: str
    x: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars over time.

    Attributes:
        title: what is shown.
        series: those of the bars, from the lowest part up.
        bars: in order of time.
        place: how wide the place of a bar is.
        width: how wide the bar itself is.
        top: the number at the upper line.
    """

    title: str
    series: Sequence[Series]
    bars: Sequence[Bar]
    place: str
    width: str
    top: str


def label_bars(starts: Sequence[int], *, are_hours: bool) -> list[str]:
    """Return what bars are called, for all charts of a page.

    Args:
        starts: unix seconds at which they begin, in order.
        are_hours: whether a bar is an hour, and not a day.
    """
    return [_hour(start) if are_hours else format_date(start) for start in starts]


def make_chart(title: Text, labels: Sequence[str], series: Sequence[Series]) -> Chart:
    """Return a chart whose bars are the sums of all series.

    Args:
        title: what is shown.
        labels: what the bars are called, in order of time.
        series: each with one value for each bar.
    """
    sums = [sum(values) for values in zip(*(one.values for one in series), strict=True)]
    top = round_up(max(sums, default=0))
    place = WIDTH / len(labels)
    bars = []
    for index, label in enumerate(labels):
        values = [one.values[index] for one in series]
        written = [format_number(value) for value in values]
        named = [f"{one.title} {text}" for one, text in zip(series, written, strict=True)]
        bars.append(
            Bar(
                label=label,
                values=written,
                title=f"{label}: {', '.join(named)}",
                left=_unit(index * place),
                x=_unit((index + _GAP / 2) * place),
                parts=_stack(series, values, top),
            )
        )
    return Chart(
        title=translate(title),
        series=series,
        bars=bars,
        place=_unit(place),
        width=_unit(place * (1 - _GAP)),
        top=format_number(top),
    )


def _stack(series: Sequence[Series], values: Sequence[int], top: int) -> list[Part]:
    parts, base = [], 0.0
    for one, value in zip(series, values, strict=True):
        if value:
            height = value / top * HEIGHT
            parts.append(Part(one.tone, _unit(HEIGHT - base - height), _unit(height)))
            base += height
    return parts


def _unit(number: float) -> str:
    """Return a length with as many digits as can be seen."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _hour(start: int) -> str:
    when = datetime.fromtimestamp(start, UTC)
    return translate(Text("%(time)s UTC", time=when.strftime("%H:%M")))


def round_up(number: int) -> int:
    """Return the number of a chart's upper line: 4, or 1, 2 or 5 with zeros behind."""
    if number <= 4:
        return 4
    size = int(10 ** (len(str(number)) - 1))
    return next(size * step for step in (1, 2, 5, 10) if size * step >= number)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list of numbers.

    Attributes:
        label: what is counted.
        count: how many, as it is written.
        share: of all, in words.
        width: of the greatest, 0 to 100, for the bar beside it.
        kind: of the events that are counted, which the log lists; empty for several.
    """

    label: str
    count: str
    share: str
    width: str
    kind: str


def make_rows(
    counts: Sequence[tuple[str, int]],
    kinds: Mapping[str, str] = MappingProxyType({}),
    *,
    is_sorted: bool = True,
) -> list[Row]:
    """Return the lines of a list, the greatest number first.

    Args:
        counts: label and number.
        kinds: label to the kind of the events that are counted.
        is_sorted: off keeps the order that they are given in.
    """
    whole = sum(count for _, count in counts)
    most = max((count for _, count in counts), default=0)
    given = sorted(counts, key=lambda pair: (-pair[1], pair[0])) if is_sorted else counts
    return [
        Row(
            label,
            format_number(count),
            format_share(count, whole),
            _unit(count / (most or 1) * 100),
            kinds.get(label, ""),
        )
        for label, count in given
    ]


def format_share(count: int, whole: int) -> str:
    """Return a share of a whole in percent; empty where there is no whole."""
    if not whole:
        return ""
    percent = count / whole * 100
    if 0 < percent < 1:
        return translate(Text("under %(n)s%%", n=1))
    return translate(Text("%(n)s%%", n=round(percent)))
