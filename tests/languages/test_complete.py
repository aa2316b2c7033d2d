"""The languages that are offered have every message, with its values, and are compiled."""

from __future__ import annotations

from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel import Locale

from pwless_middleware.languages.languages import COMPLETE, DASHBOARD, REVIEWED
from tests.languages import extraction
from tests.languages.extraction import FOLDER, problems_of, read, write

TRANSLATED = [code for code in COMPLETE if code != "en"]


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_language_that_is_offered_is_complete(language: str) -> None:
    """If not, `python -m tests.languages` brings its file to the messages that there are."""
    assert problems_of(language) == []


def test_no_catalogue_lies_there_unseen() -> None:
    """Each `.po` has its `.mo`, and nothing else is in the folder."""
    found = {f.stem for f in FOLDER.glob("*.po")}
    files = {f"{code}.{ending}" for code in found for ending in ("po", "mo")}
    assert {f.name for f in FOLDER.iterdir()} == files
    assert set(TRANSLATED) <= found
    assert set(DASHBOARD) <= set(COMPLETE)
    assert set(REVIEWED) <= set(COMPLETE)


def test_what_a_language_has_before_it_is_complete_is_right() -> None:
    """One may lie there until it has all; there may be none of the kind."""
    for language in sorted({f.stem for f in FOLDER.glob("*.po")} - set(COMPLETE)):
        found = [p for p in problems_of(language) if not p.endswith((": missing", ": fuzzy"))]
        assert found == [], language


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_number_takes_the_form_that_cldr_says(language: str) -> None:
    """Each form is that of one of CLDR's categories, for every number that a page could show."""
    with (FOLDER / f"{language}.mo").open("rb") as opened:
        form_of = GNUTranslations(opened).plural  # type: ignore[attr-defined] # not in its types
    locale = Locale.parse(language, sep="-")
    categories: dict[int, set[str]] = {}
    for n in range(1001):
        categories.setdefault(form_of(n), set()).add(locale.plural_form(n))
    assert list(categories) != [0] or language in ("id", "ja", "ko", "vi", "zh-Hans", "zh-Hant")
    assert len(categories) == 1 or [c for c in categories.values() if len(c) > 1] == []


@pytest.mark.parametrize(
    ("message", "translation", "problem"),
    [
        ("Sign in", "", "missing"),
        ("Sign in to %(brand)s", "Bei %(marke)s anmelden", "placeholders"),
        ("Sign in as <bdi>%(email)s</bdi>", "Als %(email)s anmelden", "placeholders"),
        ("%(n)s minute", ("%(n)s Minute", ""), "missing"),
    ],
)
def test_a_fault_is_seen(
    message: str,
    translation: str | tuple[str, str],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalog = read(FOLDER / "de.po", "de")
    found = catalog.get(message)
    assert found is not None
    found.string = translation
    write(catalog, tmp_path / "de.po")
    monkeypatch.setattr(extraction, "FOLDER", tmp_path)
    said = problems_of("de")[0]
    assert problem in said
    assert message in said


def test_a_fuzzy_message_and_a_stale_mo_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = read(FOLDER / "de.po", "de")
    found = catalog.get("Sign in")
    assert found is not None
    write(catalog, tmp_path / "de.po")
    monkeypatch.setattr(extraction, "FOLDER", tmp_path)
    assert problems_of("de") == []
    compiled = (tmp_path / "de.mo").read_bytes()
    found.flags.add("fuzzy")
    write(catalog, tmp_path / "de.po")
    assert "'Sign in': fuzzy" in problems_of("de")
    found.flags.discard("fuzzy")
    found.string = "Einloggen"
    write(catalog, tmp_path / "de.po")
    (tmp_path / "de.mo").write_bytes(compiled)
    assert problems_of("de") == ["the .mo does not fit its .po"]


@pytest.mark.parametrize(
    "line",
    ['msgstr "Anmelden', 'msgstr "An"melden"', "Anmelden", 'msgstr[x] "Anmelden"', "<<<<<<<"],
)
def test_a_file_that_is_malformed_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text(f'msgid "Sign in"\n{line}\n', "utf-8")
    with pytest.raises(ValueError, match="line 2"):
        read(tmp_path / "de.po", "de")


def test_the_wrong_plural_rule_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for ending in ("po", "mo"):
        (tmp_path / f"de.{ending}").write_bytes((FOLDER / f"de.{ending}").read_bytes())
    text = (FOLDER / "de.po").read_text("utf-8").replace("plural=(n != 1)", "plural=(n > 1)")
    (tmp_path / "de.po").write_text(text, "utf-8")
    monkeypatch.setattr(extraction, "FOLDER", tmp_path)
    assert problems_of("de")[0].startswith("Plural-Forms: nplurals=2; plural=(n > 1)")
