"""Go through the whole dashboard: every link and every GET form of every page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx

from tests.support import Browser

START = "/auth/dashboard"
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
MOST_LIKE = 3
"""Pages that are seen of one path, however many queries or names it has."""


class Page(HTMLParser):
    """What stands on a page: its elements with their attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, attrs)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.text.append(data)

    def all(self, *tags: str) -> Iterator[dict[str, str]]:
        """Go through the attributes of the elements of these names."""
        return (attributes for tag, attributes in self.elements if tag in tags)

    def links(self, base: str) -> Iterator[str]:
        """Go through the paths that the page leads to by GET."""
        for link in self.all("a"):
            yield urljoin(base, link.get("href", ""))
        for frame in self.all("iframe"):
            if "src" in frame:
                yield urljoin(base, frame["src"])
        for form in self.all("form"):
            if form.get("method", "get").lower() == "get":
                yield urljoin(base, form.get("action", ""))

    def posts(self, base: str) -> Iterator[str]:
        """Go through the paths that the forms of the page are sent to by POST."""
        for tag, attributes in self.elements:
            is_form = tag == "form" and attributes.get("method", "get").lower() == "post"
            if is_form or "formaction" in attributes:
                action = attributes.get("action" if is_form else "formaction", "")
                yield urlsplit(urljoin(base, action)).path


@dataclass
class Crawl:
    """All pages that were found, by path and query."""

    found: dict[str, httpx.Response] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    _like: dict[str, int] = field(default_factory=dict)

    @property
    def pages(self) -> dict[str, httpx.Response]:
        """Those that are HTML."""
        return {
            path: answer
            for path, answer in self.found.items()
            if answer.headers.get("content-type", "").startswith("text/html")
        }


async def crawl(operator: Browser, *, skip: tuple[str, ...] = ("/live",)) -> Crawl:
    """Return everything of the dashboard that one can get to by GET.

    Args:
        operator: signed in, and fresh.
        skip: ends of paths that never end, such as a live tail.
    """
    done = Crawl()
    waiting = [START]
    while waiting:
        url = waiting.pop(0)
        path, query = urlsplit(url).path, urlsplit(url).query
        here = f"{path}?{query}" if query else path
        shape = "/".join(path.split("/")[:4])
        if (
            not (path + "/").startswith(f"{START}/")
            or here in done.found
            or path.endswith(skip)
            or done._like.get(shape, 0) >= MOST_LIKE * 12
            or done._like.get(path, 0) >= MOST_LIKE
        ):
            continue
        done._like[shape] = done._like.get(shape, 0) + 1
        done._like[path] = done._like.get(path, 0) + 1
        answer = await operator.get(here)
        done.found[here] = answer
        if answer.status_code == 303:
            waiting.append(answer.headers["location"])
        elif answer.status_code != 200:
            done.broken.append(f"{answer.status_code} {here}")
        elif answer.headers["content-type"].startswith("text/html"):
            waiting += Page(answer.text).links(f"{operator.origin}{here}")
    return done
