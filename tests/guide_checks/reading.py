"""The README, the guide and what else is written for people, taken apart for the checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from markdown_it.token import Token

from demo_app.guide_site.markdown import Page, parse
from tests.guide import FOLDER, ROOT
from tests.reference.pages import GENERATED

GUIDE: Final = [ROOT / "README.md", *sorted(FOLDER.glob("*.md"))]
"""The README, and the pages of the guide."""
WRITTEN: Final = [file for file in GUIDE if file.stem not in GENERATED]
"""Those that somebody has written."""
EVERYTHING: Final = [
    *GUIDE,
    *sorted((ROOT / ".github").rglob("*.md")),
    *(file for file in sorted((ROOT / "tests").rglob("*.md")) if ".venv" not in file.parts),
]
"""Every page whose links lead somewhere."""


@dataclass(frozen=True)
class Block:
    """Hold one block of code.

    Attributes:
        file: the page.
        line: where it begins.
        language: what it is marked with; empty for nothing.
        text: the code.
    """

    file: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.file.name}:{self.line}"


@cache
def read(file: Path) -> Page:
    """Return a page, parsed."""
    return parse(file.stem, file.read_text("utf-8"))


def blocks(*languages: str) -> list[Block]:
    """Return the blocks of these languages, or all, of what somebody has written."""
    found = []
    for file in WRITTEN:
        for token in read(file).tokens:
            if token.type in ("fence", "code_block"):
                line = token.map[0] + 1 if token.map else 0
                language = token.info.strip()
                if not languages or language in languages:
                    found.append(Block(file, line, language, token.content))
    return found


@cache
def inline_code() -> dict[str, set[str]]:
    """Return every piece of code within a sentence, and the pages that have it."""
    found: dict[str, set[str]] = {}
    for file in WRITTEN:
        for token in children(read(file)):
            if token.type == "code_inline":
                found.setdefault(token.content, set()).add(file.name)
    return found


def children(page: Page) -> Iterator[Token]:
    """Return what the sentences of a page are made of."""
    for token in page.tokens:
        yield from token.children or ()
