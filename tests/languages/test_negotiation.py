"""Which language a person gets, of those that there are."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.languages.languages import Languages
from pwless_middleware.languages.negotiation import find_language, negotiate_language

CODES = ["en", "de", "fr-CA", "he", "nb", "pt-BR", "zh-Hans", "zh-Hant"]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de-AT, en;q=0.5", "de"),
        ("de-CH-1996", "de"),
        ("en;q=0.5, de;q=0.9", "de"),
        ("en;q=0.5,de ; q = 0.9", "de"),
        ("en, de", "en"),  # equal: the one named first
        ("fr, de;q=0.9", "de"),  # there is no fr
        ("fr-CA", "fr-CA"),
        ("zh-TW", "zh-Hant"),
        ("zh-HK, en", "zh-Hant"),
        ("zh", "zh-Hans"),
        ("zh-Hans-SG", "zh-Hans"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("pt_PT", "pt-BR"),  # a locale, as programs give it
        ("no", "nb"),
        ("nn-NO, en;q=0.5", "nb"),
        ("iw-IL", "he"),
        ("zh-Hant-HK", "zh-Hant"),
        ("zh-Hans-TW", "zh-Hans"),
        ("zh-MO;q=0.9, en;q=0.8", "zh-Hant"),
        ("yue-HK", "zh-Hant"),
        ("en-US-posix", "en"),
        ("*", "en"),
        ("fr, *;q=0.1", "en"),
        ("en;q=0, *", "de"),
        ("de;q=0, de-AT", None),
        ("de;q=0", None),
        ("fr", None),
        ("", None),
        ("de;q=2, nb;q=0.1", "nb"),  # no weight is above 1
        ("de;q=high, nb;q=0.1", "nb"),
        ("de;;q=1, nb;q=0.1", "nb"),
        ("ñ, nb", "nb"),
        (", ,de,", "de"),
    ],
)
def test_the_language_that_is_liked_best_is_found(header: str, code: str | None) -> None:
    assert negotiate_language(header, CODES) == code


def test_a_long_header_is_read_to_its_bound() -> None:
    """Whoever sends a megabyte has no megabyte read; what is cut in half is not taken for a tag."""
    assert negotiate_language("xx," * 160 + "de", CODES) == "de"
    assert negotiate_language("xx," * 170 + "de", CODES) is None
    assert negotiate_language("xx," * 166 + "de-latn-de-1996", CODES) is None


def test_of_a_long_header_only_what_is_read_is_remembered() -> None:
    """Else 256 strangers with 64 KiB of header each would hold 16 MiB."""
    languages = Languages(["en", "de"])
    start = "de," + "xx," * 200
    for n in range(5):
        assert languages.negotiate(start + "y" * n).code == "de"
    assert languages._offer._negotiate.cache_info().currsize == 1


def test_a_tag_of_many_parts_costs_no_more_than_a_short_one() -> None:
    """The `locale` of a body, which is looked up before anything is limited, would stop a process.

    With each part looked at, this takes half a minute.
    """
    before = time.process_time()
    assert find_language("a-" * 50_000, CODES) is None
    assert find_language("de-" + "a-" * 50_000, CODES) == "de"
    assert time.process_time() - before < 1


@given(st.text(alphabet="aden-*;q=0.9, \t\n", max_size=60))
def test_whatever_is_sent_the_answer_is_a_language_or_none(header: str) -> None:
    assert negotiate_language(header, CODES) in (*CODES, None)


def test_a_tag_alone_is_found_as_in_a_header() -> None:
    assert find_language("de-AT", CODES) == "de"
    assert find_language("fr", CODES) is None
    assert find_language("", CODES) is None


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("es-419", "es"),
        ("in", "id"),
        ("pt_BR", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("sr-Latn", None),
        ("no", None),
        ("nb", None),
        ("nn", None),
        ("zh_TW", "zh-Hant"),
    ],
)
def test_a_tag_is_served_by_the_nearest_of_ours_or_by_none(tag: str, code: str | None) -> None:
    """Norwegian is not served by Danish: who reads it gets the default."""
    ours = ["en", "da", "es", "id", "pt-BR", "zh-Hans", "zh-Hant"]
    assert find_language(tag, ours) == code
