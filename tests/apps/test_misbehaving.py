"""An app that does it wrong behaves as it would without us, on every server.

Each is asked twice on the same server: as it is, and behind the gate by somebody signed in. What
the client sees must be the same, but for the two headers that keep private answers out of caches.
"""

from __future__ import annotations

import socket
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.apps.person import Person
from tests.apps.places import SERVERS, Site, needs
from tests.apps.served.misbehaving import APPS
from tests.apps.servers import Kind, Server

needs("hypercorn", "granian", "httptools")

APP = "tests.apps.served.misbehaving:app"
PLACES = SERVERS
OURS = (b"vary: cookie", b"cache-control: private, no-cache")


def seen(site: Site, member: Person, path: str, patience: float) -> tuple[list[bytes], bytes, bool]:
    """Return what a client sees: head lines without ours and the date, body, if it waits on."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {member.cookies}\r\n"
    request += "Connection: close\r\n\r\n"
    answer, waits = b"", False
    with socket.create_connection(("127.0.0.1", site.server.port), 30) as connection:
        connection.sendall(request.encode())
        try:
            connection.settimeout(30)
            answer = connection.recv(65536)
            connection.settimeout(patience)
            while piece := connection.recv(65536):
                answer += piece
        except TimeoutError:
            waits = True
        except ConnectionResetError:
            pass
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = [
        line
        for line in head.split(b"\r\n")
        if line.lower() not in OURS and not line.lower().startswith(b"date:")
    ]
    return lines, body, waits


SOCKETS = [name for name in APPS if name.startswith("socket-")]
ANSWERS = [name for name in APPS if name not in (*SOCKETS, "never", "gone")]


@pytest.mark.parametrize("name", ANSWERS)
def test_it_behaves_as_without_us(site: Site, member: Person, name: str) -> None:
    for patience in (0.4, 10):  # what comes late on a busy machine is no difference
        behind = seen(site, member, f"/{name}", patience)
        alone = seen(site, member, f"/bare/{name}", patience)
        if behind == alone:
            break
    if name == "no-headers-key" and site.place.kind == "granian":
        # ASGI lets an app leave the headers out; granian answers 500 to that, until we add some.
        assert (alone[0][0][9:12], behind[1]) == (b"500", b"no headers at all")
        return
    assert behind == alone
    # The server lives, and serves the next one.
    assert member.http.get(member.url("/gone")).status_code == 200


def test_one_that_never_answers_hears_that_its_client_gave_up(site: Site, member: Person) -> None:
    before = member.http.get(member.url("/gone")).text
    for path in ("/bare/never", "/never"):
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {member.cookies}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", site.server.port), 30) as connection:
            connection.sendall(request.encode())
            connection.settimeout(0.4)
            with pytest.raises(TimeoutError):
                connection.recv(1)
    bare, behind = (int(number) for number in before.split())
    deadline = time.monotonic() + 30
    while member.http.get(member.url("/gone")).text != f"{bare + 1} {behind + 1}":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def talk(member: Person, path: str) -> list[object]:
    """Return what a client hears of a socket, to its end."""
    heard: list[object] = []
    try:
        with member.socket(path) as ws:
            while True:
                heard.append(ws.recv(30))
    except InvalidStatus as refused:
        heard.append(refused.response.status_code)
    except ConnectionClosed as closed:
        heard.append((closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else None)
    return heard


@pytest.mark.parametrize("name", SOCKETS)
def test_its_sockets_behave_as_without_us(member: Person, name: str) -> None:
    assert talk(member, f"/{name}") == talk(member, f"/bare/{name}")


def test_an_app_of_its_own_caching_keeps_it(member: Person) -> None:
    answer = member.http.get(member.url("/own-cache-control"))
    assert answer.headers["cache-control"] == "public"
    assert {part.strip() for part in answer.headers["vary"].split(",")} == {"Accept", "Cookie"}


@pytest.mark.parametrize("kind", ["uvicorn", "hypercorn"])
@pytest.mark.parametrize("name", ["bare_unready", "behind_unready"])
def test_an_app_that_does_not_start_keeps_its_server_from_starting(kind: Kind, name: str) -> None:
    server = Server(kind, f"tests.apps.served.misbehaving:{name}")
    with pytest.raises(RuntimeError, match="the database is away"):
        server.wait()
