"""What a `style` attribute may hold: plain properties of one element, and nothing that loads.

Not a list of what is dangerous but of what is known: no function but colors, no escape, no at-rule,
so that neither `url()`, `image-set()`, `expression()` nor anything that CSS will get is among it.
"""

from __future__ import annotations

import re
from typing import Final

from pwless_middleware.rendering.mail_templates.language import PLACEHOLDERS
from pwless_middleware.rendering.mail_templates.nodes import Refused
from pwless_middleware.text import Text

PROPERTIES: Final = frozenset(
    """
    background background-color border border-bottom border-bottom-color border-bottom-left-radius
    border-bottom-right-radius border-bottom-style border-bottom-width border-collapse border-color
    border-left border-left-color border-left-style border-left-width border-radius border-right
    border-right-color border-right-style border-right-width border-spacing border-style border-top
    border-top-color border-top-left-radius border-top-right-radius border-top-style
    border-top-width border-width box-sizing clear color direction display float font font-family
    font-size font-style font-variant font-weight height hyphens letter-spacing line-height
    list-style-type margin margin-bottom margin-left margin-right margin-top max-height max-width
    min-height min-width mso-line-height-rule mso-padding-alt mso-table-lspace mso-table-rspace
    opacity outline overflow overflow-wrap padding padding-bottom padding-left padding-right
    padding-top table-layout text-align text-decoration text-decoration-color text-indent
    text-transform vertical-align visibility white-space width word-break word-spacing
    word-wrap
    """.split()  # noqa: SIM905 # one a line would be a page and a half
)
_COLOR = re.compile(r"\b(?:rgb|rgba|hsl|hsla)\([0-9.,%/ deg-]*\)", re.IGNORECASE)
_VALUE = re.compile(r"[A-Za-z0-9#%.,+\-'\"! /]+", re.ASCII)
# Not `inline`: words of two blocks that look like one word are read as two (`links`).
_DISPLAY = re.compile("(?:block|none|inline-block|table|table-row|table-cell) *(?:! *important)?")
_PLACE = re.compile(f"[{PLACEHOLDERS}]")
_MOST: Final = 2000


def read_style(value: str, line: int) -> str:
    """Return the declarations of a `style` attribute, each ended by a semicolon.

    Args:
        value: as it was typed, after HTML's references; a placeholder stands for a color.
        line: where it stands.

    Raises:
        Refused: a property or a value is not admitted.
    """
    if len(value) > _MOST:
        raise Refused(line, Text("This style is too long: %(n)s characters at most.", n=_MOST))
    found: list[str] = []
    for declaration in value.split(";"):
        if not declaration.strip(" \t\n"):
            continue
        name, _, text = (part.strip(" \t\n") for part in declaration.partition(":"))
        if name.lower() not in PROPERTIES:
            raise Refused(line, Text("A style cannot set %(name)s.", name=name[:60]))
        text = re.sub(r"[ \t\n]+", " ", text)
        plain = _PLACE.sub("0", _COLOR.sub("0", text))
        is_plain = _VALUE.fullmatch(plain) and "//" not in plain and _is_quoted(plain)
        if not is_plain or (name.lower() == "display" and not _DISPLAY.fullmatch(plain)):
            raise Refused(
                line,
                Text(
                    "A style cannot set %(name)s to this: only words, numbers and colors; nothing "
                    "that is loaded, and no url().",
                    name=name,
                ),
            )
        found.append(f"{name.lower()}:{text};")
    return "".join(found)


def _is_quoted(text: str) -> bool:
    """Whether every quotation mark has its other half."""
    rest = _QUOTED.sub("", text)
    return "'" not in rest and '"' not in rest


_QUOTED = re.compile(r"'[^'\"]*'|\"[^'\"]*\"")
