"""What both generated pages are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from demo_app.guide_site.markdown import slug

NOTE = (
    "<!-- Written by `python -m tests.guide`: change the code that it tells of, not this page. -->"
)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, with what would end a cell escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("\\|", "|").replace("|", "\\|").split())


def link(text: str, heading: str) -> str:
    """Return a link to a heading of the same page."""
    return f"[{text}](#{slug(heading)})"
