"""The guide's table and the Grafana dashboard name the metrics that there are, and all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from pwless_middleware import EmailLogin, MemoryStore, Metrics
from tests.guide import TEXT
from tests.support import API_KEY, Slow, make_site

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
DASHBOARD = json.loads((ROOT / "demo_app" / "guide" / "grafana.json").read_text())
KEY = {"authorization": f"Bearer {API_KEY}"}


async def metrics() -> dict[str, tuple[str, frozenset[str]]]:
    """Return what is scraped: each name, as it is queried, with its type and labels."""
    site = make_site(features=[EmailLogin(), Metrics()], store=Slow(MemoryStore()))
    await site.browser().sign_in("jo@example.com")
    text = (await site.browser().get("/auth/metrics", headers=KEY)).text
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for family in parse(text):
        if family.name.endswith("_created"):
            continue
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for sample in family.samples for label in sample.labels}
        found[name] = family.type, frozenset(labels - {"le"})
    return found


def expressions(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("expr", "query", "definition") and isinstance(inner, str):
                yield inner
            yield from expressions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from expressions(inner)


async def test_the_table_is_what_is_scraped() -> None:
    table = TEXT.partition("<!-- metrics -->\n")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.split("\n")[2:]]
    told = {
        row[0].strip("`"): (row[2].startswith("histogram"), set(re.findall(r"\w+", row[1])))
        for row in rows
    }
    found = {
        name: (kind == "histogram", set(labels))
        for name, (kind, labels) in (await metrics()).items()
    }
    # Of a label with no value yet nothing is scraped: no question to the store has failed.
    found["pwless_store_errors_total"] = (False, {"verb"})
    assert told == found


async def test_grafana_asks_for_every_metric_and_for_none_that_there_is_not() -> None:
    asked = {
        re.sub(r"_bucket$", "", name)
        for text in expressions(DASHBOARD)
        for name in re.findall(r"\bpwless_\w+", text)
    }
    assert asked == set(await metrics()) | {"pwless_store_errors_total"}


async def test_grafana_sums_by_labels_that_the_metric_has() -> None:
    found = await metrics()
    seen = 0
    for text in expressions(DASHBOARD):
        for labels, name in re.findall(r"by \(([^)]*)\) \(?.*?(pwless_\w+)", text):
            kind = found.get(name.removesuffix("_bucket"), ("", frozenset(("verb",))))
            assert set(re.findall(r"\w+", labels)) - {"le"} <= kind[1], text
            seen += 1
    assert seen > 8


def test_grafana_can_show_it() -> None:
    """Panels have ids of their own and do not lie on each other; the source is chosen at import."""
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    covered = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(covered) == len(set(covered))
    assert all(panel["datasource"]["uid"] == "${source}" for panel in panels)
