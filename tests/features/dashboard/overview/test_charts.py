"""Charts show what the numbers say, whatever the numbers are."""

from __future__ import annotations

import pytest

from pwless_middleware.core.events.event_counters import DAY
from pwless_middleware.features.dashboard.overview.charts import (
    HEIGHT,
    WIDTH,
    Series,
    format_share,
    label_bars,
    make_chart,
    make_rows,
    round_up,
)
from pwless_middleware.languages.numbers import format_number
from pwless_middleware.text import Text

NOON = 1_800_000_000 // DAY * DAY


@pytest.mark.parametrize(
    ("number", "top"),
    [
        (0, 4),
        (1, 4),
        (4, 4),
        (5, 5),
        (6, 10),
        (11, 20),
        (21, 50),
        (51, 100),
        (100, 100),
        (101, 200),
    ],
)
def test_the_upper_line_is_a_round_number(number: int, top: int) -> None:
    assert round_up(number) == top


def test_bars_stand_on_each_other_and_stay_inside() -> None:
    series = [Series("Good", [1, 0, 30]), Series("Bad", [3, 0, 20], "second")]
    labels = label_bars([NOON + n * DAY for n in range(3)], are_hours=False)
    chart = make_chart(Text("Both"), labels, series)
    assert chart.top == "50"
    assert [len(bar.parts) for bar in chart.bars] == [2, 0, 2]
    for bar in chart.bars:
        assert 0 <= float(bar.x) <= float(bar.x) + float(chart.width) <= WIDTH
        base = float(HEIGHT)
        for part in bar.parts:
            assert float(part.y) + float(part.height) == pytest.approx(base, abs=0.02)
            base = float(part.y)
        assert base >= 0
    assert float(chart.bars[2].parts[-1].y) == 0, "50 of 50 reach the upper line"
    assert chart.bars[0].title == "15 January 2027: Good 1, Bad 3"
    assert chart.bars[0].values == ["1", "3"]


def test_without_anything_there_is_a_chart_without_bars() -> None:
    chart = make_chart(
        Text("None"), label_bars([NOON + 8 * 3600], are_hours=True), [Series("Good", [0])]
    )
    assert chart.bars[0].parts == []
    assert chart.bars[0].label == "08:00 UTC"


def test_numbers_and_shares_are_written_for_people() -> None:
    assert format_number(1_234_567) == "1\u202f234\u202f567"
    assert [format_share(*pair) for pair in ((0, 0), (0, 9), (1, 1000), (1, 3), (3, 3))] == [
        "",
        "0%",
        "under 1%",
        "33%",
        "100%",
    ]


def test_the_longest_bar_of_a_list_is_the_greatest_number() -> None:
    rows = make_rows([("b", 1), ("a", 4), ("c", 4)])
    assert [(row.label, row.count, row.width) for row in rows] == [
        ("a", "4", "100"),
        ("c", "4", "100"),
        ("b", "1", "25"),
    ]
    assert [row.width for row in make_rows([("a", 0)], is_sorted=False)] == ["0"]
    assert make_rows([]) == []
