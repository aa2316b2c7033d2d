"""The catalogues of a host's own folder, read and checked as the app starts.

What is wrong in one would show with the first page that needs the message, to whoever reads it: a
text that names a value which there is not cannot be filled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pwless_middleware.errors import ConfigError
from pwless_middleware.languages.negotiation import LANGUAGE_TAG

if TYPE_CHECKING:
    from gettext import GNUTranslations

_VALUE: Final = re.compile(r"%\((\w+)\)s")
_OF_COUNTS: Final = frozenset({"n", "num"})
"""What every message with a number is given."""
_NUMBERS: Final = 201
"""Numbers that a plural rule is tried with, from 0: rules look at the last two digits (CLDR)."""


def read_host_files(folder: Path) -> Mapping[str, GNUTranslations]:
    """Return the translations of a folder's `.mo` files, by language.

    Raises:
        ConfigError: one of them cannot be read, or would break a page; or a `.po` was not compiled.
    """
    if not folder.is_dir():
        return {}
    for file in sorted(folder.glob("*.po")):
        if not file.with_suffix(".mo").is_file():
            raise ConfigError(
                "templates", f"compile {file}: msgfmt -o {file.stem}.mo {file.name}; .mo is read"
            )
    return {file.stem: _read(file) for file in sorted(folder.glob("*.mo"))}


def _read(file: Path) -> GNUTranslations:
    from gettext import GNUTranslations  # with the first of them

    if not re.fullmatch(LANGUAGE_TAG, file.stem):
        raise ConfigError("templates", f"name {file} by its language: a tag such as fi or pt-PT")
    try:
        with file.open("rb") as opened:
            found = GNUTranslations(opened)
    except Exception as error:  # OSError, ValueError, struct.error, LookupError: it is no such file
        raise ConfigError(
            "templates",
            f"{file} cannot be read: make it anew from its .po, in UTF-8: msgfmt -o {file.name} "
            f"{file.stem}.po ({type(error).__name__})",
        ) from error
    for problem in _problems(found):
        raise ConfigError("templates", f"correct {file}: {problem}")
    return found


def _problems(translations: GNUTranslations) -> Iterator[str]:
    read: Any = translations  # whose parts the types do not name
    try:
        for n in range(_NUMBERS):
            read.plural(n)
    except (ArithmeticError, ValueError) as error:
        yield f"its plural rule fails ({error})"
    for key, text in read._catalog.items():
        message, values = (key, set()) if isinstance(key, str) else (key[0], set(_OF_COUNTS))
        if not message:
            continue  # the header
        values.update(_VALUE.findall(message))
        for name in sorted(set(_VALUE.findall(text)) - values):
            yield f"the text for {message!r} names %({name})s, which there is not"
        if _has_stray_percent(text) and not _has_stray_percent(message):
            yield f"the text for {message!r} has a single %; write %%"


def _has_stray_percent(text: str) -> bool:
    return "%" in _VALUE.sub("", text).replace("%%", "")
