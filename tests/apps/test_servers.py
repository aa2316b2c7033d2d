"""What a server and an app say to each other passes untouched, on every server we name.

The app is bare ASGI (`served/bare.py`), so that no framework repairs or hides anything.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.apps.person import Person
from tests.apps.places import SERVERS, Place, Site, needs, served
from tests.apps.raw import exchange, head, status

needs("hypercorn", "granian", "httptools")

APP = "tests.apps.served.bare:app"
PLACES = SERVERS
pytestmark = pytest.mark.usefixtures("quiet")


def told(person: Person, path: str = "/page") -> dict[str, Any]:
    """Return what the app was told about a request."""
    response = person.http.get(person.url(path))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


# --- people --------------------------------------------------------------------------------------


def test_a_page_leads_to_login_and_login_leads_back_with_its_query(stranger: Person) -> None:
    done = stranger.sign_in("/page/two%20words?x=1&y=%C3%A9&x=2", email="back@example.com")
    assert stranger.at(done) == "/page/two%20words?x=1&y=%C3%A9&x=2"
    page = stranger.visit(stranger.at(done))
    assert page.json()["user"] == "back@example.com"
    assert page.json()["path"] == "/page/two words"


def test_a_link_signs_in_too(stranger: Person) -> None:
    stranger.submit(stranger.visit("/page?by=link"), email="link@example.com")
    done = stranger.submit(stranger.http.get(stranger.newest_link()))
    assert stranger.at(done) == "/page?by=link"
    assert told(stranger)["user"] == "link@example.com"


def test_logout_ends_it(stranger: Person) -> None:
    stranger.sign_in("/page")
    stranger.sign_out()
    assert stranger.http.get(stranger.url("/page")).status_code == 401


def test_the_app_sees_its_own_cookies_and_none_of_ours(member: Person) -> None:
    told(member)
    cookies = [value for name, value in told(member)["headers"] if name == "cookie"]
    assert cookies == ["own=of-the-app"]
    assert member.session_cookie[1]


def test_lifespan_state_reaches_the_app_beside_ours(site: Site, member: Person) -> None:
    answer = told(member)
    assert answer["seen"]["lifespan"] == ["lifespan.startup"]
    assert {"session", "user"} <= set(answer["state"])
    assert answer["pool"] == "a pool made at start"


def test_a_shared_cache_is_told_to_keep_nothing(member: Person) -> None:
    response = member.http.get(member.url("/page"))
    assert response.headers["cache-control"] == "private, no-cache"
    assert response.headers["vary"] == "Cookie"


def test_shutdown_reaches_the_app(place: Place) -> None:
    with served(APP, place) as site, site.newcomer() as person:
        person.sign_in("/page")
        site.server.stop()
        assert (Path(site.server.folder.name) / "shut_down").read_text() == "yes"


# --- websockets ----------------------------------------------------------------------------------


def test_a_socket_without_login_is_refused_before_it_is_open(stranger: Person) -> None:
    with pytest.raises(InvalidStatus) as refused:
        stranger.socket("/ws")
    assert refused.value.response.status_code == 401
    assert b"UNAUTHENTICATED" in refused.value.response.body


def test_a_socket_knows_who_speaks(member: Person) -> None:
    with member.socket("/ws", subprotocols=("chat.v1", "chat.v2")) as ws:
        assert ws.subprotocol == "chat.v2"
        assert ws.recv(30) == "member@example.com"
        ws.send("words")
        assert ws.recv(30) == "words"
        ws.send(b"\x00" * 100_000)
        assert ws.recv(30) == b"\x00" * 100_000
        ws.send("bye")
        with pytest.raises(ConnectionClosed):
            ws.recv(30)
        assert ws.close_code == 4000


def test_a_page_of_another_site_opens_no_socket_with_this_persons_cookie(member: Person) -> None:
    with pytest.raises(InvalidStatus):
        member.socket("/ws", origin="https://evil.example")


def test_a_public_socket_is_open_to_nobody_in_particular(stranger: Person) -> None:
    with stranger.socket("/open/ws") as ws:
        assert ws.recv(30) == "nobody"


@pytest.mark.parametrize("path", ["/auth/login", "/auth/sessions/ws"])
def test_no_socket_at_our_own_paths(member: Person, path: str) -> None:
    with pytest.raises(InvalidStatus):
        member.socket(path)


# --- streams, uploads, downloads -----------------------------------------------------------------


def test_the_first_event_arrives_before_the_second_is_made(member: Person) -> None:
    with httpx.Client(cookies=member.http.cookies, trust_env=False, timeout=30) as other:
        lines = member.lines("/stream")
        assert next(lines) == "data: 1"
        # The stream waits for this very request.
        assert other.get(member.url("/go")).text == "gone on"
        assert [line for line in lines if line] == ["data: 2"]


def test_a_large_upload_arrives_whole(member: Person) -> None:
    size = 6 * 1024 * 1024 + 7
    assert member.http.post(member.url("/upload"), content=b"x" * size).text == str(size)
    pieces = (b"y" * 50_000 for _ in range(60))
    assert member.http.post(member.url("/upload"), content=pieces).text == "3000000"


def test_a_large_download_arrives_whole(member: Person) -> None:
    response = member.http.get(member.url("/download"))
    assert response.headers["content-length"] == str(8 * 1024 * 1024)
    assert response.content == b"0123456789abcdef" * (512 * 1024)


def test_an_upload_without_login_is_refused_and_no_byte_reaches_the_app(site: Site) -> None:
    answer = exchange(
        site, head(site, "/upload", "Content-Length: 9").replace("GET", "POST") + "some data"
    )
    assert status(answer) == 401


def test_a_large_upload_without_login_gets_its_401_and_not_a_broken_pipe(
    stranger: Person,
) -> None:
    for _ in range(3):
        answer = stranger.http.post(stranger.url("/upload"), content=b"x" * 5_000_000)
        assert answer.status_code == 401
        assert answer.json()["details"][0]["error_code"] == "UNAUTHENTICATED"


def test_head_is_answered_without_a_body(site: Site, member: Person) -> None:
    response = member.http.head(member.url("/head"))
    assert response.status_code == 200
    assert response.headers["content-length"] == "12"
    assert response.headers["etag"] == '"v1"'
    # Ours too: the next answer on the connection must not begin with a body.
    assert member.http.head(member.url("/auth/login")).status_code == 200
    assert member.http.head(member.url("/auth/login")).content == b""
    assert told(member)["user"] == "member@example.com"


def test_a_client_that_asks_first_is_told_to_continue(site: Site, member: Person) -> None:
    lines = (f"Cookie: {member.cookies}", "Content-Length: 5", "Expect: 100-continue")
    with socket.create_connection(("127.0.0.1", site.server.port), 30) as connection:
        connection.sendall(head(site, "/upload", *lines).replace("GET", "POST").encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"12345")
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert status(answer) == 200
    assert b"\r\n5" in answer


def test_a_client_that_asks_first_without_login_may_keep_its_upload(site: Site) -> None:
    lines = ("Content-Length: 500000000", "Expect: 100-continue")
    answer = exchange(site, head(site, "/upload", *lines).replace("GET", "POST"))
    assert status(answer) == 401


def test_two_requests_written_at_once_are_answered_in_their_order(
    site: Site, member: Person
) -> None:
    cookie = f"Cookie: {member.cookies}"
    first = head(site, "/page?n=first", cookie).replace("Connection: close\r\n", "")
    private = head(site, "/page?n=private").replace("Connection: close\r\n", "")
    last = head(site, "/page?n=last", cookie)
    answer = exchange(site, first + private + last)
    statuses = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200, 401, 200]
    assert answer.index(b"n=first") < answer.index(b"UNAUTHENTICATED") < answer.index(b"n=last")


def test_an_app_hears_when_its_client_has_gone(member: Person) -> None:
    before = told(member)["seen"]["disconnects"]
    lines = member.lines("/endless")
    assert next(lines) == "tick"
    lines.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 30
    while told(member)["seen"]["disconnects"] == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_body_that_the_app_does_not_read_does_not_break_the_next_request(member: Person) -> None:
    for _ in range(3):
        assert member.http.post(member.url("/unread"), content=b"z" * 200_000).text == "not read"
    assert told(member)["user"] == "member@example.com"
