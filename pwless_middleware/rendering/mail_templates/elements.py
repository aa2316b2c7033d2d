"""The elements and attributes that the HTML of a template may have, and what stands in each.

What is not here is refused. Nothing that is here loads anything but `img`, leads anywhere but `a`,
or takes what somebody types; none has text that is read in another way than as text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

VOID: Final = frozenset({"br", "hr", "img"})
"""Elements without an end."""

INLINE: Final = frozenset(
    ("a", "b", "bdi", "bdo", "code", "em", "i", "s", "small", "span", "strong", "sub", "sup", "u")
)
"""Elements that part no word from the next."""

_BLOCKS = "blockquote center div h1 h2 h3 h4 li ol p pre table tbody td tfoot th thead tr ul"

_NUMBER = re.compile(r"[0-9]{1,4}")
_LENGTH = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,2})?(?:px|%)?")
COLOR: Final = re.compile(r"#[0-9A-Fa-f]{3}|#[0-9A-Fa-f]{6}|[A-Za-z]{3,20}", re.ASCII)
_ALIGN = re.compile(r"left|right|center|justify")
_VALIGN = re.compile(r"top|middle|bottom|baseline")
_NAMES = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}(?: [A-Za-z][A-Za-z0-9_-]{0,39}){0,9}", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}", re.ASCII)
_DIRECTION = re.compile(r"ltr|rtl|auto")
_ROLE = re.compile(r"presentation|none|img|article|separator")
_TRUE_OR_FALSE = re.compile(r"true|false")

URL, TEXT, COLORS, DECLARATIONS = "url", "text", "color", "style"
"""Attributes that are read by more than a pattern."""

Kind = str | re.Pattern[str]

_EVERYWHERE: Final[Mapping[str, Kind]] = {
    "aria-hidden": _TRUE_OR_FALSE,
    "class": _NAMES,
    "dir": _DIRECTION,
    "lang": _LANGUAGE,
    "role": _ROLE,
    "style": DECLARATIONS,
}
_CELL: Final[Mapping[str, Kind]] = {
    "align": _ALIGN,
    "bgcolor": COLORS,
    "colspan": _NUMBER,
    "height": _LENGTH,
    "rowspan": _NUMBER,
    "valign": _VALIGN,
    "width": _LENGTH,
}
_OF: Final[Mapping[str, Mapping[str, Kind]]] = {
    "a": {"href": URL},
    "img": {"src": URL, "alt": TEXT, "border": _NUMBER, "height": _NUMBER, "width": _LENGTH},
    "table": {
        "align": _ALIGN,
        "bgcolor": COLORS,
        "border": _NUMBER,
        "cellpadding": _NUMBER,
        "cellspacing": _NUMBER,
        "height": _LENGTH,
        "width": _LENGTH,
    },
    "td": _CELL,
    "th": _CELL,
    "tr": {"align": _ALIGN, "bgcolor": COLORS, "valign": _VALIGN},
    "ol": {"start": _NUMBER},
    **{name: {"align": _ALIGN} for name in ("div", "h1", "h2", "h3", "h4", "p")},
}
ELEMENTS: Final[Mapping[str, Mapping[str, Kind]]] = {
    name: {**_EVERYWHERE, **_OF.get(name, {})} for name in {*VOID, *INLINE, *_BLOCKS.split()}
}
"""Element to its attributes."""
