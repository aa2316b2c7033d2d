"""Gradio: its page, its queue over server-sent events, its uploads, and who calls a function."""

from __future__ import annotations

import json

from tests.apps.person import Person
from tests.apps.places import HYPERCORN_IN_PATH, ROOT, needs

needs("gradio", "hypercorn")

APP = "tests.apps.served.gradio_app:app"
# Two places: each start costs seconds, for pandas. Not granian, where Gradio's own assets are 500,
# with and without us.
PLACES = (ROOT, HYPERCORN_IN_PATH)


def call(person: Person, name: str, *data: object) -> object:
    """Call a function as Gradio's clients do: join the queue, then read the events."""
    url = person.url(f"/ui/gradio_api/call/{name}")
    joined = person.http.post(url, json={"data": list(data)})
    assert joined.status_code == 200, joined.text
    event = ""
    for line in person.lines(f"/ui/gradio_api/call/{name}/{joined.json()['event_id']}"):
        if line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: ") and event == "complete":
            return json.loads(line.removeprefix("data: "))[0]
    raise AssertionError(f"the last event was {event!r}")


def test_a_stranger_is_stopped_on_every_path(stranger: Person) -> None:
    for path in ("/ui/", "/ui/config", "/ui/gradio_api/info", "/ui/assets/index.js"):
        assert stranger.http.get(stranger.url(path)).status_code == 401, path
    called = stranger.http.post(stranger.url("/ui/gradio_api/call/greet"), json={"data": ["x"]})
    assert called.status_code == 401
    sent = stranger.http.post(stranger.url("/ui/gradio_api/upload"), files={"files": b"x"})
    assert sent.status_code == 401


def test_a_login_comes_back_to_the_page(stranger: Person) -> None:
    done = stranger.sign_in("/ui/?__theme=dark")
    assert stranger.at(done) == "/ui/?__theme=dark"
    page = stranger.visit("/ui/?__theme=dark")
    assert page.status_code == 200
    assert "Greeter" in page.text


def test_its_page_loads_its_files_from_where_it_is_shown(member: Person) -> None:
    page = member.visit("/ui/").text
    config = member.http.get(member.url("/ui/config")).json()
    assert config["root"] == member.url("/ui")
    script = page.split('src="./assets/', 1)[1].split('"', 1)[0]
    loaded = member.http.get(member.url(f"/ui/assets/{script}"))
    assert (loaded.status_code, "javascript" in loaded.headers["content-type"]) == (200, True)


def test_a_function_knows_who_calls(member: Person) -> None:
    assert call(member, "greet", "good day") == "good day, member@example.com"


def test_a_large_upload_reaches_a_function(member: Person) -> None:
    size = 3 * 1024 * 1024 + 5
    sent = member.http.post(
        member.url("/ui/gradio_api/upload"), files={"files": ("big.bin", b"g" * size)}
    )
    assert sent.status_code == 200, sent.text
    file = {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}
    assert call(member, "count", file) == str(size)


def test_logout_closes_it(stranger: Person) -> None:
    stranger.sign_in("/ui/")
    assert stranger.http.get(stranger.url("/ui/config")).status_code == 200
    stranger.sign_out()
    assert stranger.http.get(stranger.url("/ui/config")).status_code == 401
