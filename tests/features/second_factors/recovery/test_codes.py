"""How recovery codes look, and how they are read (security rule 44)."""

from __future__ import annotations

import re

import pytest

from pwless_middleware.features.second_factors.recovery.codes import (
    ALPHABET,
    digest_of,
    make_codes,
    read_code,
)

CODE = "7K3M-Q0V1-9ZHP-XW2A"
BARE = CODE.replace("-", "")


def test_there_are_ten_of_80_random_bits() -> None:
    codes = make_codes()
    assert len(set(codes)) == 10
    for code in codes:
        assert re.fullmatch(rf"(?:[{ALPHABET}]{{4}}-){{3}}[{ALPHABET}]{{4}}", code)
        assert len(ALPHABET) ** len(code.replace("-", "")) == 2**80
    assert set(codes).isdisjoint(make_codes())


def test_nothing_in_them_looks_like_something_else() -> None:
    assert len(set(ALPHABET)) == 32
    assert set(ALPHABET).isdisjoint("ILOU")


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        BARE,
        BARE.lower(),
        CODE.lower(),
        f"  {CODE}\n",
        CODE.replace("-", " "),
        CODE.replace("-", "\u2013"),
        CODE.replace("0", "O").replace("1", "I"),
        CODE.replace("0", "o").replace("1", "l"),
        CODE.replace("V", "u"),
        CODE.replace("7", "\uff17"),
        CODE.replace("-", "\u200b-"),
    ],
)
def test_it_is_read_as_it_may_be_typed(typed: str) -> None:
    assert read_code(typed) == BARE


@pytest.mark.parametrize(
    "typed",
    [
        "",
        BARE[:-1],
        BARE + "7",
        f"{CODE} {CODE}",
        f"my code: {CODE}",
        BARE[:-1] + "\u017f",  # its upper case is an S
        BARE[:-1] + "\u212a",  # its lower case is a k
        BARE[:-1] + "\u0131",  # its upper case is an I
        BARE + "\x00",
        CODE + " " * 100,
        BARE[:-1] + "!",
    ],
)
def test_what_is_none_is_none(typed: str) -> None:
    assert read_code(typed) is None


def test_what_is_kept_of_it_is_the_same_however_it_is_spelled() -> None:
    assert digest_of(CODE) == digest_of(BARE)
    assert len(digest_of(CODE)) == 32
    assert digest_of(CODE) != digest_of(BARE[::-1])
