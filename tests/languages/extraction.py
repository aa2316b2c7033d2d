"""Read all messages of the package, and hold the catalogues against them: what developers do.

Templates are read by Jinja2's own extractor in the environment that renders them, code by Babel's
(`Text("…")` and `Text.for_count("…", "…", n)` mark a message).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import redirect_stderr
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

import pwless_middleware
from pwless_middleware.core.brand import Brand
from pwless_middleware.features.second_factors.sms.country_names import NAMES
from pwless_middleware.languages.languages import DASHBOARD
from pwless_middleware.rendering.renderer import Renderer
from tests.languages.audience import is_for_people
from tests.languages.message_checks import is_untranslated, problems_of_texts

PACKAGE = Path(pwless_middleware.__file__).parent
FOLDER = PACKAGE / "languages" / "catalogues"
_PLACEHOLDERS_OF_HEADER = re.compile(
    r'^"(?:Project-Id|Report|POT|PO-Rev|Last|Language-Team|Generated)[^\n]*\n', re.MULTILINE
)


_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
_LINE = re.compile(r'(?:#.*|(?:msg(?:id|id_plural|str|str\[\d\]) )?"(?:[^"\\]|\\.)*")?')


@cache
def extract() -> Catalog:
    """Return a catalogue with every message of the package, sorted, with its places.

    Raises:
        ValueError: code has a text that is none to be translated: an f-string, or empty.
    """
    catalog = Catalog(project="pwless-middleware", charset="utf-8", fuzzy=False)
    keywords: dict[str, Any] = {"Text": (1,), "for_count": (1, 2)}
    code = []
    with redirect_stderr(io.StringIO()) as warnings:  # where Babel tells of them
        for file in sorted(PACKAGE.rglob("*.py")):
            if re.search(r"\b(?:Text|for_count)\(", file.read_text("utf-8")):  # the rest takes long
                name = file.relative_to(PACKAGE).as_posix()
                code += [(name, m[1]) for m in extract_from_file("python", str(file), keywords)]
    if warnings.getvalue():
        raise ValueError(warnings.getvalue())
    for name, message in code:
        catalog.add(message, locations=[(name, 1)])
    env: Any = Renderer(brand=Brand("x"), templates=None, prefix="/auth")._env
    templates = PACKAGE / "templates"
    for file in sorted(templates.rglob("*")):
        if file.is_file():
            name = f"templates/{file.relative_to(templates)}"
            for _, _, found in env.extract_translations(file.read_text("utf-8")):
                ids = [part for part in (found if isinstance(found, tuple) else [found]) if part]
                if ids:  # a template may translate a `Text` that code has made
                    catalog.add(tuple(ids) if len(ids) > 1 else ids[0], locations=[(name, 1)])
    return catalog


def needed(language: str) -> list[Message]:
    """Return the messages that a language has to have: all, or those that people read."""
    whole = language in DASHBOARD
    return [m for m in extract() if m.id and (whole or is_for_people(m))]


def read(file: Path, language: str) -> Catalog:
    """Read a `.po` file.

    Raises:
        ValueError: a line is malformed, which Babel mostly passes over.
    """
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if not _LINE.fullmatch(line):
            raise ValueError(f"{file.name}, line {number}: {line!r}")
    with file.open("rb") as opened:
        return read_po(opened, locale=language.replace("-", "_"), abort_invalid=True)


def update(language: str) -> Catalog:
    """Bring a language's catalogue to the messages that there are, and write both of its files.

    A message that is new or changed is empty: what resembles an old one mostly says something else.
    A language without a dashboard needs no message of administrators; those that it has stay. Names
    of countries come from CLDR. `en` has none: it is the source.
    """
    file = FOLDER / f"{language}.po"
    messages = extract()
    if file.exists():
        catalog = read(file, language)
    else:
        catalog = Catalog(locale=language.replace("-", "_"), fuzzy=False)
    catalog.update(messages, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    wanted = {_key(message) for message in needed(language)}
    for message in [m for m in catalog if m.id and _key(m) not in wanted]:
        if message.fuzzy or not any(_forms(message)):
            catalog.delete(message.id)
    territories = Locale.parse(language, sep="-").territories
    for code, name in NAMES.items():
        if catalog[name].fuzzy or not catalog[name].string:
            catalog[name].flags.discard("fuzzy")
            catalog[name].string = territories.get(code, "")
    FOLDER.mkdir(exist_ok=True)
    write(catalog, file)
    return catalog


def write(catalog: Catalog, file: Path) -> None:
    """Write a `.po` and its `.mo`. Of the header stands there what a reader of the file needs."""
    made = io.BytesIO()
    catalog.header_comment = f"# The texts of pwless-middleware, language {file.stem}."
    write_po(made, catalog, width=100, include_lineno=False, sort_output=True)
    text = _PLACEHOLDERS_OF_HEADER.sub("", made.getvalue().decode())
    file.write_text(text, "utf-8")
    file.with_suffix(".mo").write_bytes(compile_catalog(catalog))


def compile_catalog(catalog: Catalog) -> bytes:
    """Return the `.mo` file of a catalogue: what is translated, and not fuzzy.

    It is the same bytes each time.
    """
    made = io.BytesIO()
    catalog.creation_date = catalog.revision_date = _NO_DATE
    empty = [message for message in catalog if message.id and not any(_forms(message))]
    forms = [message.string for message in empty]
    for message in empty:
        message.string = ""  # Babel would write forms that are empty in English
    write_mo(made, catalog)
    for message, string in zip(empty, forms, strict=True):
        message.string = string
    return made.getvalue()


def problems_of(language: str) -> list[str]:
    """Return what is wrong with a catalogue that is said to be complete."""
    catalog = read(FOLDER / f"{language}.po", language)
    found = [f"{error}" for error in _structure(catalog, language)]
    for message in needed(language):
        ours = catalog.get(_key(message))
        found += _problems(message, ours, language)
        if ours is not None and _is_untranslated(message, ours, language):
            found.append(f"{_key(message)!r}: is English")
    known = {_key(message) for message in extract()}
    found += [f"{_key(m)!r}: no text of ours" for m in catalog if _key(m) not in known]
    with (FOLDER / f"{language}.mo").open("rb") as opened:
        compiled = {_key(m): _forms(m) for m in read_mo(opened) if m.id}
    if compiled != {_key(m): _forms(m) for m in catalog if m.id and not m.fuzzy and any(_forms(m))}:
        found.append("the .mo does not fit its .po")
    return found


def _structure(catalog: Catalog, language: str) -> Iterator[str]:
    """Return what is wrong with a catalogue as a whole."""
    ours = Catalog(locale=language.replace("-", "_"))
    if catalog.plural_forms != ours.plural_forms:
        yield f"Plural-Forms: {catalog.plural_forms}, and not {ours.plural_forms}"
    for message in catalog:
        if message.id and len(_forms(message)) not in (1, catalog.num_plurals):
            yield f"{_key(message)!r}: {len(_forms(message))} forms, and not {catalog.num_plurals}"


def _is_untranslated(message: Message, ours: Message, language: str) -> bool:
    if _key(message) in NAMES.values():
        return False  # CLDR says how a country is called
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    return is_untranslated(ids, _forms(ours), language)


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _forms(message: Message) -> list[str]:
    string = message.string
    return [string] if isinstance(string, str) else list(string or [""])


def _problems(message: Message, ours: Message | None, language: str = "") -> list[str]:
    key = _key(message)
    if ours is None:
        return [f"{key!r}: missing"]
    if ours.fuzzy:
        return [f"{key!r}: fuzzy"]
    texts = _forms(ours)
    if not all(texts):
        return [f"{key!r}: missing"]
    if isinstance(message.id, str) != isinstance(ours.string, str):
        return [f"{key!r}: plural"]
    ids = [message.id] if isinstance(message.id, str) else list(message.id)
    return [f"{key!r}: {problem}" for problem in problems_of_texts(ids, texts, language)]
