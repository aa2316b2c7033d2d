"""Django with its admin, WhiteNoise and Channels, by the recipe of `RemoteUserMiddleware`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.apps.person import Person
from tests.apps.places import IN_PATH, ROOT, Site, needs, served
from tests.apps.promises import Promises

needs("django", "channels", "whitenoise", "hypercorn", "granian")

APP = "tests.apps.served.django_app:app"
# Beside the path, Django forgets the root path in links and Channels finds no route.
PLACES = IN_PATH


@pytest.fixture(scope="module")
def staff(site: Site) -> Iterator[Person]:
    """Return a browser of somebody who may use the admin."""
    with site.newcomer() as person:
        person.sign_in("/auth/login", email="staff@example.com")
        yield person


class TestDjango(Promises):
    page = "/hello?greeting=good%20day"
    stopped = ("/admin/", "/static/admin/css/base.css")

    def test_a_view_reads_the_user_in_both_ways(self, member: Person) -> None:
        told = member.http.get(member.url("/")).json()
        assert told["django"] == told["ours"] == "member@example.com"

    def test_names_and_redirects_are_django_s_own(self, member: Person) -> None:
        told = member.http.get(member.url("/")).json()
        assert told["hello"] == member.prefix + "/hello"
        assert told["absolute"] == member.url("/hello")
        assert member.at(member.open("/old")) == "/hello"

    def test_a_forged_header_is_not_believed(self, stranger: Person, member: Person) -> None:
        for name in ("Remote-User", "Remote_User", "REMOTE-USER"):
            forged = {name: "staff@example.com"}
            refused = stranger.http.get(stranger.url("/"), headers=forged)
            assert refused.status_code == 401
            told = member.http.get(member.url("/"), headers=forged).json()
            assert told["django"] == "member@example.com"

    def test_the_admin_is_for_staff(self, site: Site, member: Person) -> None:
        asked = member.open("/admin/")
        assert asked.status_code == 302
        assert member.at(asked) == f"/admin/login/?next={site.place.prefix}/admin/"

    def test_the_admin_works_with_its_forms_and_its_csrf_cookie(self, staff: Person) -> None:
        page = staff.visit("/admin/")
        assert page.status_code == 200
        assert "Site administration" in page.text
        style = f"{staff.prefix}/static/admin/css/base.css"
        assert style in page.text
        css = staff.http.get(staff.url("/static/admin/css/base.css"))
        assert (css.status_code, css.headers["content-type"]) == (200, 'text/css; charset="utf-8"')
        part = staff.http.get(
            staff.url("/static/admin/css/base.css"), headers={"range": "bytes=0-9"}
        )
        assert (part.status_code, part.content) == (206, css.content[:10])

        page = staff.visit("/admin/auth/group/add/")
        token = page.text.split('name="csrfmiddlewaretoken" value="', 1)[1].split('"', 1)[0]
        form = {"csrfmiddlewaretoken": token, "name": "Buyers", "_save": "Save"}
        url = staff.url("/admin/auth/group/add/")
        refused = staff.http.post(url, data={**form, "csrfmiddlewaretoken": "forged"})
        assert refused.status_code == 403
        done = staff.http.post(url, data=form, headers={"origin": staff.origin})
        assert done.status_code == 302
        assert staff.at(done) == "/admin/auth/group/"
        listing = staff.visit("/admin/auth/group/")
        assert "Buyers" in listing.text
        assert "was added successfully" in listing.text

    def test_another_reader_in_the_same_browser_is_another_django_user(
        self, stranger: Person
    ) -> None:
        stranger.sign_in("/auth/login", email="staff.one@example.com")
        assert stranger.visit("/admin/").status_code == 200
        stranger.sign_out()
        stranger.sign_in("/auth/login", email="next@example.com")
        assert stranger.open("/admin/").status_code == 302
        assert stranger.http.get(stranger.url("/")).json()["django"] == "next@example.com"

    def test_channels_own_user_is_django_s_and_ours_stays_beside_it(self, member: Person) -> None:
        member.http.get(member.url("/"))  # Django's session begins with the first page
        with member.socket("/ws") as ws:
            assert ws.recv(30) == "member@example.com"
            ws.send("django")
            assert ws.recv(30) == "django says member@example.com"


def test_django_s_stock_middleware_reads_the_identity_header() -> None:
    """In an async chain, Django 5.2 needs no class of one's own; forged headers are dropped."""
    stock = {"PWLESS_TEST_USER_MIDDLEWARE": "django.contrib.auth.middleware.RemoteUserMiddleware"}
    target = "tests.apps.served.django_app:stock"
    with served(target, ROOT, stock) as site, site.newcomer() as person:
        person.sign_in("/auth/login", email="header@example.com")
        for name in ("Remote-User", "Remote_User", "remote-user"):
            told = person.http.get(person.url("/"), headers={name: "staff@example.com"}).json()
            assert told["django"] == told["ours"] == "header@example.com"
