"""One mail's template: read as a whole, with what is wrong with it, and filled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape
from textwrap import fill as wrap
from typing import Final, Literal, NamedTuple

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.rendering.mail_templates.html import COLOR_START, read_html
from pwless_middleware.rendering.mail_templates.language import read_template
from pwless_middleware.rendering.mail_templates.links import LinkRules
from pwless_middleware.rendering.mail_templates.nodes import Nodes, Refused, fill, names_in
from pwless_middleware.text import Text

Part = Literal["subject", "text", "html"]
PARTS: Final[tuple[Part, ...]] = ("subject", "text", "html")

MOST: Final[Mapping[Part, int]] = {"subject": 1000, "text": 20_000, "html": 200_000}
"""Characters that a part may have."""
CLIPPED: Final = 100_000
"""Bytes of HTML above which Gmail shows a part of a mail only (it clips at 102 KB)."""
_WIDTH: Final = 76


class Fault(NamedTuple):
    """What is wrong with a part of a template.

    Attributes:
        part: which.
        line: where, from 1.
        reason: what it is, for a person.
    """

    part: Part
    line: int
    reason: str


class Texts(NamedTuple):
    """A template's parts as an operator has typed them."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """What a mail's template may name.

    Attributes:
        subject: in the subject, which is a header: no code, and no words of anybody's
            (security rule 16).
        body: in both other parts.
    """

    subject: Collection[str]
    body: Collection[str]


@dataclass(frozen=True, slots=True)
class ReadTemplate:
    """A template that was read and admitted.

    Attributes:
        subject, text, html: what it consists of.
        bare_images: the lines of images without alternative text.
    """

    subject: Nodes
    text: Nodes
    html: Nodes
    bare_images: tuple[int, ...]

    def fill_subject(self, values: Mapping[str, object]) -> str:
        """Return the subject, on one line.

        Raises:
            KeyError: there is no value for a variable.
        """
        return " ".join(fill(self.subject, values, str).split())

    def fill_text(self, values: Mapping[str, object]) -> str:
        """Return the plain part, wrapped at 76 characters; a link is never cut.

        Raises:
            KeyError: there is no value for a variable.
        """
        return wrap_lines(fill(self.text, values, str))

    def fill_message(self, values: Mapping[str, object]) -> str:
        """Return a text message, whose lines are as they were typed.

        Raises:
            KeyError: there is no value for a variable.
        """
        return fill(self.text, values, str).strip()

    def fill_html(self, values: Mapping[str, object]) -> str:
        """Return what stands in the body of the HTML part.

        Raises:
            KeyError: there is no value for a variable.
        """
        return fill(self.html, values, escape)


def read_texts(
    texts: Texts, variables: Variables, rules: LinkRules
) -> tuple[ReadTemplate | None, tuple[Fault, ...]]:
    """Return the template, or what is wrong with it, a fault for each part.

    Args:
        texts: as they were typed.
        variables: what it may name.
        rules: say where it may lead.
    """
    faults: list[Fault] = []
    read: dict[Part, Nodes] = {}
    bare_images: tuple[int, ...] = ()
    for part, text in zip(PARTS, texts, strict=True):
        try:
            nodes = _read_part(
                part, text, variables.subject if part == "subject" else variables.body
            )
            if part == "html":
                html = read_html(nodes, rules)
                nodes, bare_images = html.nodes, html.bare_images
                if not any(map(_is_something, html.words)):
                    raise Refused(1, _EMPTY["html"])
            else:
                rules.check_words(nodes)
            read[part] = nodes
        except Refused as refused:
            faults.append(Fault(part, refused.line, refused.reason))
    if faults:
        return None, tuple(faults)
    return ReadTemplate(read["subject"], read["text"], read["html"], bare_images), ()


def read_message(text: str, variables: Collection[str], rules: LinkRules) -> Nodes:
    """Return the template of a text message.

    Args:
        text: as it was typed.
        variables: those that it may name.
        rules: say where it may lead.

    Raises:
        Refused: it holds something else.
    """
    if len(text) > MOST_OF_MESSAGE:
        raise Refused(1, _too_long(MOST_OF_MESSAGE))
    if not text.strip():
        raise Refused(1, _EMPTY["text"])
    nodes = read_template(text, variables)
    rules.check_words(nodes)
    return nodes


MOST_OF_MESSAGE: Final = 600


def _read_part(part: Part, text: str, variables: Collection[str]) -> Nodes:
    if len(text) > MOST[part]:
        raise Refused(1, _too_long(MOST[part]))
    if not text.strip():
        raise Refused(1, _EMPTY[part])
    if part == "subject" and "\n" in text.strip():
        raise Refused(2, Text("A subject is one line."))
    if part != "html":
        variables = [name for name in variables if not name.startswith(COLOR_START)]
    return read_template(text, variables)


def _is_something(node: object) -> bool:
    text = getattr(node, "text", None)
    return text is None or bool(text.strip())


def _too_long(most: int) -> Text:
    return Text("This is too long: %(n)s characters at most.", n=most)


_EMPTY: Final[Mapping[Part, Text]] = {
    "subject": Text("A mail needs a subject."),
    "text": Text("A mail needs its plain text: some programs show no other part."),
    "html": Text("A mail needs its HTML part."),
}


def wrap_lines(text: str) -> str:
    """Return a text whose long lines are wrapped at 76 characters, with few empty lines."""
    lines: list[str] = []
    for line in text.split("\n"):
        line = line.rstrip()
        if line or (lines and lines[-1]):
            long = len(line) > _WIDTH
            lines.append(
                wrap(line, _WIDTH, break_long_words=False, break_on_hyphens=False) if long else line
            )
    return "\n".join(lines).strip() + "\n"


# --- warnings ------------------------------------------------------------------------------------


def find_warnings(
    template: ReadTemplate, *, wanted: Collection[str], size: int
) -> tuple[Fault, ...]:
    """Return what a template lacks, though it can be sent.

    Args:
        template: which.
        wanted: of `code` and `link`, those that the mail is sent for.
        size: bytes of the HTML part as it is sent.
    """
    found: list[Fault] = []
    shown: list[tuple[Part, Nodes]] = [("text", template.text), ("html", template.html)]
    for part, nodes in shown:
        names = names_in(nodes)
        found += [
            Fault(part, 0, _MISSING[name])
            for name in ("code", "link")
            if name in wanted and name not in names
        ]
    for line in template.bare_images:
        problem = Text("This image has no alt text: who sees no images sees nothing in its place.")
        found.append(Fault("html", line, problem))
    if size > CLIPPED:
        problem = Text("The mail is larger than 100 KB, of which Gmail shows the beginning only.")
        found.append(Fault("html", 0, problem))
    return tuple(found)


_MISSING: Final[Mapping[str, Text]] = {
    "code": Text("{{ code }} is missing: who is sent a code will not see it."),
    "link": Text("{{ link }} is missing: who is sent a link will not see it."),
}
