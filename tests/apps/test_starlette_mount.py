"""Inside a `Mount`: no lifespan reaches us, and the mount's path is part of the root path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.apps.person import Person
from tests.apps.places import (
    ROOT,
    ROOT_PATH_LEFT_IN_PATH,
    ROOT_PATH_PUT_BACK,
    Place,
    Site,
    needs,
    served,
)
from tests.apps.promises import Promises

needs("python_multipart", "granian")


# Not beside the path: Starlette's own `Mount` does not work there (`test_fastapi`).
@pytest.fixture(scope="module", params=[ROOT, ROOT_PATH_PUT_BACK, ROOT_PATH_LEFT_IN_PATH], ids=str)
def outside(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Serve the outer app."""
    mount = {"PWLESS_TEST_MOUNT": "/members"}
    with served("tests.apps.served.starlette_app:mounted", request.param, mount) as site:
        yield site


@pytest.fixture(scope="module")
def site(outside: Site) -> Site:
    """Return the wrapped app, as people see it."""
    place = Place(outside.place.kind, outside.place.prefix + "/members")
    return Site(place, outside.base_url + "/members", outside.server)


class TestInsideAMount(Promises):
    def test_what_is_outside_the_mount_stays_open(self, outside: Site, stranger: Person) -> None:
        assert stranger.http.get(outside.base_url + "/").text == "open to all"
        assert stranger.http.get(outside.base_url + "/auth/login").status_code == 404

    def test_url_for_is_the_apps_own(self, site: Site, member: Person) -> None:
        answer = member.http.get(member.url("/hello")).json()
        assert answer["root_path"] == site.place.prefix
        assert answer["user"] == "member@example.com"
