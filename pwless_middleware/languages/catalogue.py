"""The texts of one language."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pwless_middleware.text import Text

if TYPE_CHECKING:
    from gettext import NullTranslations

_RIGHT_TO_LEFT: Final = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})
_UNITS: Final = (
    # As `text.duration_text` has them.
    ("%(n)s second", "%(n)s seconds"),
    ("%(n)s minute", "%(n)s minutes"),
    ("%(n)s hour", "%(n)s hours"),
)
_COUNTED: Final = 91
"""Durations in words have at most 90 of a unit."""


def direction_of(code: str) -> str:
    """Return `ltr` or `rtl`, which a language is written in."""
    return "rtl" if code.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"


class Catalogue:
    """The messages of one language.

    Args:
        code: its BCP 47 tag, e.g. `de` or `pt-BR`; what `lang` attributes hold.
        load: reads its translations, with the first message that is asked for; `None` for the
            source itself, English.

    Attributes:
        code: as given.
        direction: `ltr` or `rtl`, for `dir` attributes.
    """

    def __init__(self, code: str, load: Callable[[], NullTranslations] | None = None) -> None:
        self.code = code
        self.direction = direction_of(code)
        self._load = load

    @cached_property
    def _translations(self) -> NullTranslations | None:
        return self._load() if self._load is not None else None

    def gettext(self, message: str) -> str:
        """Return the translation of a message; itself where there is none."""
        found = self._translations
        # The entry of the empty message is the catalogue's header.
        return message if found is None or not message else found.gettext(message)

    def ngettext(self, one: str, several: str, count: int) -> str:
        """Return the translation of a message in the form for a number."""
        found = self._translations
        if found is None:
            return one if count == 1 else several
        return found.ngettext(one, several, count)

    def translate(self, text: str) -> str:
        """Return a text in this language; a `Text` with its values, which are translated too."""
        if not isinstance(text, Text):
            return self.gettext(text)
        if text.plural is None:
            message = self.gettext(text.message)
        else:
            message = self.ngettext(text.message, text.plural, text.number)
        if not text.values:
            return message
        values = text.values.items()
        return message % {k: self.translate(v) if isinstance(v, Text) else v for k, v in values}

    @cached_property
    def durations(self) -> str:
        """What the pages' script needs to write durations as they run down, as JSON.

        `forms` has the plural forms of the units (seconds, minutes, hours); `of` has for each
        number, from 0, the place of its form, and its last one is that of all higher numbers. So
        no plural rule is needed in the browser.
        """
        forms: dict[tuple[str, ...], str] = {}
        of = ""
        for n in range(_COUNTED):
            form = tuple(self.ngettext(*unit, n).replace("%(n)s", "#") for unit in _UNITS)
            of += forms.setdefault(form, str(len(forms)))
        of = of.rstrip(of[-1]) + of[-1]
        data = {"forms": list(forms), "of": of}
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


ENGLISH: Final = Catalogue("en")
"""The source."""
