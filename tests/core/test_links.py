"""Words that a mail program would make a link of (security rule 16)."""

from __future__ import annotations

import pytest

from pwless_middleware.core.links import break_foreign, break_links


@pytest.mark.parametrize("name", ["Acme", "Dr. Oetker", "app.acme.example", "ACME.example",
                                  "app.acme.example:8443"])  # fmt: skip
def test_a_name_that_leads_nowhere_or_home_stays(name: str) -> None:
    assert break_foreign(name, "app.acme.example") == name


@pytest.mark.parametrize(
    "name", ["evil.example", "https://evil.example/", "tel:1", "e.example", "acme.example/x"]
)
def test_a_name_that_leads_elsewhere_is_broken(name: str) -> None:
    broken = break_foreign(name, "app.acme.example")
    assert broken == break_links(name) != name
    assert broken.replace("\u2060", "") == name
