"""Text and variables in a row, read as one text with a placeholder for each variable."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from pwless_middleware.rendering.mail_templates.language import PLACEHOLDERS
from pwless_middleware.rendering.mail_templates.nodes import Literal, Variable

_FIRST: Final = 0xF0000
PLACEHOLDER: Final = re.compile(f"[{PLACEHOLDERS}]")


class Source:
    """Hold the text.

    Args:
        run: the nodes, in a row that no choice parts.

    Attributes:
        text: the text, with one character of plane 15 for each variable.
    """

    def __init__(self, run: Sequence[Literal | Variable]) -> None:
        self._names: list[str] = []
        self._offsets: list[int] = []
        self._run = run
        pieces: list[str] = []
        length = 0
        for node in run:
            self._offsets.append(length)
            if isinstance(node, Variable):
                pieces.append(chr(_FIRST + len(self._names)))
                self._names.append(node.name)
            else:
                pieces.append(node.text)
            length += len(pieces[-1])
        self.text = "".join(pieces)
        self._ends = [found.start() for found in re.finditer("\n", self.text)]

    def line(self, offset: int) -> int:
        """Return the line of a place in the text."""
        index = max(0, bisect_right(self._offsets, offset) - 1)
        before = bisect_left(self._ends, self._offsets[index])
        return self._run[index].line + bisect_left(self._ends, offset) - before

    def name(self, placeholder: str) -> str:
        """Return the variable that a placeholder stands for."""
        return self._names[ord(placeholder) - _FIRST]

    def names(self, text: str) -> list[str]:
        """Return the variables whose placeholders stand in a text."""
        return [self.name(found) for found in PLACEHOLDER.findall(text)]

    def nodes(self, text: str, line: int) -> Iterator[Literal | Variable]:
        """Return a text that holds placeholders as nodes.

        Args:
            text: the text.
            line: where it begins.
        """
        at = 0
        for found in PLACEHOLDER.finditer(text):
            if found.start() > at:
                yield Literal(text[at : found.start()], line + text.count("\n", 0, at))
            yield Variable(self.name(found[0]), line + text.count("\n", 0, found.start()))
            at = found.end()
        if at < len(text):
            yield Literal(text[at:], line + text.count("\n", 0, at))
