"""The brand of a deployment: what is taken, and what is refused where it is made."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware.core.brand import Brand
from pwless_middleware.errors import ConfigError


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "Ac\nme", "Ac\x00me", "Ac\u202eme"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^brand\.name: set 1 to 100 printable"):
        Brand(name)


@pytest.mark.parametrize("option", ["name", "logo", "color"])
def test_what_is_no_text_is_refused(option: str) -> None:
    given: dict[str, Any] = {"name": "Acme", option: 5}
    with pytest.raises(ConfigError, match=rf"^brand\.{option}: set a text"):
        Brand(given.pop("name"), **given)


@pytest.mark.parametrize(
    "logo",
    [
        *(
            "",
            "logo.svg",
            "//evil.example/x.svg",
            "/\\evil.example/x",
            "https://evil.example/x.png",
        ),
        *(
            "/a b.svg",
            "/a\n.svg",
            "/a\\b",
            "data:text/html,x",
            "javascript:alert(1)",
            "/logo.svg\n",
        ),
    ],
)
def test_a_logo_from_elsewhere_is_refused(logo: str) -> None:
    with pytest.raises(ConfigError, match=r"^brand\.logo: set a path"):
        Brand("Acme", logo=logo)


@pytest.mark.parametrize("logo", ["/", "/l.svg?v=1", "data:image/svg+xml,%3Csvg/%3E"])
def test_a_logo_of_ones_own_is_taken(logo: str) -> None:
    assert Brand("Acme", logo=logo).logo == logo


@pytest.mark.parametrize("color", ["", "red", "#12", "#1234", "#12345g", "#123456;}", "#fff\n"])
def test_a_colour_of_another_form_is_refused(color: str) -> None:
    """What is taken stands in a stylesheet as it is, so nothing else may come through."""
    with pytest.raises(ConfigError, match=r"^brand\.color: set a colour"):
        Brand("Acme", color=color)
