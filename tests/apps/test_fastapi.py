"""FastAPI: dependencies, documentation, mounts, files, background tasks; wrapped and added."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.apps.person import Person
from tests.apps.places import EVERY_PLACE, ROOT, ROOT_PATH_BESIDE_PATH, Place, Site, needs, served
from tests.apps.promises import Promises

needs("fastapi", "python_multipart", "hypercorn")


@pytest.fixture(
    scope="module",
    params=[(place, "app") for place in EVERY_PLACE]
    + [(ROOT, "added"), (ROOT_PATH_BESIDE_PATH, "added")],
    ids=lambda param: f"{param[0]}-{param[1]}",
)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Serve the app at each place, wrapped in one line, and at two of them by `add_middleware`."""
    place: Place = request.param[0]
    with served(f"tests.apps.served.fastapi_app:{request.param[1]}", place) as site:
        yield site


class TestFastAPI(Promises):
    stopped = ("/docs", "/openapi.json", "/static/site.css", "/sub/who", "/redoc")

    def test_starlettes_own_ways_find_the_user(self, member: Person) -> None:
        answer = member.http.get(member.url("/starlette")).json()
        assert answer == {"user": "member@example.com", "pool": "a pool made at start"}

    def test_a_dependency_may_refuse(self, member: Person) -> None:
        assert member.http.get(member.url("/admin")).status_code == 403

    def test_the_documentation_works(self, site: Site, member: Person) -> None:
        page = member.visit("/docs")
        assert page.status_code == 200
        assert f"{site.place.prefix}/openapi.json" in page.text
        schema = member.http.get(member.url("/openapi.json")).json()
        assert schema["info"]["title"] == "Orders"
        assert "/hello" in schema["paths"]

    def test_a_mounted_app_reads_the_user(self, site: Site, member: Person) -> None:
        if site.place == ROOT_PATH_BESIDE_PATH:
            return  # see below
        answer = member.http.get(member.url("/sub/who")).json()
        assert answer == {
            "user": "member@example.com",
            "root_path": site.place.prefix + "/sub",
        }
        assert member.at(member.open("/sub/who/")) == "/sub/who"

    def test_url_for_and_redirects_are_the_apps_own(self, member: Person) -> None:
        assert member.at(member.open("/old")) == "/hello"
        urls = member.http.get(member.url("/")).json()
        assert urls == {"login": member.url("/hello"), "sub": "/hello"}

    @pytest.mark.parametrize("path", ["/static/site.css", "/file"])
    def test_files_answer_ranges_and_conditions(
        self, site: Site, member: Person, path: str
    ) -> None:
        if path == "/static/site.css" and site.place == ROOT_PATH_BESIDE_PATH:
            return  # see below
        whole = member.http.get(member.url(path))
        assert len(whole.content) == 21_000
        assert whole.headers["cache-control"] == "private, no-cache"
        part = member.http.get(member.url(path), headers={"range": "bytes=5-9"})
        assert (part.status_code, part.content) == (206, whole.content[5:10])
        assert part.headers["content-range"] == "bytes 5-9/21000"
        same = {"if-none-match": whole.headers["etag"]}
        if path == "/static/site.css":
            assert member.http.get(member.url(path), headers=same).status_code == 304

    def test_background_tasks_run_after_the_answer(self, member: Person) -> None:
        assert member.http.post(member.url("/notes")).json() == "later"
        notes: list[str] = []
        for _ in range(200):  # it runs beside the next requests
            notes = member.http.get(member.url("/notes")).json()
            if notes:
                break
        assert "written after the answer for member@example.com" in notes


def test_what_starlette_cannot_mount_alone_it_cannot_mount_behind_us() -> None:
    """`Mount` needs the root path in the path, as ASGI has it; hypercorn leaves it beside.

    With a proxy that does not strip the prefix, mounts work on hypercorn too.
    """
    with served("tests.apps.served.fastapi_app:bare", ROOT_PATH_BESIDE_PATH) as alone:
        found = httpx.get(alone.base_url + "/static/site.css", trust_env=False, timeout=30)
        assert found.status_code == 404


@pytest.mark.parametrize("name", ["cors_outside", "cors_within"])
def test_a_front_end_of_another_origin_gets_its_preflights_answered(name: str) -> None:
    front = {"origin": "http://front.localhost:3000"}
    asks = {**front, "access-control-request-method": "PUT"}
    with served(f"tests.apps.served.fastapi_app:{name}", ROOT) as site, site.newcomer() as person:
        asked = person.http.options(person.url("/hello"), headers=asks)
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == front["origin"]
        assert "example.com" not in asked.text
        evil = person.http.options(
            person.url("/hello"), headers={**asks, "origin": "http://evil.example"}
        )
        assert evil.status_code == 400
        # Not a preflight, whatever its method: it has no `Access-Control-Request-Method`.
        assert person.http.options(person.url("/hello"), headers=front).status_code == 401
        refused = person.http.get(person.url("/hello"), headers=front)
        assert refused.status_code == 401
        person.sign_in("/hello?greeting=hi")
        answer = person.http.get(person.url("/hello?greeting=hi"), headers=front)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == front["origin"]
        assert answer.headers["access-control-allow-credentials"] == "true"
        vary = {part.strip() for part in answer.headers["vary"].split(",")}
        assert {"Origin", "Cookie"} <= vary
        if name == "cors_outside":
            # So that the front end may read why.
            assert refused.headers["access-control-allow-origin"] == front["origin"]
