"""The guide at /guide: public, in order, made once, and the same for everybody."""

from __future__ import annotations

import asyncio
import itertools
import re
import threading
import time
from html import unescape

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from demo_app.app import create_app
from demo_app.guide_site.contents import read_contents
from demo_app.guide_site.markdown import parse
from demo_app.guide_site.site import FOLDER, the_guide
from pwless_middleware import Outbox
from tests.support import http_scope, run

SECRET_KEY = "5d2c8e1f7a9b4c3d6e0f8a1b2c3d4e5f"
NAMES = sorted(file.stem for file in FOLDER.glob("*.md") if file.stem != "README")


@pytest.fixture(scope="module")
def visitor() -> TestClient:
    """Return a visitor of the demo who is not signed in."""
    app = create_app(secret_key=SECRET_KEY, mailer=Outbox())
    return TestClient(app, base_url="http://localhost:8000", follow_redirects=False)


def test_every_page_of_the_folder_is_in_the_contents_once() -> None:
    listed = [entry.name for entry in the_guide().contents.entries]
    assert sorted(listed) == NAMES


def test_pages_that_are_not_there_are_left_out() -> None:
    readme = parse(
        "README",
        "# G\n\nHow.\n\n- A\n  - [X](x.md): why\n  - [Y](y.md)\n- B\n  - [Z](z.md)\n\nEnd.",
    )
    contents = read_contents(readme, {"y", "x"})
    assert [group.title for group in contents.groups] == ["A"]
    assert [(e.name, e.title, e.about) for e in contents.entries] == [
        ("x", "X", "why"),
        ("y", "Y", ""),
    ]


def test_every_page_is_well_formed_and_public(visitor: TestClient) -> None:
    descriptions: dict[str, str] = {}
    for name in NAMES:
        answer = visitor.get(f"/guide/{name}")
        assert answer.status_code == 200, name
        assert "'unsafe-inline'" not in answer.headers["content-security-policy"]
        text = answer.text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|<[^>]*\s(?:style|on[a-z]+)=", text), (
            name
        )
        ids = re.findall(r'\sid="([^"]*)"', text)
        assert len(ids) == len(set(ids)), name
        for anchor in re.findall(r'href="#([^"]*)"', text):
            assert unescape(anchor) in map(unescape, ids), (name, anchor)
        assert text.count("<h1") == 1, name
        assert text.count('aria-current="page"') == 2, name  # beside the text, and in the menu
        described = re.search(r'<meta name="description" content="(.+?)">', text)
        assert described is not None, name
        descriptions[name] = described[1]
    assert len(set(descriptions.values())) == len(NAMES)


def test_every_link_of_the_site_leads_to_a_page(visitor: TestClient) -> None:
    seen: dict[str, bool] = {}
    for name in ("", *(f"/{name}" for name in NAMES)):
        for address in re.findall(r'(?:href|src)="(/[^"#?]*)', visitor.get(f"/guide{name}").text):
            if address not in seen:
                seen[address] = visitor.get(address).status_code in (200, 303)
    assert [address for address, is_there in seen.items() if not is_there] == []


def test_one_page_leads_to_the_next(visitor: TestClient) -> None:
    names = [entry.name for entry in the_guide().contents.entries]
    for name, after in itertools.pairwise(names):
        assert f'rel="next" href="/guide/{after}"' in visitor.get(f"/guide/{name}").text
        assert f'rel="prev" href="/guide/{name}"' in visitor.get(f"/guide/{after}").text
    assert 'rel="prev"' not in visitor.get(f"/guide/{names[0]}").text


def test_a_page_is_sent_once(visitor: TestClient) -> None:
    first = visitor.get("/guide/security")
    assert first.headers["cache-control"] == "no-cache"
    again = visitor.get("/guide/security", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert visitor.get("/guide/security", headers={"if-none-match": '"x"'}).status_code == 200


@pytest.mark.anyio
async def test_a_page_that_was_made_costs_less_than_a_millisecond() -> None:
    app = Starlette(routes=[*the_guide().routes])
    (start, body) = await run(app, http_scope("/guide/security"))
    assert start["status"] == 200
    costs = []
    for _ in range(50):
        before = time.thread_time()
        assert (await run(app, http_scope("/guide/security")))[1] == body
        costs.append(time.thread_time() - before)
    assert min(costs) < 0.001


@pytest.mark.anyio
async def test_many_questions_at_a_time_take_no_turns_with_the_app() -> None:
    """Each of their threads would make the event loop wait: for seconds, when eighty ask."""
    guide, before = the_guide(), threading.active_count()
    path = "/guide/search.json"
    app = Starlette(routes=guide.routes)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answers = await asyncio.gather(*(client.get(path, params={"q": "a b"}) for _ in range(20)))
    assert all(answer.json() for answer in answers)
    assert threading.active_count() <= before + 1


def test_a_question_is_answered_without_scripts(visitor: TestClient) -> None:
    answer = visitor.get("/guide/search?q=one+verif")
    assert '<a href="/guide/security#2-one-verifier">' in answer.text
    assert "<mark>verify</mark>" in answer.text
    assert 'value="one verif"' in answer.text
    assert "Type a word" in visitor.get("/guide/search").text
    nothing = visitor.get("/guide/search?q=%3Czzzz%22").text
    assert "Nothing found for" in nothing
    assert "<zzzz" not in nothing
    assert 'value="&lt;zzzz&#34;"' in nothing


def test_a_script_is_answered_by_pieces_of_text(visitor: TestClient) -> None:
    (first, *_) = visitor.get("/guide/search.json?q=one+verif").json()
    assert first["address"] == "/guide/security#2-one-verifier"
    assert (first["title"], first["heading"]) == ("Security", "2. One verifier")
    assert ["verify", True] in first["excerpt"]
    assert visitor.get("/guide/search.json").json() == []


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/guide/security.md", "/guide/security"),
        ("/guide/README.md", "/guide"),
        ("/guide/README", "/guide"),
        ("/guide/", "/guide"),
        ("/guide/search/?q=x", "/guide/search"),
        ("/guide/security/", "/guide/security"),
    ],
)
def test_the_name_of_a_file_leads_to_its_page(visitor: TestClient, path: str, to: str) -> None:
    """It stays on the site, whatever host the request names."""
    answer = visitor.get(path, headers={"host": "evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (308, to)


@pytest.mark.parametrize("name", ["nothing", "security.py", "<b>", "json"])
def test_a_page_that_is_not_there_is_told_in_the_guides_look(
    visitor: TestClient, name: str
) -> None:
    answer = visitor.get(f"/guide/{name}")
    assert answer.status_code == 404
    assert 'action="/guide/search"' in answer.text
    assert "<b>" not in answer.text
