"""The languages' own names, as people look for theirs in a list."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pwless_middleware.languages.catalogue import direction_of
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.languages import is_beta
from pwless_middleware.text import Text

# As CLDR 46 has them ("Languages", each in its own locale), with a capital where a list begins so.
_NAMES: Final[Mapping[str, str]] = {
    "ar": "العربية",
    "bg": "Български",
    "ca": "Català",
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "es": "Español",
    "et": "Eesti",
    "fa": "فارسی",
    "fi": "Suomi",
    "fr": "Français",
    "he": "עברית",
    "hi": "हिन्दी",
    "hr": "Hrvatski",
    "hu": "Magyar",
    "id": "Indonesia",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "lt": "Lietuvių",
    "lv": "Latviešu",
    "nb": "Norsk bokmål",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt": "Português",
    "pt-br": "Português (Brasil)",
    "ro": "Română",
    "ru": "Русский",
    "sk": "Slovenčina",
    "sl": "Slovenščina",
    "sr": "Српски",
    "sv": "Svenska",
    "th": "ไทย",
    "tr": "Türkçe",
    "uk": "Українська",
    "ur": "اردو",
    "vi": "Tiếng Việt",
    "zh-hans": "简体中文",
    "zh-hant": "繁體中文",
}


def name_of(code: str) -> str:
    """Return what a language calls itself; of one that is not known here, its code."""
    lowered = code.lower()
    return _NAMES.get(lowered) or _NAMES.get(lowered.partition("-")[0]) or code


@dataclass(frozen=True, slots=True)
class LanguageName:
    """A language in a list of those that can be chosen.

    Attributes:
        code: its tag.
        name: what it calls itself.
        direction: `ltr` or `rtl`.
        is_beta: whether no native speaker has reviewed its translation yet.
    """

    code: str
    name: str
    direction: str
    is_beta: bool

    @property
    def label(self) -> str:
        """The name, with a mark where the translation is not reviewed."""
        return translate(Text("%(name)s (beta)", name=self.name)) if self.is_beta else self.name


def language_names(codes: Iterable[str]) -> tuple[LanguageName, ...]:
    """Return languages in the order in which people look for theirs: by their own names."""
    found = [LanguageName(c, name_of(c), direction_of(c), is_beta(c)) for c in codes]
    return tuple(sorted(found, key=lambda one: _sort_key(one.name)))


def _sort_key(name: str) -> str:
    """Return a name without its accents: `Čeština` stands by the C, and other scripts come last."""
    letters = unicodedata.normalize("NFD", name)
    return "".join(c for c in letters if not unicodedata.combining(c)).casefold()
