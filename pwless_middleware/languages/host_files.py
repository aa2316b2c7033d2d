"""The catalogues of a host's own folder, read and checked as the app starts.

What is wrong in one would show with the first page that needs the message, to whoever reads it: a
text that names a value which there is not cannot be filled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from struct import unpack
from typing import TYPE_CHECKING, Any, Final

from pwless_middleware.errors import ConfigError

if TYPE_CHECKING:
    from gettext import GNUTranslations

_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
"""A tag as `lang` attributes hold it (RFC 5646 §2.1): `pt_BR` is a locale."""
_LONGEST_TAG: Final = 35
"""Characters that the cookie of the chosen language takes (RFC 5646 §4.4.1)."""
_VALUE: Final = re.compile(r"%\((\w+)\)s")
_FILLED: Final = re.compile(r"%%|%\(\w+\)s")
_BREAKING_MAIL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters, which a subject cannot hold; of tabs and line ends it makes a space."""
_NUMBERS: Final = 201
"""Numbers that a plural rule is tried with, from 0: rules look at the last two digits (CLDR)."""


def read_host_files(folder: Path, ours: Sequence[str] = ()) -> Mapping[str, GNUTranslations]:
    """Return the translations of a folder's `.mo` files, by language.

    Args:
        folder: where they lie; it need not be there.
        ours: the codes of our own languages, which a file for one of them is named by.

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
    found: dict[str, GNUTranslations] = {}
    names = {code.lower(): code for code in ours}
    for file in sorted(folder.glob("*.mo")):
        name = names.setdefault(file.stem.lower(), file.stem)
        if name != file.stem:
            raise ConfigError("templates", f"rename {file} to {name}.mo, as the language is known")
        found[name] = _read(file)
    return found


def _read(file: Path) -> GNUTranslations:
    from gettext import GNUTranslations  # with the first of them

    if not _TAG.fullmatch(file.stem) or len(file.stem) > _LONGEST_TAG:
        raise ConfigError("templates", f"name {file} by its language: a tag such as fi or pt-PT")
    try:
        with file.open("rb") as opened:
            found = GNUTranslations(opened)
        values = _values_of(file.read_bytes(), found.charset() or "ascii")
    except Exception as error:  # OSError, ValueError, struct.error, LookupError: it is no such file
        raise ConfigError(
            "templates",
            f"{file} cannot be read: make it anew from its .po, in UTF-8: msgfmt -o {file.name} "
            f"{file.stem}.po ({type(error).__name__})",
        ) from error
    for problem in _problems(found, values):
        raise ConfigError("templates", f"correct {file}: {problem}")
    return found


def _values_of(content: bytes, charset: str) -> Mapping[str, set[str]]:
    """Return what each message of a file names, its plural too, which gettext drops.

    The file's format: gettext manual, "The Format of GNU MO Files".
    """
    order = "<" if content.startswith(b"\xde\x12\x04\x95") else ">"
    count, table = unpack(f"{order}II", content[8:16])
    found: dict[str, set[str]] = {}
    for at in range(table, table + 8 * count, 8):
        length, start = unpack(f"{order}II", content[at : at + 8])
        message = content[start : start + length].decode(charset)
        found[message.partition("\0")[0]] = set(_VALUE.findall(message))
    return found


def _problems(translations: GNUTranslations, values: Mapping[str, set[str]]) -> Iterator[str]:
    read: Any = translations  # whose parts the types do not name
    try:
        for n in range(_NUMBERS):
            read.plural(n)
    except (ArithmeticError, ValueError) as error:
        yield f"its plural rule fails ({error})"
    for key, text in read._catalog.items():
        message = key if isinstance(key, str) else key[0]
        if not message:
            continue  # the header
        for name in sorted(set(_VALUE.findall(text)) - values.get(message, set())):
            yield f"the text for {message!r} names %({name})s, which there is not"
        if _has_stray_percent(text) and not _has_stray_percent(message):
            yield f"the text for {message!r} has a single %; write %%"
        if control := _BREAKING_MAIL.search(text):
            yield f"the text for {message!r} holds U+{ord(control[0]):04X}"


def _has_stray_percent(text: str) -> bool:
    return "%" in _FILLED.sub("", text)
