"""The guide's table of the events of webhooks."""

from __future__ import annotations

from pwless_middleware.features.webhooks.events import KINDS, OWN
from tests.guide import TEXT


def test_the_guide_names_them_all() -> None:
    table = TEXT.partition("<!-- webhook events -->\n")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    told = {row[0].strip("`"): (row[1], row[2].replace("`", "")) for row in rows}
    assert told == {kind.name: (kind.meaning, ", ".join(kind.fields)) for kind in KINDS}


def test_none_of_them_brings_about_the_next() -> None:
    assert all(kind.name.startswith(OWN) for kind in KINDS)
