"""Any accent colour is made readable, in light and in dark."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.colors import Palette


@pytest.mark.parametrize(
    ("color", "text"),
    [
        *(("#000", "#fff"), ("#ccc", "#000"), ("#ffdd00", "#000"), ("#1A237E", "#fff")),
        # On the first two black has the higher contrast, and white passes too.
        *(("#e0245e", "#fff"), ("#767676", "#fff"), ("#777", "#000"), ("#ff5a1f", "#000")),
    ],
)
def test_text_on_the_accent_is_white_wherever_white_passes(color: str, text: str) -> None:
    assert Palette.of(color).light.on_accent == text


def luminance(color: str) -> float:
    """Return the relative luminance of WCAG 2.2, written a second time to check the first."""
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@given(st.integers(0, 0xFFFFFF))
def test_any_colour_stays_readable_in_both_schemes(value: int) -> None:
    palette = Palette.of(f"#{value:06x}")
    for scheme in (palette.light, palette.dark):
        assert contrast(scheme.accent, scheme.on_accent) >= 4.5
        assert contrast(scheme.hover, scheme.on_accent) >= 4.5
        for surface in (scheme.page, scheme.card):
            assert contrast(scheme.link, surface) >= 4.5
            assert contrast(scheme.edge, surface) >= 3.0


def test_a_colour_that_reads_well_is_left_alone() -> None:
    assert Palette.of("#1a237e").light.link == "#1a237e"
    assert Palette.of("#9af").dark.link == "#99aaff"


def test_a_button_never_vanishes_in_its_card() -> None:
    black, white = Palette.of("#111"), Palette.of("#fff")
    assert (black.light.accent, black.light.on_accent) == ("#111111", "#fff")
    assert (black.dark.accent, black.dark.on_accent) == ("#ffffff", "#000")
    assert (white.light.accent, white.light.on_accent) == ("#000000", "#fff")
    assert (white.dark.accent, white.dark.on_accent) == ("#ffffff", "#000")
