"""Lengths of time as they are typed."""

from __future__ import annotations

import pytest

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.times import read_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("600", 600), ("45s", 45), ("30m", 1800), ("12h", 43200), ("90d", 7776000)],
)
def test_a_number_has_a_unit_or_is_seconds(text: str, seconds: int) -> None:
    assert read_seconds("--wait", text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "d", "5 d", "5D", "1.5h", "soon", "9999999999", "٥"])
def test_anything_else_is_told_how_to_write_it(text: str) -> None:
    with pytest.raises(UsageError, match=r"--wait .*write a time such as 90d"):
        read_seconds("--wait", text)
