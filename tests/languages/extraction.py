"""Read all messages of the package, and hold the catalogues against them: what developers do.

Templates are read by Jinja2's own extractor in the environment that renders them, code by Babel's
(`Text("…")` and `Text.for_count("…", "…", n)` mark a message).
"""

from __future__ import annotations

import io
import re
from contextlib import redirect_stderr
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

import pwless_middleware
from pwless_middleware.core.brand import Brand
from pwless_middleware.features.second_factors.sms.country_names import NAMES
from pwless_middleware.languages.languages import DASHBOARD
from pwless_middleware.rendering.renderer import Renderer
from tests.languages.audience import is_for_people

PACKAGE = Path(pwless_middleware.__file__).parent
FOLDER = PACKAGE / "languages" / "catalogues"
_PLACEHOLDERS_OF_HEADER = re.compile(
    r'^"(?:Project-Id|Report|POT|PO-Rev|Last|Language-Team|Generated)[^\n]*\n', re.MULTILINE
)
_PLACEHOLDER = re.compile(r"%\(\w+\)s|</?\w+[^>]*>")


@cache
def extract() -> Catalog:
    """Return a catalogue with every message of the package, sorted, with its places.

    Raises:
        ValueError: code has a text that is none to be translated: an f-string, or empty.
    """
    catalog = Catalog(project="pwless-middleware", charset="utf-8", fuzzy=False)
    with redirect_stderr(io.StringIO()) as warnings:  # where Babel tells of them
        code = list(
            extract_from_dir(
                PACKAGE,
                method_map=[("**.py", "python")],
                keywords={"Text": (1,), "for_count": (1, 2)},
                strip_comment_tags=True,
            )
        )
    if warnings.getvalue():
        raise ValueError(warnings.getvalue())
    for name, _, message, _, _ in code:
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
    """Read a `.po` file."""
    with file.open("rb") as opened:
        return read_po(opened, locale=language.replace("-", "_"))


def update(language: str) -> Catalog:
    """Bring a language's catalogue to the messages that there are, and write both of its files.

    A message that is new is empty; one that resembles an old one gets its translation, marked as
    fuzzy, to be looked at. A language without a dashboard needs no message of administrators;
    those that it has stay. Names of countries come from CLDR. `en` has none: it is the source.
    """
    file = FOLDER / f"{language}.po"
    messages = extract()
    if file.exists():
        catalog = read(file, language)
    else:
        catalog = Catalog(locale=language.replace("-", "_"), fuzzy=False)
    catalog.update(messages, update_creation_date=False)
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
    """Return the `.mo` file of a catalogue: what is translated, and not fuzzy."""
    made = io.BytesIO()
    write_mo(made, catalog)
    return made.getvalue()


def problems_of(language: str) -> list[str]:
    """Return what is wrong with a catalogue that is said to be complete."""
    catalog = read(FOLDER / f"{language}.po", language)
    found = []
    for message in needed(language):
        found += _problems(message, catalog.get(_key(message)))
    known = {_key(message) for message in extract()}
    found += [f"{_key(m)!r}: no text of ours" for m in catalog if _key(m) not in known]
    with (FOLDER / f"{language}.mo").open("rb") as opened:
        compiled = {_key(m): _forms(m) for m in read_mo(opened) if m.id}
    if compiled != {_key(m): _forms(m) for m in catalog if m.id}:
        found.append("the .mo does not fit its .po")
    return found


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _forms(message: Message) -> list[str]:
    string = message.string
    return [string] if isinstance(string, str) else list(string or [""])


def _problems(message: Message, ours: Message | None) -> list[str]:
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
    # A form for one may do without its number.
    several = message.id if isinstance(message.id, str) else message.id[1]
    wanted = sorted(_PLACEHOLDER.findall(several))
    return [
        f"{key!r}: has other placeholders than {text!r}"
        for text in texts
        if sorted(_PLACEHOLDER.findall(text)) != wanted
    ]
