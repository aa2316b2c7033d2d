"""Which texts fit 160 characters into a part, and which 70."""

from __future__ import annotations

import pytest

from pwless_middleware.delivery.texts.gsm_alphabet import is_gsm, measure


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("", True),
        ("123456 is your code.\n\n@app.example.com #123456", True),
        ("Grüße aus Köln, 5 € [für] {Äcme} ~ ñ à ß §", True),
        ("Ваш код", False),
        ("Łódź", False),
        ("ç", False),  # only its capital is in the table
        ("a\tb", False),
        ("“quoted”", False),
        ("`", False),
        ("🔑", False),
    ],
)
def test_a_text_is_in_the_alphabet_or_not(text: str, is_so: bool) -> None:
    assert is_gsm(text) is is_so


def test_the_table_has_as_many_characters_as_the_standard() -> None:
    """127 and the escape; 10 in its extension (3GPP TS 23.038 §6.2.1)."""
    assert sum(is_gsm(chr(code)) for code in range(0x10000)) == 127 + 10


@pytest.mark.parametrize(
    ("text", "used", "parts", "room"),
    [
        ("", 0, 1, 160),
        ("x" * 160, 160, 1, 160),
        ("x" * 161, 161, 2, 306),
        ("x" * 306, 306, 2, 306),
        ("x" * 307, 307, 3, 459),
        ("€" * 80, 160, 1, 160),  # two of the alphabet's each
        ("€" * 81, 162, 2, 306),
        ("ж" * 70, 70, 1, 70),
        ("ж" * 71, 71, 2, 134),
        ("ж" * 135, 135, 3, 201),
        ("🔑" * 35, 70, 1, 70),  # two units of 16 bits each
        ("🔑" * 36, 72, 2, 134),
    ],
)
def test_how_many_parts_a_text_takes(text: str, used: int, parts: int, room: int) -> None:
    """3GPP TS 23.040 §9.2.3.24.1: 153 and 67 where parts are put together."""
    assert measure(text)[:3] == (used, parts, room)
