"""Flask, unmodified: the promises, and how its handlers read the user."""

from __future__ import annotations

from tests.apps.person import Person
from tests.apps.places import (
    HYPERCORN_IN_PATH,
    ROOT,
    ROOT_PATH_BESIDE_PATH,
    needs,
)
from tests.apps.promises import Promises

needs("flask", "a2wsgi", "hypercorn", "granian")

APP = "tests.apps.served.flask_app:app"
# a2wsgi cannot read an upload from granian, whose `receive()` gives no coroutine, with and without
# us.
PLACES = (ROOT, ROOT_PATH_BESIDE_PATH, HYPERCORN_IN_PATH)


class TestFlask(Promises):
    page = "/hello?greeting=good%20day"
    socket = None  # WSGI has none

    def test_redirects_and_flasks_own_session_work(self, member: Person) -> None:
        assert member.at(member.open("/old")) == "/hello?greeting=again"
        assert member.http.get(member.url("/")).text == "member@example.com 1"
        assert member.http.get(member.url("/")).text == "member@example.com 2"

    def test_a_forged_header_is_not_believed(self, member: Person, stranger: Person) -> None:
        for name in ("Remote-User", "Remote_User", "REMOTE-USER", "Remote.User"):
            forged = {name: "boss@example.com"}
            assert stranger.http.get(stranger.url("/"), headers=forged).status_code == 401
            told = member.http.get(member.url(self.page), headers=forged).json()
            assert told["says"] == "good day, member@example.com"
