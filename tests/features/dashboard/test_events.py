"""What the dashboard itself records."""

from __future__ import annotations

from pwless_middleware.core.events.event_kinds import KINDS as PRODUCTS
from pwless_middleware.features.dashboard.events import KINDS
from tests.guide import table


def test_every_kind_is_a_kind_of_its_own() -> None:
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names)
    assert set(names).isdisjoint(PRODUCTS)


def test_the_readme_tells_all_of_them() -> None:
    told = {
        row[0].strip("`"): (row[1], row[2].replace("`", "")) for row in table("dashboard events")
    }
    assert told == {kind.name: (kind.meaning, ", ".join(kind.fields)) for kind in KINDS}
