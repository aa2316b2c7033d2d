"""One thing has one word in texts, guide and README: other spellings of it are found.

So it is in translations, whose decided words are in `tests/languages/terms`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import pytest

from tests.guide import PAGES, README
from tests.languages.extraction import FOLDER, extract, read
from tests.languages.terms import DECIDED

TERMS: Final = {
    "sign in": r"\blog(?:s|ged|ging)? in(?:to)?\b|\blog-in\b|\blog ?on\b",
    "email": r"\be-mails?\b",
    "code": r"\bpass ?codes?\b",
    "link": r"\bmagic links?\b",
    "passkey": r"\bpass keys?\b|\bpass-keys?\b",
    "second factor": r"\b2FA\b|\btwo-factor\b",
    "recovery code": r"\bbackup codes?\b",
    "organization": r"\borganis",
    "authorize": r"\bauthoris",
    "behavior": r"\bbehaviour",
    "favorite, honor": r"\b(?:favour|honour)",
    "center, license": r"\b(?:centre|licence)\b",
    "site": r"\bweb ?sites?\b",
    "cannot": r"\bcan not\b",
    "allowlist": r"\b(?:white|black)-?list",
}
"""The word, and a pattern of what is not to be written in its place (American spelling)."""
_OF_OTHERS: Final = ("moving-from-", "glossary", "python-reference", "api-reference")
"""Pages that quote the words of others, or docstrings."""
_CODE: Final = re.compile(r"(?s)```.*?```|`[^`]*`|\]\([^)]*\)|\"[^\"\n]*\"|“[^”\n]*”")


_NOT_SAID: Final = re.compile(
    r"%\(\w+\)s|<[^>]*>|https?://\S+|\b\w+\([^()]*\)|\b\w+\.\w+\b"
    r"|`[^`]*`|\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|”[^”]*”"
)
"""Of a translation: placeholders, tags, addresses, code, names of events, and quotes."""


def texts() -> dict[str, str]:
    """Return what people read in English, by where it stands; without code, links and quotes."""
    messages = [m.id if isinstance(m.id, str) else "\n".join(m.id) for m in extract() if m.id]
    pages = {name: text for name, text in PAGES.items() if not name.startswith(_OF_OTHERS)}
    found = {"README": README, **pages, **{repr(text): text for text in messages}}
    return {name: _CODE.sub(" ", text) for name, text in found.items()}


@pytest.mark.parametrize("term", TERMS)
def test_one_thing_has_one_word(term: str) -> None:
    found = [
        f"{name}: {match[0]!r}, and not {term!r}"
        for name, text in texts().items()
        for match in re.finditer(TERMS[term], text, re.IGNORECASE)
    ]
    assert found == []


def test_another_spelling_is_seen() -> None:
    said = "Log in by e-mail: the organisation sends a magic link, or a `two-factor` passcode."
    found = {term for term, pattern in TERMS.items() if re.search(pattern, said, re.IGNORECASE)}
    assert found == {"sign in", "email", "organization", "link", "code", "second factor"}


@cache
def translations(language: str) -> tuple[str, ...]:
    """Return what a language says, every form of it, without code and quotes."""
    forms = [m.string or () for m in read(FOLDER / f"{language}.po", language) if m.id]
    said = [text for form in forms for text in ((form,) if isinstance(form, str) else form)]
    return tuple(_NOT_SAID.sub(" ", text) for text in said)


@pytest.mark.parametrize("language", DECIDED)
def test_one_thing_has_one_word_in_a_translation(language: str) -> None:
    found = [
        f"{match[0]!r}, and not {word!r}: {text}"
        for word, pattern in DECIDED[language].items()
        for text in translations(language)
        if (match := re.search(pattern, text, re.IGNORECASE))
    ]
    assert found == []


@pytest.mark.parametrize("language", DECIDED)
def test_the_decided_words_are_said(language: str) -> None:
    """None is out of use, and none is what its own pattern looks for."""
    said = "\n".join(translations(language)).lower()
    decided = DECIDED[language]
    assert [word for word in decided if word.lower() not in said] == []
    assert [w for w, pattern in decided.items() if re.search(pattern, w, re.IGNORECASE)] == []


def test_another_word_is_seen_in_a_translation() -> None:
    said = "Votre passkey et le `passkeys` de “deux facteurs”: %(email)s, session.created"
    left = _NOT_SAID.sub(" ", said)
    found = [w for w, pattern in DECIDED["fr"].items() if re.search(pattern, left, re.IGNORECASE)]
    assert found == ["clé d’accès"]
