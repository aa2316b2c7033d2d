"""The parts of character classes, against Unicode's own tables."""

from __future__ import annotations

import re
import sys
import unicodedata

from pwless_middleware.core.control_characters import BIDI, CONTROL, LINE_ENDS

EVERY = [chr(n) for n in range(sys.maxunicode + 1)]


def members(part: str) -> set[str]:
    return set(re.findall(f"[{part}]", "".join(EVERY)))


def test_the_control_characters_are_those_of_unicode() -> None:
    assert members(CONTROL) == {c for c in EVERY if unicodedata.category(c) == "Cc"}


def test_the_line_ends_are_the_two_that_are_no_control_characters() -> None:
    separators = {c for c in EVERY if unicodedata.category(c) in ("Zl", "Zp")}
    assert members(LINE_ENDS) == separators


def test_bidi_is_what_changes_the_order_of_text() -> None:
    classes = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert members(BIDI) == {c for c in EVERY if unicodedata.bidirectional(c) in classes}
