"""The colors of code: classes, no styles, for the demo's Content-Security-Policy allows none."""

from __future__ import annotations

from html import escape

_KINDS = (
    ("Comment", "c"),
    ("Literal.String.Doc", "c"),
    ("Keyword", "k"),
    ("Operator.Word", "k"),
    ("Name.Builtin.Pseudo", "k"),
    ("Name.Tag", "k"),
    ("Literal.String", "s"),
    ("Literal.Number", "n"),
    ("Literal.Date", "n"),
    ("Name.Decorator", "d"),
    ("Name.Attribute", "d"),
    ("Name.Variable", "d"),
    ("Name.Function", "f"),
    ("Name.Class", "f"),
    ("Name.Builtin", "f"),
    ("Name.Exception", "f"),
)
"""Pygments' kinds of tokens, the narrower before the wider, and our class of each."""


def highlight(code: str, language: str) -> str:
    """Return the HTML of some code.

    Args:
        code: as it is copied.
        language: what the block names; empty, or one that Pygments does not know, is left plain.
    """
    # Not for who never opens the guide: Pygments takes a tenth of a second to load.
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escape(code, quote=False)
    parts: list[str] = []
    for kind, text in lexer.get_tokens(code):
        name = str(kind).removeprefix("Token.")
        found = next((ours for theirs, ours in _KINDS if name.startswith(theirs)), None)
        shown = escape(text, quote=False)
        parts.append(f'<span class="{found}">{shown}</span>' if found and text.strip() else shown)
    return "".join(parts)
