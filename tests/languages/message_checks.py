"""What a translation must keep of its message, and what must not stand in it.

A reader of the language judges its words; these find what slips in while they are typed: another
placeholder, a stray `%`, a space at the end, a lost full stop, a letter of another script.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from gettext import c2py
from typing import Final

from babel.messages.plurals import get_plural

_PLACEHOLDER: Final = re.compile(r"%%|(%\(\w+\)s|</?\w+[^>]*>)")
_MARKS: Final = re.compile(r"[<>\"]|&(?:#|\w+;)")
"""What begins or ends an element, an attribute or an entity where a page takes a text as HTML."""
_ELEMENT: Final = re.compile(r"<(\w+)[^>]*>(.*?)</\1>")
_MARKUP: Final = re.compile(r"%\(\w+\)s|%%|<[^>]*>|&\w+;")
_ENDS: Final = {
    "full stop": ".。．।",
    "colon": ":：",
    "question mark": "?？؟;",
    "exclamation mark": "!！",
    "ellipsis": "…⋯",
}
_CLOSING: Final = "\"'”’»«“)）」』›"
_INVISIBLE: Final = frozenset(
    "\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u2060\ufeff"
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""Direction is the page's (`dir`, `<bdi>`), and where a line breaks is the browser's."""
_JOINERS: Final = {"hi": "\u200c\u200d", "fa": "\u200c"}
_NO_BREAK: Final = "\u00a0\u202f"
_WITH_NO_BREAK: Final = {"fr": re.compile(r"(?<=[«\d])[\u00a0\u202f]|[\u00a0\u202f](?=[:;!?»%€])")}
"""French sets such a space inside its quotes and before its high punctuation."""
_NUMBER_SPACE: Final = re.compile(r"(?<=\d)[\u00a0\u202f]|[\u00a0\u202f](?=[\d–—%])|(?<=s)\u00a0")
_SCRIPTS: Final = ("LATIN", "CYRILLIC", "GREEK")
"""Scripts whose letters look alike: a word of two of them was typed with the wrong keyboard."""
_WORD: Final = re.compile(r"[^\W\d_]+")
_RIGHT_TO_LEFT: Final = ("ar", "he")
_EAST_ASIAN: Final = ("ja", "ko", "zh-Hans", "zh-Hant")
_QUOTES_OF_OTHERS: Final = {
    "ja": "“”‘’",
    "ko": "“”「」『』",
    "zh-Hans": "‘’「」『』",
    "zh-Hant": "“”‘’",
}
"""East Asian languages have marks of their own: 「」 in Japan and Taiwan, “” in China."""
_KOREAN_PARTICLE: Final = re.compile(
    r"%\(\w{2,}\)s(?:은|는|이|가|을|를|과|와|으로|로)(?=[\s.,?]|$)"
)
"""Each of these follows a vowel or a consonant, and a value may end in either.

A noun goes between. A name of one letter opens an element: `%(a)s`.
"""
_ABBREVIATION: Final = re.compile(r"[A-ZА-ЯΑ-Ω]\.$")

SAME_EVERYWHERE: Final = frozenset(
    {
        *("ACS URL", "Active Directory Federation Services (AD FS)", "DKIM", "DMARC", "DNS"),
        *("HTML", "NameID", "SPF", "you@example.com", "%(n)s s", "%(time)s UTC"),
        "%(day)s %(month)s %(year)s, %(time)s UTC",
    }
)
"""Names of techniques and products, and patterns, which a language may write as English does."""
SAME_IN_SOME: Final = frozenset(
    {
        *("Account", "Actions", "Admin", "April", "Audience", "August", "Browser", "Code"),
        *("Color", "Dashboard", "Desktop", "Destination", "Domain", "Domains"),
        *("Error %(status)s", "Error:", "Id", "Invitation", "Invitations", "Issuer", "Link"),
        *("Links", "Live", "Logo", "Mailbox", "Menu", "Messages", "minutes", "Name", "November"),
        *("Operator", "Pages", "Passkey", "Passkeys", "Pause", "Person", "Provider", "Role"),
        *("Scopes", "Secret", "September", "Server", "Session", "Sessions", "Subject", "Support"),
        *("Test", "Test: %(subject)s", "Text", "Version", "Version %(version)s", "Versions"),
        *("Webhook", "Webhooks", "%(name)s (beta)"),
    }
)
"""Words that some language in Latin letters shares with English."""
_NUMBER: Final = "%(n)s"
_IN_LATIN: Final = frozenset(
    {"cs", "da", "de", "es", "fr", "id", "it", "nl", "pl", "pt-BR", "sv", "tr", "vi"}
)


def placeholders_of(text: str) -> list[str]:
    """Return the placeholders and elements of a text, sorted."""
    return sorted(filter(None, _PLACEHOLDER.findall(text)))


def problems_of_texts(ids: Sequence[str], texts: Sequence[str], language: str) -> Iterator[str]:
    """Return what is wrong with the translation of one message.

    Args:
        ids: the message, or its singular and plural.
        texts: the translation, or its forms.
        language: its code; empty looks at placeholders alone.
    """
    several = ids[-1]
    for form, text in enumerate(texts):
        wanted = placeholders_of(several)
        if _NUMBER in wanted and _NUMBER not in text and _is_of_one_number(form, texts, language):
            wanted.remove(_NUMBER)
        if placeholders_of(text) != wanted:
            yield f"has other placeholders than {text!r}"
        elif _elements_of(text) != _elements_of(several):
            yield f"has other placeholders within its elements than {text!r}"
        elif sorted(_MARKS.findall(text)) != sorted(_MARKS.findall(several)):
            yield f'has another number of <, >, " or entities than {text!r}'
        if not language:
            continue
        if _percents(text) != _percents(several):
            yield f"has another number of % than {text!r}: a plain one is written %%"
        if _outer_space(text) != _outer_space(several):
            yield f"begins or ends with other spaces than {text!r}"
        if not _ends_alike(several, text, language):
            ends = _end_of(several) or "nothing"
            yield f"ends with {ends}, {text!r} with {_end_of(text) or 'nothing'}"
        yield from (f"{what}: {text!r}" for what in _odd_characters(text, language))


def _is_of_one_number(form: int, texts: Sequence[str], language: str) -> bool:
    """Whether a form is that of a single number, which its words then may say: “two minutes”."""
    if len(texts) < 2 or not language:
        return False
    form_of = c2py(get_plural(language.replace("-", "_")).plural_expr)
    return [form_of(n) for n in range(1001)].count(form) == 1


def is_untranslated(ids: Sequence[str], texts: Sequence[str], language: str) -> bool:
    """Whether a message stands in a catalogue as it is in English, and should not."""
    if any(text not in ids for text in texts) or not _WORD.search(_MARKUP.sub("", ids[0])):
        return False
    may = ids[0] in SAME_EVERYWHERE or (language in _IN_LATIN and ids[0] in SAME_IN_SOME)
    return not may


def _elements_of(text: str) -> list[tuple[str, list[str]]]:
    return sorted((name, placeholders_of(inner)) for name, inner in _ELEMENT.findall(text))


def _percents(text: str) -> int:
    return re.sub(r"%\(\w+\)s|%%", "", text).count("%")


def _outer_space(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def _end_of(text: str) -> str | None:
    bare = re.sub(r"</?\w+[^>]*>", "", text).rstrip().rstrip(_CLOSING).rstrip()
    return next((name for name, ends in _ENDS.items() if bare and bare[-1] in ends), None)


def _ends_alike(message: str, text: str, language: str) -> bool:
    ours, theirs = _end_of(message), _end_of(text)
    if ours == theirs:
        return True
    if ours is None:
        return theirs == "full stop" and _ABBREVIATION.search(text) is not None
    if language in _EAST_ASIAN:  # which say with a full stop, or a noun, what English leads in
        return True
    # A full stop behind a number or an address would come to stand before it.
    return language in _RIGHT_TO_LEFT and theirs is None and text.rstrip()[-1].isascii()


def _odd_characters(text: str, language: str) -> Iterator[str]:
    allowed = _JOINERS.get(language, "")
    for char in text:
        if char in _INVISIBLE or (char in "\u200c\u200d" and char not in allowed):
            yield f"holds {unicodedata.name(char, hex(ord(char)))}"
        elif unicodedata.category(char) in ("Cc", "Co", "Cs", "Cn"):
            yield f"holds U+{ord(char):04X}"
    rest = _NUMBER_SPACE.sub("", text)
    if language in _WITH_NO_BREAK:
        rest = _WITH_NO_BREAK[language].sub("", rest)
    if any(char in rest for char in _NO_BREAK):
        yield "holds a no-break space where none belongs"
    if any(char in rest for char in _QUOTES_OF_OTHERS.get(language, "")):
        yield "holds quotation marks of another language"
    if language == "ko" and _KOREAN_PARTICLE.search(text):
        yield "holds a particle right behind a value"
    if "  " in text.strip():
        yield "holds two spaces in a row"
    if text != unicodedata.normalize("NFC", text):
        yield "is not in the composed form (NFC)"
    if text.isascii():
        return
    for word in _WORD.findall(_MARKUP.sub(" ", text)):
        if len(scripts := {_script_of(char) for char in word} - {""}) > 1:
            yield f"mixes {' and '.join(sorted(scripts))} in {word!r}"


def _script_of(char: str) -> str:
    name = unicodedata.name(char, "")
    return next((script for script in _SCRIPTS if name.startswith(script)), "")
