"""The guide's addresses, and the pages behind them: each is made once, and kept.

The library that reads Markdown is imported when somebody opens the guide, so that the demo starts
as quickly without one.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from demo_app.guide_site.search import MAX_QUERY, Index, Result
from demo_app.views import HEADERS, make_html

if TYPE_CHECKING:
    from demo_app.guide_site.contents import Contents, Entry
    from demo_app.guide_site.markdown import Page

FOLDER = Path(__file__).parent.parent / "guide"
GENERATED = frozenset({"api-reference", "python-reference"})
"""Pages that a command writes (`python -m tests.guide`)."""
MAX_SUGGESTIONS = 8
"""How much the page shows while somebody types."""


class Guide:
    """Serve a folder of Markdown pages."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Keep where the pages are; nothing is read yet.

        Args:
            folder: with `README.md`, the contents, and the pages that it lists.
        """
        self.folder = folder
        self._answers: dict[str, tuple[bytes, str]] = {}
        self._index: Index | None = None
        self._lock = threading.Lock()
        # One, for many at a time would take turns with everything else that the process answers.
        self._searcher = ThreadPoolExecutor(1, thread_name_prefix="guide-search")

    @property
    def routes(self) -> list[Route]:
        """Return the guide's routes, for a Starlette app."""
        return [
            Route("/guide", self.home),
            Route("/guide/search", self.search),
            Route("/guide/search.json", self.suggest),
            Route("/guide/{name}", self.page),
            # Starlette's own answer to these goes to the host that the request names.
            Route("/guide/", self.without_slash),
            Route("/guide/{name}/", self.without_slash),
        ]

    # --- what is read ----------------------------------------------------------------------------

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """Return the names of the pages, and of the other files, as links name them."""
        markdown = {file.stem for file in self.folder.glob("*.md")} - {"README"}
        return frozenset(markdown | {file.name for file in self.folder.glob("*.json")})

    @functools.cached_property
    def contents(self) -> Contents:
        """Return the contents, in order."""
        from demo_app.guide_site.contents import read_contents

        return read_contents(self.read("README"), self.names)

    def index(self) -> Index:
        """Return the index of all pages; it is made once, which takes a second or two."""
        with self._lock:
            if self._index is None:
                pages = (self.read(entry.name) for entry in self.contents.entries)
                self._index = Index(pages, generated=GENERATED)
        return self._index

    def read(self, name: str) -> Page:
        """Return a page, parsed."""
        from demo_app.guide_site.markdown import parse

        return parse(name, (self.folder / f"{name}.md").read_text("utf-8"))

    # --- what is answered ------------------------------------------------------------------------

    async def home(self, request: Request) -> Response:
        """Show the contents."""
        return await self._kept(request, "")

    async def page(self, request: Request) -> Response:
        """Show a page."""
        name = request.path_params["name"]
        if name.endswith(".md") or name == "README":
            page_name = name.removesuffix(".md")
            return RedirectResponse(
                "/guide" if page_name == "README" else f"/guide/{page_name}", 308
            )
        if name not in self.names:
            html = make_html("guide/not_found.html", contents=self.contents, current="", name=name)
            return Response(html, 404, HEADERS, "text/html")
        if name.endswith(".json"):
            return FileResponse(self.folder / name, headers=HEADERS)
        return await self._kept(request, name)

    async def without_slash(self, request: Request) -> Response:
        """Lead to the page that an address with a slash at its end means."""
        name = request.path_params.get("name")
        return RedirectResponse(f"/guide/{name}" if name else "/guide", 308)

    async def search(self, request: Request) -> Response:
        """Show what a question finds; without a question, the field."""
        question = request.query_params.get("q", "").strip()[:MAX_QUERY]
        found = await self._find(question) if question else []
        html = make_html(
            "guide/search.html", contents=self.contents, current="", question=question, found=found
        )
        return Response(html, media_type="text/html", headers=HEADERS)

    async def suggest(self, request: Request) -> Response:
        """Return what a question finds, for the script of the search field."""
        question = request.query_params.get("q", "")
        found = await self._find(question)
        shown = [
            {
                "address": result.address,
                "title": result.title,
                "heading": result.heading,
                "excerpt": result.excerpt,
            }
            for result in found[:MAX_SUGGESTIONS]
        ]
        return JSONResponse(shown, headers={**HEADERS, "cache-control": "no-cache"})

    async def _find(self, question: str) -> list[Result]:
        return await asyncio.get_running_loop().run_in_executor(
            self._searcher, lambda: self.index().search(question)
        )

    def _prepare(self) -> None:
        self._searcher.submit(self.index)

    async def _kept(self, request: Request, name: str) -> Response:
        if name not in self._answers:
            body = (await run_in_threadpool(self.make_page, name)).encode()
            self._answers[name] = (body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')
        body, tag = self._answers[name]
        # Who reads may search next, and does not wait then.
        prepare = BackgroundTask(self._prepare) if self._index is None else None
        headers = {**HEADERS, "etag": tag, "cache-control": "no-cache"}
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers, background=prepare)
        return Response(body, media_type="text/html", headers=headers, background=prepare)

    def make_page(self, name: str) -> str:
        """Return the HTML of a page; an empty name is the contents."""
        from demo_app.guide_site.markdown import render

        if not name:
            page, contents = self.read("README"), self.contents
            return make_html(
                "guide/home.html",
                page=page,
                contents=contents,
                current="",
                before=render(contents.before, is_there=self.names.__contains__),
                after=render(contents.after, is_there=self.names.__contains__),
            )
        page = self.read(name)
        before, after = self._neighbours(name)
        return make_html(
            "guide/page.html",
            page=page,
            contents=self.contents,
            current=name,
            html=render(page.tokens, is_there=self.names.__contains__),
            group=next(
                (group.title for group in self.contents.groups if _holds(group.entries, name)), ""
            ),
            before=before,
            after=after,
        )

    def _neighbours(self, name: str) -> tuple[Entry | None, Entry | None]:
        entries = self.contents.entries
        at = next((at for at, entry in enumerate(entries) if entry.name == name), None)
        if at is None:
            return None, None
        return (entries[at - 1] if at else None), (entries[at + 1] if entries[at + 1 :] else None)


def _holds(entries: tuple[Entry, ...], name: str) -> bool:
    return any(entry.name == name for entry in entries)


@functools.cache
def the_guide() -> Guide:
    """Return the guide of this process: the same for every app in it."""
    return Guide()
