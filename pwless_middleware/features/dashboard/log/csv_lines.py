"""Lines of CSV that a spreadsheet shows and never runs (security rule 61)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Final

_RUNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet takes for a formula (OWASP, "CSV Injection"); the wide forms
are the same to some in East Asian settings."""


def write_csv_line(cells: Sequence[object]) -> str:
    """Return a line of CSV (RFC 4180), each cell in quotes.

    A cell that a spreadsheet would run begins with an apostrophe instead, which it does not show.

    Args:
        cells: texts and numbers; `None` is an empty one.
    """
    line = StringIO()
    writer = csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(["" if cell is None else _defuse(str(cell)) for cell in cells])
    return line.getvalue()


def _defuse(text: str) -> str:
    # Some strip what is blank before they look.
    return f"'{text}" if text.startswith(_RUNS) or text.lstrip().startswith(_RUNS) else text
