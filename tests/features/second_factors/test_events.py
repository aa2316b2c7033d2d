"""What is told of second factors."""

from __future__ import annotations

from pathlib import Path

from pwless_middleware.core.events.event_kinds import KINDS as PRODUCTS
from pwless_middleware.features.second_factors.events import KINDS


def test_every_kind_is_a_kind_of_its_own() -> None:
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names)
    assert set(names).isdisjoint(PRODUCTS)


def test_every_kind_is_recorded_somewhere() -> None:
    folder = Path(__file__).parents[3] / "pwless_middleware"
    code = " ".join(
        path.read_text("utf-8") for path in folder.rglob("*.py") if path.name != "events.py"
    )
    assert [kind.name for kind in KINDS if f'"{kind.name}"' not in code] == []
