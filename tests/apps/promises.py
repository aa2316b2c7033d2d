"""What every wrapped app keeps, whatever it is made with: inherited by each framework's tests.

A child says where its page, its files and its sockets are; the promises are the same for all, and
each is asked at `/` and behind a proxy prefix (`conftest.site`).
"""

from __future__ import annotations

from typing import ClassVar

import pytest
from websockets.exceptions import InvalidStatus

from tests.apps.person import Person
from tests.apps.places import Site
from tests.support import led_to


class Promises:
    """Ask a wrapped app for what it promises.

    Attributes:
        page: a private page of the app with a query, which names its reader.
        stopped: further private paths: files, data, documentation.
        socket: a private websocket that says who speaks and echoes; `None` if the app has none.
    """

    page: ClassVar[str] = "/hello?greeting=good%20day&n=%C3%A9"
    stopped: ClassVar[tuple[str, ...]] = ()
    socket: ClassVar[str | None] = "/ws"

    def test_a_stranger_is_stopped_on_every_path(self, stranger: Person) -> None:
        for path in (self.page, *self.stopped, "/no-such-path"):
            response = stranger.http.get(stranger.url(path))
            assert response.status_code == 401, path
            assert response.json()["details"][0]["error_code"] == "UNAUTHENTICATED"
            assert "example.com" not in response.text
            asked = stranger.open(path)
            assert asked.status_code == 303, path
            assert stranger.at(asked).startswith("/auth/login?next="), path
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
                refused = stranger.http.request(method, stranger.url(path))
                assert refused.status_code == 401, (method, path)

    def test_a_strangers_socket_is_refused(self, stranger: Person) -> None:
        if self.socket is None:
            return
        with pytest.raises(InvalidStatus) as refused:
            stranger.socket(self.socket)
        assert refused.value.response.status_code in (401, 403)

    def test_a_login_comes_back_to_the_page_that_was_asked_for(self, stranger: Person) -> None:
        done = stranger.sign_in(self.page, email="comes.back@example.com")
        assert stranger.at(done) == self.page
        page = stranger.visit(stranger.at(done))
        assert page.status_code == 200
        assert "comes.back@example.com" in page.text

    def test_the_link_of_the_mail_signs_in_too(self, stranger: Person) -> None:
        stranger.submit(stranger.visit(self.page), email="by.link@example.com")
        link = stranger.newest_link()
        assert link.startswith(stranger.url("/auth/link?link_token="))
        done = stranger.submit(stranger.http.get(link))
        assert stranger.at(done) == self.page
        assert "by.link@example.com" in stranger.visit(self.page).text

    def test_a_login_without_a_page_comes_to_the_apps_first_page(
        self, site: Site, stranger: Person
    ) -> None:
        done = stranger.sign_in("/auth/login")
        assert led_to(done) == site.place.prefix + "/"

    def test_our_cookies_are_hidden_and_the_apps_own_are_kept(self, member: Person) -> None:
        member.http.get(member.url("/set-cookie"))
        page = member.http.get(member.url("/cookies"))
        assert page.status_code == 200
        assert "own" in page.text
        assert "of-the-app" in page.text
        assert "pwless" not in page.text

    def test_a_socket_works_and_knows_who_speaks(self, member: Person) -> None:
        if self.socket is None:
            return
        with member.socket(self.socket) as ws:
            assert ws.recv(30) == "member@example.com"
            ws.send("echo this")
            assert ws.recv(30) == "echo this"

    def test_a_large_upload_arrives_whole(self, member: Person) -> None:
        size = 3 * 1024 * 1024 + 11
        file = {"file": ("big.bin", b"u" * size, "application/octet-stream")}
        response = member.http.post(member.url("/upload"), files=file)
        assert response.status_code in (200, 201), response.text[:500]
        assert response.text.strip('"') == str(size)

    def test_a_stream_arrives_piece_by_piece(self, member: Person) -> None:
        lines = member.lines("/stream")
        assert next(lines) == "first"
        # The rest waits for this request, on another connection.
        with Person(member.base_url, member.mailbox) as other:
            other.http.cookies = member.http.cookies
            assert other.http.get(member.url("/go-on")).status_code == 200
        assert [line for line in lines if line] == ["second"]

    def test_logout_closes_the_app_again(self, stranger: Person) -> None:
        stranger.sign_in(self.page)
        assert stranger.http.get(stranger.url(self.page)).status_code == 200
        stranger.sign_out()
        assert stranger.http.get(stranger.url(self.page)).status_code == 401
