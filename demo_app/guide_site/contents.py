"""The guide's contents: the nested list of `demo_app/guide/README.md`, as groups of pages."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from markdown_it.token import Token

from demo_app.guide_site.markdown import Page, plain


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one page of the contents.

    Attributes:
        name: the file's name, without `.md`.
        title: what the list calls it.
        about: what the list says of it; empty is nothing.
    """

    name: str
    title: str
    about: str


@dataclass(frozen=True, slots=True)
class Group:
    """Hold some pages that belong together.

    Attributes:
        title: what the list calls them.
        entries: in order.
    """

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """Hold the order of the pages.

    Attributes:
        groups: in order; one without a page that is there is left out.
        before, after: what stands before and after the list.
    """

    groups: tuple[Group, ...]
    before: tuple[Token, ...]
    after: tuple[Token, ...]

    @property
    def entries(self) -> list[Entry]:
        """Return every page, in order."""
        return [entry for group in self.groups for entry in group.entries]


def read_contents(page: Page, there: Collection[str]) -> Contents:
    """Return the contents that a page lists.

    Args:
        page: `README.md`; its first list has a group's title in each item, and the group's pages
            in a list below it.
        there: the names of the pages that are there. Others are left out.
    """
    kinds = [token.type if token.level == 0 else "" for token in page.tokens]
    first, last = kinds.index("bullet_list_open"), kinds.index("bullet_list_close")
    groups: list[tuple[str, list[Entry]]] = []
    for token in page.tokens[first:last]:
        if token.type == "inline":
            entry = _entry(token)
            if entry is None:
                groups.append((plain(token), []))
            elif entry.name in there:
                groups[-1][1].append(entry)
    made = tuple(Group(title, tuple(entries)) for title, entries in groups if entries)
    return Contents(made, page.tokens[:first], page.tokens[last + 1 :])


def _entry(token: Token) -> Entry | None:
    """Return what an item links, or `None` for the title of a group."""
    children = token.children or []
    href = next((str(child.attrGet("href")) for child in children if child.type == "link_open"), "")
    if not href.endswith(".md"):
        return None
    closing = next(place for place, child in enumerate(children) if child.type == "link_close")
    title = "".join(_texts(children[:closing]))
    about = "".join(_texts(children[closing:])).lstrip(" :–—")
    return Entry(href.removesuffix(".md"), title, about)


def _texts(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        yield " " if token.type == "softbreak" else token.content
