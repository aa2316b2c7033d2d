"""The name of a mail domain, as somebody types it."""

from __future__ import annotations

import pytest

from pwless_middleware.core.addresses.domain_name import parse_domain, with_parents


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("acme.example", "acme.example"),
        (" ACME.Example. ", "acme.example"),
        ("@acme.example", "acme.example"),
        ("mail.acme.co.uk", "mail.acme.co.uk"),
        ("straße.de", "xn--strae-oqa.de"),
        ("xn--strae-oqa.de", "xn--strae-oqa.de"),
    ],
)
def test_a_domain_has_one_spelling(typed: str, name: str) -> None:
    assert parse_domain(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        *("", ".", "acme", "acme..example", ".acme.example", "-acme.example", "acme_.example"),
        *("jo@acme.example", "https://acme.example", "acme.example/", "acme.example:443"),
        *("127.0.0.1", "[::1]", "*.acme.example", "acme.example, acme.test", "acme .example"),
        *("acme.example\n", "acme.example\x00", "\u212aelvin.example", "a." * 130 + "example"),
        "acme.example..",
    ],
)
def test_what_no_address_can_be_in_is_none(typed: str) -> None:
    assert parse_domain(typed) is None


def test_the_names_above_a_domain_end_with_its_last_label() -> None:
    assert list(with_parents("a.b.example")) == ["a.b.example", "b.example", "example"]
