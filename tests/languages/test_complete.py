"""The languages that are offered have every message, with its values, and are compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware.languages.languages import COMPLETE
from tests.languages import extraction
from tests.languages.extraction import FOLDER, problems_of, read, write

TRANSLATED = [code for code in COMPLETE if code != "en"]


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_language_that_is_offered_is_complete(language: str) -> None:
    """If not, `python -m tests.languages` brings its file to the messages that there are."""
    assert problems_of(language) == []


def test_no_catalogue_lies_there_unseen() -> None:
    """Each `.po` has its `.mo`; a language without all of its messages may be named, no more."""
    assert {f.stem for f in FOLDER.glob("*.po")} == {f.stem for f in FOLDER.glob("*.mo")}
    assert set(TRANSLATED) <= {f.stem for f in FOLDER.glob("*.po")}


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
