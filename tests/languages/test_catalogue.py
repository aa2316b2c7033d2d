"""Catalogues: plural forms of any number, values, and the durations that the script writes."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from pwless_middleware.errors import ConfigError, InvalidArgument, RateLimited, Unavailable
from pwless_middleware.languages.catalogue import ENGLISH, Catalogue
from pwless_middleware.languages.current import current_language, translate, use_language
from pwless_middleware.languages.languages import COMPLETE, Languages
from pwless_middleware.languages.times import format_ago, format_duration, format_time
from pwless_middleware.text import Text, duration_text
from tests.languages.catalogues import write_catalogue

POLISH = "nplurals=3; plural=n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2;"
ARABIC = (
    "nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : "
    "n%100>=11 ? 4 : 5;"
)
MINUTES = ("%(n)s minute", "%(n)s minutes")


@pytest.fixture
def polish(tmp_path: Path) -> Catalogue:
    write_catalogue(
        tmp_path / "languages" / "pl.mo",
        {
            MINUTES: ["%(n)s minuta", "%(n)s minuty", "%(n)s minut"],
            ("%(n)s second", "%(n)s seconds"): ["%(n)s sekunda", "%(n)s sekundy", "%(n)s sekund"],
            "Try again": "Spróbuj ponownie",
            "Too many emails were asked for. Try again in %(wait)s.": "Za dużo. Czekaj: %(wait)s.",
        },
        plural_forms=POLISH,
    )
    return Languages(["pl"], folder=tmp_path).default


def test_a_number_chooses_among_the_forms_of_its_language(polish: Catalogue) -> None:
    def minutes(n: int) -> str:
        return polish.translate(duration_text(n * 60))

    assert minutes(2) == "2 minuty"
    assert minutes(5) == "5 minut"
    assert minutes(22) == "22 minuty"
    assert polish.translate(Text.for_count(*MINUTES, 1)) == "1 minuta"


def test_arabic_has_six_forms(tmp_path: Path) -> None:
    forms = [f"{name} %(n)s" for name in ("zero", "one", "two", "few", "many", "other")]
    write_catalogue(tmp_path / "languages" / "ar.mo", {MINUTES: forms}, plural_forms=ARABIC)
    arabic = Languages(["ar"], folder=tmp_path).default
    texts = [arabic.translate(Text.for_count(*MINUTES, n)) for n in (0, 1, 2, 3, 11, 100)]
    assert texts == ["zero 0", "one 1", "two 2", "few 3", "many 11", "other 100"]
    assert arabic.direction == "rtl"


def test_the_script_is_given_the_form_of_each_number(polish: Catalogue) -> None:
    data = json.loads(polish.durations)

    def words(n: int, unit: int) -> str:
        place = data["of"][n] if n < len(data["of"]) else data["of"][-1]
        return str(data["forms"][int(place)][unit].replace("#", str(n)))

    for n in range(91):
        assert words(n, 0) == polish.translate(Text.for_count("%(n)s second", "%(n)s seconds", n))
        assert words(n, 1) == polish.translate(Text.for_count(*MINUTES, n))
    english = json.loads(ENGLISH.durations)
    assert english["of"] == "010"
    assert english["forms"][1] == ["# second", "# minute", "# hour"]


def test_a_text_is_english_to_programs_and_keeps_its_values() -> None:
    error = RateLimited(120)
    assert str(error) == "Too many emails were asked for. Try again in 2 minutes."
    assert error.public_message == str(error)
    copied = pickle.loads(pickle.dumps(Text("%(a)s of %(b)s", a=1, b=duration_text(1))))
    assert copied == "1 of 1 second"
    assert ENGLISH.translate(copied) == "1 of 1 second"


def test_values_that_are_texts_are_translated_too(polish: Catalogue) -> None:
    (text,) = RateLimited(120).public_texts
    assert polish.translate(text) == "Za dużo. Czekaj: 2 minuty."


def test_what_has_no_translation_stays_english(tmp_path: Path) -> None:
    write_catalogue(tmp_path / "languages" / "sk.mo", {"Try again": "Skúsiť znova"})
    slovak = Languages(["sk"], folder=tmp_path).default  # which we do not have
    assert slovak.translate("Try again") == "Skúsiť znova"
    assert slovak.translate("Sign in") == "Sign in"
    assert slovak.translate("words of the host") == "words of the host"
    assert slovak.translate("") == ""  # whose entry is the catalogue's header


def test_a_language_is_used_within_its_block_only(polish: Catalogue) -> None:
    with use_language(polish):
        assert translate("Try again") == "Spróbuj ponownie"
        assert current_language() is polish
    assert translate("Try again") == "Try again"


def test_an_errors_cause_is_never_shown() -> None:
    assert Unavailable("redis: connection refused").public_message == Unavailable.message
    assert InvalidArgument.of("a", "One.", "x").public_texts == ("One.",)


# --- times -------------------------------------------------------


def test_times_are_written_for_people() -> None:
    assert format_time(1_777_788_720) == "3 May 2026, 06:12 UTC"
    assert [format_duration(n) for n in (0, 1, 90, 91, 5400, 5401)] == [
        "0 seconds", "1 second", "90 seconds", "2 minutes", "90 minutes", "2 hours",
    ]  # fmt: skip
    passed = (0, 59, 60, 7199, 7200, 86400, 200_000)
    assert [format_ago(1_000_000 - n, 1_000_000) for n in passed] == [
        "just now", "just now", "1 minute ago", "1 hour ago", "2 hours ago", "1 day ago",
        "2 days ago",
    ]  # fmt: skip


# --- the languages of a deployment -------------------------------------------------------------


def test_the_first_language_is_the_default(tmp_path: Path) -> None:
    write_catalogue(tmp_path / "languages" / "pl.mo", {"Try again": "Spróbuj ponownie"})
    languages = Languages(["pl", "en"], folder=tmp_path)
    assert languages.default.code == "pl"
    assert languages.negotiate("fr").code == "pl"
    assert languages.negotiate("").code == "pl"
    assert languages.negotiate("fr, en;q=0.3").code == "en"
    assert languages["xx"].code == "pl"  # e.g. of a challenge that another version has made
    assert Languages().codes == COMPLETE
    assert COMPLETE[0] == "en"


@pytest.mark.parametrize("codes", [[], "en", 7, ["xx"], ["en", "en"], [None]])
def test_what_is_no_list_of_languages_is_refused(codes: object) -> None:
    with pytest.raises(ConfigError, match="languages"):
        Languages(codes)  # type: ignore[arg-type] # as a host without a type checker may


def test_who_names_an_unknown_language_is_told_which_there_are() -> None:
    with pytest.raises(ConfigError, match=r"there is no 'xx'; set some of .*en"):
        Languages(["en", "xx"])


def test_a_hosts_file_changes_texts_and_adds_languages(tmp_path: Path) -> None:
    write_catalogue(tmp_path / "languages" / "en.mo", {"Sign in": "Log on"})
    english = Languages(folder=tmp_path).default
    assert english.translate("Sign in") == "Log on"
    assert english.translate("Try again") == "Try again"
