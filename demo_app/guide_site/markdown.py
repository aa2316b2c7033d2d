"""One page of the guide: from Markdown to HTML, with its headings and its sections.

The pages are written for a code host as well as for this site. So an anchor is made as GitHub makes
it, a link is relative to the file it stands in, and what is raw HTML there is text here: comments
alone, which mark what the tests read, are left out.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from posixpath import normpath
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from demo_app.guide_site.highlighting import highlight

HERE = "demo_app/guide"
"""The folder of the pages, in the repository."""
MAX_DESCRIPTION = 160
"""Characters of a page's description: what search engines show."""
LANGUAGES = {
    "bash": "Shell",
    "css": "CSS",
    "diff": "Changes",
    "dockerfile": "Dockerfile",
    "html": "HTML",
    "http": "HTTP",
    "ini": "INI",
    "js": "JavaScript",
    "json": "JSON",
    "jinja": "Template",
    "nginx": "nginx",
    "py": "Python",
    "pyi": "Python",
    "python": "Python",
    "sh": "Shell",
    "sql": "SQL",
    "toml": "TOML",
    "yaml": "YAML",
}
"""The languages of code blocks, and their names."""

_ALERTS = {"NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION"}
_COMMENTS = re.compile(r"(?:\s*<!--.*?-->)+\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Heading:
    """Hold one heading.

    Attributes:
        level: 1 for the page's title, then 2 to 6.
        text: as it is read.
        anchor: what stands behind `#` in its address.
    """

    level: int
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Section:
    """Hold what stands below one heading, up to the next.

    Attributes:
        heading: the heading.
        text: what is read below it.
        code: what its code blocks hold.
    """

    heading: Heading
    text: str
    code: str


@dataclass(frozen=True, slots=True)
class Page:
    """Hold one page, parsed.

    Attributes:
        name: the file's name, without `.md`.
        title: its first heading.
        description: the beginning of its first paragraph.
        sections: in order; the first is the title's.
        tokens: what markdown-it has made of it.
    """

    name: str
    title: str
    description: str
    sections: tuple[Section, ...]
    tokens: tuple[Token, ...]

    @property
    def headings(self) -> list[Heading]:
        """Return the headings, in order."""
        return [section.heading for section in self.sections]


def parse(name: str, text: str) -> Page:
    """Return a page, parsed; that is all that the search needs.

    Args:
        name: the file's name, without `.md`.
        text: its Markdown.

    Raises:
        ValueError: it does not begin with a title.
    """
    tokens = _parser().parse(text)
    sections = tuple(_sections(tokens))
    if not sections or sections[0].heading.level != 1:
        raise ValueError(f"{name}.md: begin the page with its title, e.g. '# Passkeys'")
    return Page(
        name=name,
        title=sections[0].heading.text,
        description=_description(tokens),
        sections=sections,
        tokens=tuple(tokens),
    )


def render(tokens: Sequence[Token], *, is_there: Callable[[str], bool]) -> str:
    """Return the HTML of tokens.

    Args:
        tokens: of one page, or a part of it.
        is_there: whether a page of this name is served.
    """
    env = {"is_there": is_there}
    return str(_parser().renderer.render(list(tokens), _parser().options, env))


def slug(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


def plain(token: Token) -> str:
    """Return the text of an inline token, as it is read."""
    parts = []
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type in ("text", "code_inline", "image"):
            parts.append(child.content)
    return "".join(parts)


# --- parsing -------------------------------------------------------------------------------------


@functools.cache
def _parser() -> MarkdownIt:
    # With html, comments are tokens of their own; `_raw_html` lets nothing else through.
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.core.ruler.push("anchors", lambda state: _add_anchors(state.tokens))
    parser.core.ruler.push("alerts", lambda state: _add_alerts(state.tokens))
    parser.core.ruler.push("cells", lambda state: _align_by_class(state.tokens))
    rules: dict[str, Callable[..., str]] = {
        "alert_title": lambda tokens, at, *_: f"<strong>{tokens[at].content}</strong>",
        "fence": _code_block,
        "code_block": _code_block,
        "heading_close": _heading_close,
        "html_block": _raw_html,
        "html_inline": _raw_html,
        "image": _image,
        "link_open": _link_open,
        "link_close": _link_close,
        "table_close": lambda *_: "</table></div>\n",
        "table_open": lambda *_: (
            '<div class="table" role="group" aria-label="Table" tabindex="0"><table>\n'
        ),
    }
    for name, rule in rules.items():
        parser.add_render_rule(name, _without_renderer(rule))
    return parser


def _without_renderer(rule: Callable[..., str]) -> Callable[..., str]:
    return lambda _, *rest: rule(*rest)


def _add_anchors(tokens: list[Token]) -> None:
    seen: dict[str, int] = {}
    for opening, inline in itertools.pairwise(tokens):
        if opening.type == "heading_open":
            anchor = slug(plain(inline))
            count = seen.get(anchor, 0)
            seen[anchor] = count + 1
            opening.attrSet("id", f"{anchor}-{count}" if count else anchor)


def _add_alerts(tokens: list[Token]) -> None:
    """Make `> [!NOTE]` the note that a code host makes of it."""
    for opening, _, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        first = (
            inline.children[0] if opening.type == "blockquote_open" and inline.children else None
        )
        kind = first.content[2:-1] if first is not None and first.type == "text" else ""
        if first is not None and kind in _ALERTS and first.content == f"[!{kind}]":
            opening.attrSet("class", f"alert {kind.lower()}")
            first.type, first.content, first.tag = "alert_title", kind.capitalize(), "strong"


def _align_by_class(tokens: list[Token]) -> None:
    for token in tokens:
        if token.type in ("td_open", "th_open") and "style" in token.attrs:
            token.attrSet("class", str(token.attrs.pop("style")).removeprefix("text-align:"))


def _sections(tokens: list[Token]) -> Iterator[Section]:
    heading: Heading | None = None
    texts: list[str] = []
    code: list[str] = []
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            if heading is not None:
                yield Section(heading, " ".join(texts), "\n".join(code))
            text = plain(tokens[place + 1])
            heading = Heading(int(token.tag[1]), text, str(token.attrGet("id")))
            texts, code = [], []
        elif token.type == "inline" and tokens[place - 1].type != "heading_open":
            is_later_cell = tokens[place - 2].type in ("td_close", "th_close")
            texts.append(("· " if is_later_cell else "") + plain(token))
        elif token.type in ("fence", "code_block"):
            code.append(token.content)
    if heading is not None:
        yield Section(heading, " ".join(texts), "\n".join(code))


def _description(tokens: list[Token]) -> str:
    paragraphs = (
        plain(inline)
        for opening, inline in itertools.pairwise(tokens)
        if opening.type == "paragraph_open" and opening.level == 0
    )
    text = " ".join(next(paragraphs, "").split())
    if len(text) <= MAX_DESCRIPTION:
        return text
    return text[:MAX_DESCRIPTION].rpartition(" ")[0].rstrip(",;:.") + " …"


# --- rendering -----------------------------------------------------------------------------------


def _code_block(tokens: Sequence[Token], at: int, options: object, env: object) -> str:
    token = tokens[at]
    language = token.info.split()[0] if token.info.strip() else ""
    name = LANGUAGES.get(language, "Text")
    code = highlight(token.content.rstrip("\n"), language)
    return (
        f'<figure class="snippet"><figcaption>{name}</figcaption>'
        f'<pre class="code" tabindex="0" role="group" aria-label="{name}">'
        f"<code>{code}</code></pre></figure>\n"
    )


def _heading_close(tokens: Sequence[Token], at: int, options: object, env: object) -> str:
    tag, anchor = tokens[at].tag, tokens[at - 2].attrGet("id")
    if tag == "h1":
        return "</h1>\n"
    label = escape(f"Link to {plain(tokens[at - 1])}")
    return f' <a class="anchor" href="#{anchor}" aria-label="{label}">#</a></{tag}>\n'


def _raw_html(tokens: Sequence[Token], at: int, options: object, env: object) -> str:
    content = tokens[at].content
    return "" if _COMMENTS.fullmatch(content) else escape(content)


def _image(tokens: Sequence[Token], at: int, options: object, env: object) -> str:
    source = str(tokens[at].attrGet("src"))
    path = _in_repository(source)
    if path.startswith("demo_app/static/"):
        source = path.removeprefix("demo_app")
    return f'<img src="{escape(source)}" alt="{escape(tokens[at].content)}" loading="lazy">'


def _link_open(tokens: Sequence[Token], at: int, options: object, env: dict[str, Any]) -> str:
    href = str(tokens[at].attrGet("href"))
    address = site_address(href, env["is_there"])
    return f'<a href="{escape(address)}">' if address is not None else ""


def _link_close(tokens: Sequence[Token], at: int, options: object, env: dict[str, Any]) -> str:
    depth, opening = 1, at
    while depth:
        opening -= 1
        depth += {"link_close": 1, "link_open": -1}.get(tokens[opening].type, 0)
    href = str(tokens[opening].attrGet("href"))
    if site_address(href, env["is_there"]) is not None:
        return "</a>"
    path = _in_repository(href)
    shown = "".join(token.content for token in tokens[opening + 1 : at])
    # A file that the site does not serve: its place in the repository, unless the text says it.
    return "" if path in shown else f" (<code>{escape(path)}</code>)"


def site_address(href: str, is_there: Callable[[str], bool]) -> str | None:
    """Return what a link of a page is on the site; `None` where it leads to what is not served.

    Args:
        href: as the Markdown has it, relative to the folder of the pages.
        is_there: whether a page of this name is served.
    """
    if re.match(r"[a-z][a-z0-9+.-]*:", href, re.IGNORECASE) or href.startswith(("#", "/")):
        return href
    path, hash_sign, anchor = href.partition("#")
    place = _in_repository(path)
    if place.startswith("demo_app/static/"):
        return place.removeprefix("demo_app")
    name = place.removeprefix(f"{HERE}/")
    if place == f"{HERE}/README.md":
        return f"/guide{hash_sign}{anchor}"
    if name != place and is_there(name.removesuffix(".md")):
        return f"/guide/{name.removesuffix('.md')}{hash_sign}{anchor}"
    return None


def _in_repository(href: str) -> str:
    return normpath(f"{HERE}/{unquote(href.partition('#')[0])}")
