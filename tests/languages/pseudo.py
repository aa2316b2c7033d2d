"""A pseudo-language: every message longer, bracketed, and without one letter of English.

What a page shows in plain letters has then not gone through the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from pathlib import Path

from babel.messages.catalog import Catalog

from tests.languages.catalogues import write_catalogue
from tests.languages.extraction import extract

LEFT_TO_RIGHT, RIGHT_TO_LEFT = "en-XA", "ar-XB"
"""The tags of Android's pseudo-locales."""

_LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "áƀćđéƒǧħíǰķłɱńóƥɋŕšťúṽŵẋýžÁɃĆĐÉƑǦĦÍJ́ĶŁṀŃÓṔɊŔŠŤÚṼŴẊÝŽ".replace("J́", "Ɉ"),
)
_PLAIN = {letter: plain for plain, letter in _LETTERS.items()}
_END = re.compile(r"\s*···⟧")  # a mail may be broken before it
_KEPT = re.compile(r"(%\(\w+\)s|</?\w+[^>]*>)")
_WORD = re.compile(r"[A-Za-z]{2,}")
_SHOWN_ATTRIBUTES = re.compile(
    r'\b(?:title|alt|placeholder|aria-label|data-copied|data-title)="([^"]*)"'
)


def pseudo(message: str) -> str:
    """Return a message in the pseudo-language; placeholders and elements stay."""
    parts = _KEPT.split(message)
    parts[::2] = [part.translate(_LETTERS) for part in parts[::2]]
    return f"⟦{''.join(parts)} ···⟧"


def english(text: str) -> str:
    """Return what was in the pseudo-language in English again."""
    return _END.sub("", text.replace("⟦", "")).translate(_PLAIN)


def write_pseudo_catalogues(folder: Path) -> Path:
    """Write both pseudo-languages to a host's folder of templates, and return it."""
    messages: Catalog = extract()
    texts: dict[str | tuple[str, str], str | list[str]] = {}
    for message in messages:
        if isinstance(message.id, str):
            if message.id:
                texts[message.id] = pseudo(message.id)
        else:
            one, several = message.id
            texts[(one, several)] = [pseudo(one), pseudo(several)]
    for code in (LEFT_TO_RIGHT, RIGHT_TO_LEFT):
        write_catalogue(folder / "languages" / f"{code}.mo", texts)
    return folder


def plain_words(text: str, values: Iterable[str] = ()) -> list[str]:
    """Return the words of a text that are in plain letters, without those of the values."""
    # An empty one would come between all letters, and leave no words to be found.
    for value in sorted(filter(None, values), key=len, reverse=True):
        text = text.replace(value, " ")
    return _WORD.findall(text)


def plain_words_of_page(html: str, values: Iterable[str] = ()) -> list[str]:
    """Return what a page or an HTML mail shows in plain letters, also in its attributes."""
    html = re.sub(r"(?s)<!--.*?-->|<(style|script|pre)\b.*?</\1>", " ", html)
    shown = " ".join(_SHOWN_ATTRIBUTES.findall(html)) + re.sub(r"<[^>]*>", " ", html)
    return plain_words(unescape(shown), values)
