"""How codes look, and that every code can come up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.challenges.codes import HIGH_ALPHABET, code_of_number, format_code

numbers = st.integers(0, 2**64 - 1)


@given(numbers)
def test_a_standard_code_has_six_digits_with_its_zeros(number: int) -> None:
    code = code_of_number(number, "standard")
    assert len(code) == 6
    assert int(code) == number % 1_000_000


@given(numbers)
def test_a_high_code_has_eight_letters_of_the_alphabet(number: int) -> None:
    code = code_of_number(number, "high")
    assert len(code) == 8
    assert set(code) <= set(HIGH_ALPHABET)


def test_every_letter_and_digit_comes_up() -> None:
    assert {code_of_number(n, "high")[0] for n in range(len(HIGH_ALPHABET))} == set(HIGH_ALPHABET)
    assert code_of_number(7, "standard") == "000007"


def test_only_letters_are_shown_in_two_groups() -> None:
    assert format_code("BCDFGHJK", "high") == "BCDF-GHJK"
    assert format_code("481902", "standard") == "481902"
