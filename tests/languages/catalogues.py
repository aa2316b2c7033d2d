"""Write small catalogues for a test: the compiled format of gettext, by Babel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

TWO_FORMS = "nplurals=2; plural=(n != 1);"


def write_catalogue(
    file: Path,
    messages: Mapping[str | tuple[str, str], str | Sequence[str]],
    *,
    plural_forms: str = TWO_FORMS,
) -> None:
    """Write a `.mo` file.

    Args:
        file: where; its folder is made.
        messages: message, or message and plural, to the translation or the translated forms.
        plural_forms: the header of that name.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    header = f'msgid ""\nmsgstr ""\n"Plural-Forms: {plural_forms}\\n"\n'
    catalog: Catalog = read_po(header.splitlines(keepends=True))
    for key, translation in messages.items():
        found = translation if isinstance(translation, str) else tuple(translation)
        catalog.add(key, found)
    with file.open("wb") as opened:
        write_mo(opened, catalog)
