"""A person: what a name may be, and what is shown of it."""

from __future__ import annotations

import pytest

from pwless_middleware.core.people.person import MAX_NAME, Person, parse_name

JO = Person("1", "jo@example.com", name="Jo", created_at=5)


@pytest.mark.parametrize("name", ["Jo", "J\u00f8 Ä. O'Neil-Smith", "\u0645\u06cc\u200c\u0646", ""])
def test_a_name_is_kept_as_it_is_typed_without_outer_spaces(name: str) -> None:
    assert parse_name(f" {name} ") == name


@pytest.mark.parametrize("name", ["\nadmin", "Jo\u202eadmin", "Jo\u2028x", "a\x00", "x" * 101])
def test_what_would_break_the_line_or_turn_it_round_is_no_name(name: str) -> None:
    assert parse_name(f"a{name}") is None
    assert MAX_NAME == 100


def test_the_app_sees_the_name_or_else_the_address() -> None:
    assert JO.as_user().display_name == "Jo"
    assert Person("1", "jo@example.com").as_user(is_new=True).display_name == "jo@example.com"
    assert Person("1", "jo@example.com").as_user(is_new=True).is_new


def test_a_log_shows_neither_address_nor_name() -> None:
    assert "jo@" not in repr(JO).lower()
    assert "Jo" not in repr(JO)
    assert JO.to_dict()["email"] == "jo@example.com"
