"""The list of languages that people choose from."""

from __future__ import annotations

import pytest

from pwless_middleware.languages import languages, names
from pwless_middleware.languages.names import language_names, name_of
from tests.guide import PAGES
from tests.languages.guide_table import with_table


def test_languages_stand_in_the_order_of_their_own_names() -> None:
    """As people look for theirs: an accent moves none to the end, other scripts come last."""
    codes = ["en", "tr", "vi", "cs", "de", "ja", "da", "uk", "el", "ar", "pt-BR"]
    found = [one.name for one in language_names(codes)]
    assert found[:7] == [
        *("Čeština", "Dansk", "Deutsch", "English", "Português (Brasil)", "Tiếng Việt", "Türkçe")
    ]
    assert found[-1] == "日本語"


def test_each_language_says_which_way_it_is_written() -> None:
    assert {one.code: one.direction for one in language_names(["ar", "he", "en", "zh-Hant"])} == {
        "ar": "rtl",
        "he": "rtl",
        "en": "ltr",
        "zh-Hant": "ltr",
    }


def test_what_no_native_speaker_has_reviewed_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "COMPLETE", ("en", "de", "el"))
    monkeypatch.setattr(languages, "REVIEWED", ("en", "de"))
    labels = [one.label for one in language_names(["en", "de", "el", "eo"])]
    assert labels == ["Deutsch", "English", "eo", "Ελληνικά (beta)"], "a host's own is its own"


def test_every_language_of_ours_has_a_name_of_its_own() -> None:
    ours = {name_of(code) for code in languages.COMPLETE}
    assert len(ours) == len(languages.COMPLETE)
    assert not ours & set(languages.COMPLETE)
    assert len(set(names._NAMES.values())) == len(names._NAMES)


def test_the_guide_lists_the_languages_that_there_are() -> None:
    """`python -m tests.guide` writes its table."""
    assert with_table(PAGES["languages"]) == PAGES["languages"]
