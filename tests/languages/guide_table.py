"""The guide's table of languages, written from the code: `python -m tests.guide` does so."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pwless_middleware.languages.languages import COMPLETE, DASHBOARD, REVIEWED
from pwless_middleware.languages.names import language_names

_MARK: Final = "<!-- languages -->\n"


def with_table(page: str) -> str:
    """Return the guide's page on languages with the table as it should be."""
    rows = [
        f"| `{one.code}` | {one.name} | {'yes' if one.code in DASHBOARD else '–'} | "
        f"{'yes' if one.code in REVIEWED else 'beta'} |\n"
        for one in language_names(COMPLETE)
    ]
    before, after = page.split(_MARK, 1)
    rest = after.split("\n\n", 1)[1]
    head = "| code | language | dashboard | reviewed |\n|---|---|---|---|\n"
    return f"{before}{_MARK}{head}{''.join(rows)}\n{rest}"


def write_table(file: Path) -> None:
    """Write the table anew."""
    file.write_text(with_table(file.read_text("utf-8")), "utf-8")
