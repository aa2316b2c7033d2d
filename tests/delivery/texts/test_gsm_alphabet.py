"""Which texts fit 160 characters into a part, and which 70."""

from __future__ import annotations

import pytest

from pwless_middleware.delivery.texts.gsm_alphabet import is_gsm


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
