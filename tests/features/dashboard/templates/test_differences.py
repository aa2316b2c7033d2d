"""What differs between two versions of a template, however long they are."""

from __future__ import annotations

from pwless_middleware.features.dashboard.templates.differences import MOST_LINES, compare


def lines_of(old: str, new: str) -> list[str]:
    return [f"{one.kind} {one.text}" for one in compare(old, new)]


def test_the_lines_that_differ_stand_among_those_around_them() -> None:
    old = "\n".join(f"line {n}" for n in range(20))
    assert lines_of(old, old) == []
    assert lines_of(old, old.replace("line 9", "other")) == [
        "place @@ -8,5 +8,5 @@",
        *("same line 7", "same line 8", "removed line 9", "added other"),
        *("same line 10", "same line 11"),
    ]
    assert lines_of("a\nb", "a\nb\nc") == ["place @@ -1,2 +1,3 @@", "same a", "same b", "added c"]
    assert lines_of("", "a") == ["place @@ -1,0 +1,1 @@", "added a"]


def test_two_that_are_made_to_take_hours_take_none() -> None:
    """Each line comes so often that it is just not left out as a popular one."""
    old = "\n".join(str(n % 600) for n in range(50_000))
    new = "\n".join(str(n * 7 % 600) for n in range(50_000))
    found = compare(old, new)
    assert len(found) == 2 * MOST_LINES + 3
    assert len(compare(old, f"{old}\nmore")) == 4
