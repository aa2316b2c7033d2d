"""Every link of the README, the guide and what else people read leads somewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.guide import ROOT
from tests.guide_checks.reading import EVERYTHING, GUIDE, blocks, children, read


@cache
def anchors(file: Path) -> set[str]:
    """Return the anchors of a page."""
    return {heading.anchor for heading in read(file).headings}


def problem(file: Path, target: str) -> str | None:
    """Return what is wrong with a link, or `None`."""
    parts = urlsplit(target)
    if parts.scheme == "https":
        is_host = re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", parts.netloc.lower())
        return None if is_host else "no host of the internet"
    if parts.scheme == "http" and parts.hostname == "localhost":
        return None
    if parts.scheme or target.startswith("/"):
        return "neither https nor a file of ours"
    place = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if not place.exists():
        return "no such file"
    if not place.is_relative_to(ROOT):
        return "outside of the repository"
    if parts.fragment and (place.suffix != ".md" or parts.fragment not in anchors(place)):
        return "no such heading"
    return None


@pytest.mark.parametrize(
    ("target", "is_right"),
    [
        ("options.md#emaillogin", True),
        ("../../README.md", True),
        ("https://www.rfc-editor.org/rfc/rfc9110#section-9", True),
        ("options.md#nothing", False),
        ("nothing.md", False),
        ("../../../outside.md", False),
        ("http://example.com/", False),
        ("https://localhost/", False),
        ("javascript:alert(1)", False),
        ("/guide/options", False),
        ("../app.py#create_app", False),
    ],
)
def test_what_is_right_and_what_is_wrong(target: str, is_right: bool) -> None:
    assert (problem(GUIDE[1], target) is None) is is_right


def test_every_link_and_picture_leads_somewhere() -> None:
    wrong = []
    for file in EVERYTHING:
        for token in children(read(file)):
            target = token.attrGet("href") or token.attrGet("src")
            if target is not None and (what := problem(file, str(target))):
                wrong.append(f"{file.name}: {target}: {what}")
    assert wrong == []


def test_every_picture_says_what_it_shows() -> None:
    for file in EVERYTHING:
        for token in children(read(file)):
            assert token.type != "image" or len(token.content) > 10, file


def test_every_file_that_is_named_exists() -> None:
    wrong = []
    for file in EVERYTHING:
        for token in children(read(file)):
            if token.type == "code_inline" and re.fullmatch(
                r"(?:tests|demo_app|pwless_middleware|\.github|\.ci)/[\w/.*-]+", token.content
            ):
                found = list(ROOT.glob(token.content.rstrip("/")))
                wrong += [] if found else [f"{file.name}: {token.content}"]
    assert wrong == []


def test_no_html_is_written_that_the_site_shows_as_text() -> None:
    """A code host would show it as HTML; a marker for the tests is a comment, which is neither."""
    wrong = []
    for file in GUIDE:
        page = read(file)
        for token in (*page.tokens, *children(page)):
            is_html = token.type in ("html_block", "html_inline")
            if is_html and not re.fullmatch(r"(\s*<!--.*?-->)+\s*", token.content, re.DOTALL):
                wrong.append(f"{file.name}: {token.content}")
    assert wrong == []


def test_every_block_of_code_names_its_language() -> None:
    assert [f"{block}: {block.text[:40]}" for block in blocks("")] == []
