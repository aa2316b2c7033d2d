"""Every text that stands in a heading of the guide's page for troubleshooting is in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.guide import PAGES, ROOT

HEADINGS = [
    heading
    for heading in re.findall(r"^### `([^`]+)`$", PAGES["troubleshooting"], re.MULTILINE)
    if " " in heading
]
_END = "\0"
CATALOGUE = ROOT / "pwless_middleware" / "languages" / "catalogues" / "de.po"


def literal(node: ast.AST) -> str | None:
    """Return a text as it stands in the code, with `…` for what is filled in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(literal(value) or "…" for value in node.values)
    return None


@cache
def sources() -> dict[Path, str]:
    return {path: path.read_text("utf-8") for path in (ROOT / "pwless_middleware").rglob("*.py")}


@cache
def texts_of(path: Path) -> list[str]:
    found = map(literal, ast.walk(ast.parse(sources()[path])))
    return [text for text in found if text is not None and " " in text]


@cache
def messages() -> str:
    """Return every message of the catalogue, those of the templates among them."""
    found = re.findall(r'^msgid ((?:".*"\n)+)', CATALOGUE.read_text("utf-8"), re.MULTILINE)
    return _END.join(
        "".join(ast.literal_eval(line) for line in lines.splitlines()) for lines in found
    )


def texts(heading: str) -> Iterator[str]:
    """Yield the messages, and the texts of files that may have a heading's longest part."""
    yield messages()
    part = max(heading.split("…"), key=len).strip()
    windows = [part[n : n + 24] for n in range(0, max(1, len(part) - 23), 8)]
    for path, source in sources().items():
        if any(window in source for window in windows):
            yield _END.join(texts_of(path))
            yield "\n".join(texts_of(path))  # a text that is put together of two


def pattern(heading: str) -> re.Pattern[str]:
    """Return what finds a text that has the parts of a heading in their order."""
    parts = [re.escape(part.strip()) for part in heading.split("…")]
    return re.compile(f"[^{_END}]*".join(parts))


def test_a_heading_is_found_by_its_parts_in_their_order() -> None:
    text = "mail server %s cannot be used: %s"
    assert pattern("mail server … cannot be used: …").search(text)
    assert not pattern("cannot be used … mail server").search(text)
    assert not pattern("mail server … cannot").search(f"mail server{_END}cannot")
    assert len(HEADINGS) > 80


def test_every_text_that_a_heading_names_is_in_the_code() -> None:
    for heading in HEADINGS:
        assert len(re.sub(r"[^a-z]", "", heading)) >= 12, heading
        problem = re.sub(r"^[\w.]+: ", "", heading)  # behind the option's name
        looked_for = [pattern(heading), pattern(problem)]
        assert any(one.search(text) for text in texts(problem) for one in looked_for), heading
