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


def test_every_fault_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults: dict[str, tuple[str | tuple[str, str], str]] = {
        "Sign in": ("", "missing"),
        "Sign in to %(brand)s": ("Bei %(marke)s anmelden", "has other placeholders"),
        "Sign in as <bdi>%(email)s</bdi>": ("Als %(email)s anmelden", "has other placeholders"),
        "%(n)s minute": (("%(n)s Minute", ""), "missing"),
    }
    catalog = read(FOLDER / "de.po", "de")
    for message, (translation, _) in faults.items():
        found = catalog.get(message)
        assert found is not None
        found.string = translation
    last = catalog.get("Sign out")
    assert last is not None
    last.flags.add("fuzzy")
    write(catalog, tmp_path / "de.po")
    text = (tmp_path / "de.po").read_text("utf-8")
    text = text.replace("plural=(n != 1)", "plural=(n > 1)")
    (tmp_path / "de.po").write_text(text, "utf-8")
    monkeypatch.setattr(extraction, "FOLDER", tmp_path)
    plural, *problems, _ = problems_of("de")  # at last that the .mo, with half a plural, is another
    assert plural.startswith("Plural-Forms: nplurals=2; plural=(n > 1)")
    assert "'Sign out': fuzzy" in problems
    for message, (_, problem) in faults.items():
        assert any(p.startswith(f"{message!r}: {problem}") for p in problems), message
    assert len(problems) == len(faults) + 1


def test_a_stale_mo_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = read(FOLDER / "de.po", "de")
    found = catalog.get("Sign in")
    assert found is not None
    found.string = "Einloggen"
    write(catalog, tmp_path / "de.po")
    (tmp_path / "de.mo").write_bytes((FOLDER / "de.mo").read_bytes())
    monkeypatch.setattr(extraction, "FOLDER", tmp_path)
    assert problems_of("de") == ["the .mo does not fit its .po"]


@pytest.mark.parametrize(
    "line",
    ['msgstr "Anmelden', 'msgstr "An"melden"', "Anmelden", 'msgstr[x] "Anmelden"', "<<<<<<<"],
)
def test_a_file_that_is_malformed_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text(f'msgid "Sign in"\n{line}\n', "utf-8")
    with pytest.raises(ValueError, match="line 2"):
        read(tmp_path / "de.po", "de")
