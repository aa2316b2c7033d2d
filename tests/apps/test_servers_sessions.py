"""Sockets and streams that end with their session, HTTP/2, and real mail: on every server."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from websockets.exceptions import ConnectionClosed

from tests.apps.person import Person
from tests.apps.places import SERVERS, Place, Site, needs, served
from tests.ports import free_port

needs("hypercorn", "granian", "httptools", "h2", "wsproto")

APP = "tests.apps.served.bare:ending"
PLACES = (*SERVERS, Place("uvicorn-wsproto"))
pytestmark = pytest.mark.usefixtures("quiet")


def test_a_socket_ends_with_its_session(stranger: Person) -> None:
    stranger.sign_in("/page")
    with stranger.socket("/ws") as ws:
        assert "@example.com" in str(ws.recv(30))
        ws.send("still there")
        assert ws.recv(30) == "still there"
        began = time.monotonic()
        stranger.sign_out()
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(30)
        assert time.monotonic() - began < 20  # a second is promised; the machine may be busy
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


def test_a_client_that_reads_nothing_keeps_no_other_socket_open(
    site: Site, stranger: Person
) -> None:
    """A phone off the network does it by accident; on every server the close waited for it."""
    stranger.sign_in("/page")
    with contextlib.ExitStack() as sockets, site.newcomer() as member:
        member.sign_in("/page", email="stalls@example.com")
        stalled = member.unread_socket("/flood")
        sockets.callback(stalled.close)
        wait_for(member, "floods", 1)
        with stranger.socket("/ws") as ws:
            assert "@example.com" in str(ws.recv(30))
            member.sign_out()
            stranger.sign_out()
            with pytest.raises(ConnectionClosed) as closed:
                ws.recv(30)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401
        with site.newcomer() as watcher:
            watcher.sign_in("/page", email="watcher@example.com")
            wait_for(watcher, "floods", 0)  # and its app was let go


def test_no_message_is_lost_where_a_handler_waits_with_a_timeout(stranger: Person) -> None:
    stranger.sign_in("/page")
    sent = [str(number) for number in range(600)]
    with stranger.socket("/patient") as ws:
        for text in sent:
            ws.send(text)
            time.sleep(0.002)
        ws.send("end")
        assert str(ws.recv(30)).split(",") == sent


def test_a_long_poll_ends_when_its_client_has_left(stranger: Person) -> None:
    stranger.sign_in("/page")
    before = seen(stranger, "left")
    with pytest.raises(httpx.ReadTimeout):
        stranger.http.get(stranger.url("/poll"), timeout=0.5)
    wait_for(stranger, "left", before + 1)


def seen(person: Person, name: str) -> int:
    """Ask the app how many of something it has seen."""
    return int(person.http.get(person.url("/page")).json()["seen"][name])


def wait_for(person: Person, name: str, number: int) -> None:
    """Wait until the app has seen so many of something."""
    deadline = time.monotonic() + 30
    while seen(person, name) != number:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_event_stream_ends_with_its_session(stranger: Person) -> None:
    stranger.sign_in("/page")
    with Person(stranger.base_url, stranger.mailbox) as other:
        other.http.cookies = httpx.Cookies(stranger.http.cookies)
        lines = other.lines("/events")
        assert next(lines) == "data: tick"
        stranger.sign_out()
        # The stream has no end of its own.
        assert all(line in ("", "data: tick") for line in lines)


def test_a_stream_that_is_no_event_stream_is_left_alone(stranger: Person) -> None:
    stranger.sign_in("/page")
    with Person(stranger.base_url, stranger.mailbox) as other:
        other.http.cookies = httpx.Cookies(stranger.http.cookies)
        lines = other.lines("/endless")
        assert next(lines) == "tick"
        stranger.sign_out()
        began = time.monotonic()
        while time.monotonic() - began < 1.5:
            assert next(lines) == "tick"
        lines.close()  # type: ignore[attr-defined]


def test_cookies_in_crumbs_are_read_over_http_2(site: Site, member: Person) -> None:
    """HTTP/2 may split one `Cookie` header into several (RFC 9113 §8.2.3)."""
    if site.place.kind.startswith("uvicorn"):
        return  # speaks HTTP/1.1 alone
    crumbs = [("cookie", "own=1"), ("cookie", member.cookies), ("cookie", "more=2")]
    with httpx.Client(http1=False, http2=True, trust_env=False, timeout=30) as client:
        answer = client.get(member.url("/page"), headers=crumbs)
        assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
        assert answer.json()["user"] == "member@example.com"
        kept = [value for name, value in answer.json()["headers"] if name == "cookie"]
        assert "; ".join(kept).split("; ") == ["own=1", "more=2"]
        upload = client.post(member.url("/upload"), headers=crumbs, content=b"2" * 1_000_000)
        assert upload.text == "1000000"
        assert client.get(member.url("/page")).status_code == 401


class Mails:
    """An SMTP server that keeps what it is given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.texts.append(f"{envelope.rcpt_tos} {envelope.content.decode()}")
        return "250 OK"


@pytest.fixture(scope="module")
def mails() -> Iterator[tuple[Mails, str]]:
    """Run an SMTP server; give what it keeps, and its URL."""
    kept, port = Mails(), free_port()
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    yield kept, f"smtp://127.0.0.1:{port}"
    controller.stop()


def test_a_mail_that_was_promised_is_sent_before_the_server_ends(
    place: Place, mails: tuple[Mails, str]
) -> None:
    kept, url = mails
    env = {"PWLESS_TEST_SMTP": url}
    with served("tests.apps.served.bare:mailing", place, env) as site, site.newcomer() as person:
        address = f"{place.kind}@example.com"
        done = person.submit(person.visit("/page"), email=address)
        assert done.status_code == 303
        site.server.stop()
    assert len([text for text in kept.texts if text.startswith(f"['{address}']")]) == 1
