"""What a brand comes to, for pages and for mails."""

from __future__ import annotations

import pytest

from pwless_middleware.core.brand import Brand
from pwless_middleware.rendering.look import Look, brand_of_mail


@pytest.mark.parametrize("name", ["Acme", "example.com", "login.example.com"])
def test_a_name_that_leads_nowhere_else_is_the_name_in_a_mail(name: str) -> None:
    brand = Brand(name=name)
    assert brand_of_mail(brand, "login.example.com") is brand


def test_a_name_that_mail_programs_would_link_is_text_in_a_mail() -> None:
    """Else whoever may name an organization sends links to where they like, in our name."""
    found = brand_of_mail(Brand(name="evil.example", color="#123456"), "login.example.com")
    assert found.name != "evil.example"
    assert found.color == "#123456"


def test_templates_of_operators_name_what_ours_are_given_with_a_dot() -> None:
    look = Look(Brand(name="Acme", color="#123456"))
    assert look.values == {"brand": look.brand, "palette": look.palette}
    assert look.dotted["brand.name"] == "Acme"
    assert look.dotted["palette.light.accent"] == look.palette.light.accent
    assert look.dotted["palette.dark.edge"] == look.palette.dark.edge
