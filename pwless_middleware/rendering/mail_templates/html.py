"""The HTML of a template: read strictly, and written anew.

What is sent is never the text that was typed but what was read of it: elements and attributes of
our list, each value quoted and escaped by us. So no two readers can read it differently, whatever
tricks were typed. The frame around it (`<html>`, `<head>`, styles for dark mode) is ours.

A variable stands where text does. In an attribute there is none but `{{ link }}`, alone, in the
`href` of an `a`, and the brand's colors where colors stand: a picture or a form whose URL holds the
code would tell it to whoever answers there (security rule 64). An `if` stands around whole
elements, so that a mail is well-formed however it turns out.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Final, NamedTuple

from pwless_middleware.rendering.mail_templates import elements
from pwless_middleware.rendering.mail_templates.language import check_characters
from pwless_middleware.rendering.mail_templates.links import LINK, LinkRules
from pwless_middleware.rendering.mail_templates.nodes import (
    Choice,
    Literal,
    Node,
    Nodes,
    Refused,
    Variable,
)
from pwless_middleware.rendering.mail_templates.source import Source
from pwless_middleware.rendering.mail_templates.styles import read_style
from pwless_middleware.text import Text

COLOR_START: Final = "palette."
"""How the variables begin that are colors."""

_START = re.compile(r"<([A-Za-z][A-Za-z0-9]*)")
_END = re.compile(r"</([A-Za-z][A-Za-z0-9]*)[ \t\n]*>")
_ATTRIBUTE = re.compile(
    r"[ \t\n]+([A-Za-z][A-Za-z-]*)[ \t\n]*=[ \t\n]*(?:\"([^\"<>]*)\"|'([^'<>]*)')"
)
# In a URL, `&copy=1` is none (HTML Standard, "named character reference state").
_REFERENCE = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9A-Fa-f]{1,8}|[A-Za-z][A-Za-z0-9]{0,31});")
_CLOSE = re.compile(r"[ \t\n]*/?>")
_FRAME: Final = frozenset({"html", "head", "body", "meta", "title", "style", "link", "base"})
_DEEPEST: Final = 64


class Html(NamedTuple):
    """What was read of the HTML of a template.

    Attributes:
        nodes: as it is sent.
        words: what a reader sees of it, in order, parted where no word goes on.
        bare_images: the lines of images without alternative text.
    """

    nodes: Nodes
    words: Nodes
    bare_images: tuple[int, ...]


def read_html(nodes: Nodes, rules: LinkRules) -> Html:
    """Read the HTML of a template.

    Args:
        nodes: what was read of it as a template.
        rules: say where it may lead.

    Raises:
        Refused: it holds what is not admitted, or is not well-formed.
    """
    reader = _Reader(rules)
    written, words = reader.read(nodes)
    if reader.opened:
        name, line = reader.opened[-1]
        raise Refused(line, Text("<%(name)s> has no end: write </%(name)s>.", name=name))
    rules.check_words(words)
    return Html(written, words, tuple(reader.bare_images))


class _Reader:
    """Read node after node, with the elements that are open.

    Args:
        rules: say where it may lead.

    Attributes:
        opened: name and line of each element that is open.
        bare_images: the lines of images without alternative text.
    """

    def __init__(self, rules: LinkRules) -> None:
        self._rules = rules
        self.opened: list[tuple[str, int]] = []
        self.bare_images: list[int] = []
        self._floor = 0  # how many were open before the choice that is being read

    def read(self, nodes: Nodes) -> tuple[Nodes, Nodes]:
        """Return what is sent, and what a reader sees."""
        written: list[Node] = []
        words: list[Node] = []
        run: list[Literal | Variable] = []
        for node in nodes:
            if not isinstance(node, Choice):
                run.append(node)
                continue
            self._read_run(run, written, words)
            run = []
            then, seen = self._branch(node.then)
            otherwise, other = self._branch(node.otherwise)
            written.append(Choice(node.test, then, otherwise, node.line))
            words.append(Choice(node.test, seen, other, node.line))
        self._read_run(run, written, words)
        return tuple(written), tuple(words)

    def _branch(self, nodes: Nodes) -> tuple[Nodes, Nodes]:
        before, self._floor = self._floor, len(self.opened)
        found = self.read(nodes)
        if len(self.opened) != self._floor:
            name, line = self.opened[-1]
            raise Refused(
                line, Text("<%(name)s> begins within an if, and has to end in it.", name=name)
            )
        self._floor = before
        return found

    def _read_run(
        self, run: list[Literal | Variable], written: list[Node], words: list[Node]
    ) -> None:
        if not run:
            return
        source = Source(run)
        text, at = source.text, 0
        sent: list[str] = []
        while at < len(text):
            end = text.find("<", at)
            end = len(text) if end < 0 else end
            if end > at:
                plain = self._text(source, at, end)
                sent.append(escape(plain, quote=False))
                words += source.nodes(plain, source.line(at))
                at = end
                continue
            line = source.line(at)
            if (found := _END.match(text, at)) is not None:
                name = found[1].lower()
                self._close(name, line)
                sent.append(f"</{name}>")
                at = found.end()
            else:
                name, tag, at = self._open(source, at)
                sent.append(tag)
            if name not in elements.INLINE and name != "img":
                words.append(Literal("\n", line))
        written += source.nodes("".join(sent), run[0].line)

    def _text(self, source: Source, start: int, end: int) -> str:
        """Return text after HTML's references, which may hold no character that we need."""
        text = source.text[start:end]
        for found in _REFERENCE.finditer(text):
            check_characters(unescape(found[0]), source.line(start + found.start()))
        return unescape(text)

    def _close(self, name: str, line: int) -> None:
        if name in elements.VOID or name not in elements.ELEMENTS:
            raise _unknown(name, line)
        if len(self.opened) <= self._floor:
            raise Refused(line, Text("</%(name)s> ends what did not begin here.", name=name))
        opened, where = self.opened.pop()
        if opened != name:
            raise Refused(
                line,
                Text(
                    "</%(name)s> stands where </%(opened)s> has to: that began in line %(line)s.",
                    name=name,
                    opened=opened,
                    line=where,
                ),
            )

    def _open(self, source: Source, at: int) -> tuple[str, str, int]:
        """Read a start tag; return the element's name, the tag as it is sent, and where it ends."""
        line = source.line(at)
        found = _START.match(source.text, at)
        if found is None:
            raise _no_tag(source.text, at, line)
        name = found[1].lower()
        admitted = elements.ELEMENTS.get(name)
        if admitted is None:
            raise _unknown(name, line)
        at = found.end()
        given: dict[str, str] = {}
        while (one := _ATTRIBUTE.match(source.text, at)) is not None:
            attribute, value = one[1].lower(), one[2] if one[2] is not None else one[3]
            line = source.line(one.start(1))
            kind = admitted.get(attribute)
            if kind is None:
                raise Refused(
                    line,
                    Text(
                        "<%(name)s> cannot have the attribute %(attribute)s.",
                        name=name,
                        attribute=attribute[:40],
                    ),
                )
            if attribute in given:
                raise Refused(
                    line, Text("The attribute %(attribute)s came twice.", attribute=attribute)
                )
            given[attribute] = self._value(source, name, attribute, value, kind, line)
            at = one.end()
        end = _CLOSE.match(source.text, at)
        if end is None:
            raise Refused(
                source.line(at),
                Text(
                    'The tag <%(name)s> cannot be read: write attributes as name="value", without '
                    "an if, a < or a > among them.",
                    name=name,
                ),
            )
        self._note(name, given, line)
        attributes = "".join(f' {key}="{value}"' for key, value in given.items())
        return name, f"<{name}{attributes}>", end.end()

    def _note(self, name: str, given: dict[str, str], line: int) -> None:
        """Keep account of an element that begins."""
        if (name == "a" and "href" not in given) or (name == "img" and "src" not in given):
            raise Refused(line, Text("This <%(name)s> leads nowhere.", name=name))
        if name == "a" and any(opened == "a" for opened, _ in self.opened):
            raise Refused(line, Text("A link cannot stand in a link."))
        if name == "img" and "alt" not in given:
            self.bare_images.append(line)
        if name not in elements.VOID:
            if len(self.opened) >= _DEEPEST:
                raise Refused(line, Text("This is nested too deep."))
            self.opened.append((name, line))

    def _value(
        self, source: Source, name: str, attribute: str, value: str, kind: elements.Kind, line: int
    ) -> str:
        """Return an attribute's value as it is sent, escaped."""
        names = source.names(value)
        if (name, attribute, names) == ("a", "href", [LINK]) and len(value) == 1:
            return value
        colors = kind in (elements.COLORS, elements.DECLARATIONS)
        if any(not (colors and one.startswith(COLOR_START)) for one in names):
            raise Refused(
                line,
                Text(
                    "%(attribute)s cannot hold a variable: only href may be {{ link }}, alone.",
                    attribute=attribute,
                ),
            )
        plain = _REFERENCE.sub(lambda found: unescape(found[0]), value)
        for found in _REFERENCE.finditer(value):
            check_characters(unescape(found[0]), line)
        if kind == elements.URL:
            judge = self._rules.link if name == "a" else self._rules.image
            plain = judge(plain, line)
        elif kind == elements.DECLARATIONS:
            plain = read_style(plain, line)
        elif kind == elements.TEXT:
            self._rules.check_words((Literal(plain, line),))
        else:
            pattern = elements.COLOR if isinstance(kind, str) else kind
            shown = plain.strip(" \t\n") if not names else "#000" if len(plain) == 1 else ""
            plain = plain if names else shown
            if not pattern.fullmatch(shown):
                raise Refused(
                    line,
                    Text("This is no value of %(attribute)s.", attribute=attribute),
                )
        return escape(plain)


def _unknown(name: str, line: int) -> Refused:
    if name in _FRAME:
        return Refused(
            line,
            Text(
                "Leave out <%(name)s>: write what stands within <body>. The frame of the mail is "
                "added, and style attributes take the place of style sheets.",
                name=name,
            ),
        )
    return Refused(line, Text("There is no <%(name)s> in a mail.", name=name[:40]))


def _no_tag(text: str, at: int, line: int) -> Refused:
    if text.startswith("<!--", at):
        return Refused(line, Text("Leave out HTML comments; {# this #} is one that is not sent."))
    if text[at : at + 9].lower() == "<!doctype":
        return _unknown("html", line)
    return Refused(line, Text("This is no tag: write &lt; for a < in the text."))
