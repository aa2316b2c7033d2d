"""What differs between two texts, line by line, in bounded time.

Two texts of many lines that come again and again take `difflib` hours, and a template may have tens
of thousands of lines. So what is the same at both ends is left out first, and where more is left
than anybody reads, no line of one is looked for in the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

MOST_LINES: Final = 500
"""Lines of each text that are compared, or else shown."""
_AROUND: Final = 2  # lines that are the same, before and behind


class DiffLine(NamedTuple):
    """One line of what changed.

    Attributes:
        kind: `added`, `removed`, `place` or `same`.
        text: the line.
    """

    kind: str
    text: str


def compare(old: str, new: str) -> Sequence[DiffLine]:
    """Return the lines that differ, with those around them; none where both are the same."""
    a, b = old.splitlines(), new.splitlines()
    if a == b:
        return ()
    start = _same(a, b)
    end = _same(a[start:][::-1], b[start:][::-1])
    start, end = max(0, start - _AROUND), max(0, end - _AROUND)
    a, b = a[start : len(a) - end], b[start : len(b) - end]
    if max(len(a), len(b)) > MOST_LINES:
        return [
            _place(start, len(a), start, len(b)),
            *_lines("removed", a),
            *_lines("added", b),
        ]
    found: list[DiffLine] = []
    for group in SequenceMatcher(None, a, b).get_grouped_opcodes(_AROUND):
        (_, a0, _, b0, _), (_, _, a1, _, b1) = group[0], group[-1]
        found.append(_place(start + a0, a1 - a0, start + b0, b1 - b0))
        for tag, i0, i1, j0, j1 in group:
            if tag == "equal":
                found += [DiffLine("same", line) for line in a[i0:i1]]
            else:
                found += [DiffLine("removed", line) for line in a[i0:i1]]
                found += [DiffLine("added", line) for line in b[j0:j1]]
    return found


def _same(a: Sequence[str], b: Sequence[str]) -> int:
    """Return how many lines are the same from the beginning on."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(a), len(b)))


def _place(old: int, old_lines: int, new: int, new_lines: int) -> DiffLine:
    return DiffLine("place", f"@@ -{old + 1},{old_lines} +{new + 1},{new_lines} @@")


def _lines(kind: str, lines: Sequence[str]) -> Iterator[DiffLine]:
    for line in lines[:MOST_LINES]:
        yield DiffLine(kind, line)
    if len(lines) > MOST_LINES:
        yield DiffLine("place", "…")
