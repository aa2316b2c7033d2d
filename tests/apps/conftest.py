"""One server per test file and place, and one person who is signed in there."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.apps.person import Person
from tests.apps.places import PLACES, Place, Site, served


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask each test of a file at each of its `PLACES`; by default, at all of ours."""
    if "place" in metafunc.fixturenames:
        places = getattr(metafunc.module, "PLACES", PLACES)
        metafunc.parametrize("place", places, ids=str, scope="module")


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, place: Place) -> Iterator[Site]:
    """Serve the file's `APP` (`module:name`) at a place."""
    with served(request.module.APP, place) as site:
        yield site


@pytest.fixture(scope="module")
def member(site: Site) -> Iterator[Person]:
    """Return a browser that is signed in as member@example.com."""
    with site.newcomer() as person:
        person.sign_in("/auth/login", email="member@example.com")
        yield person


@pytest.fixture
def stranger(site: Site) -> Iterator[Person]:
    """Return a browser that nobody has signed in with."""
    with site.newcomer() as person:
        yield person


@pytest.fixture
def quiet(site: Site) -> Iterator[None]:
    """Fail a test during which the server wrote a traceback."""
    before = site.server.log.count("Traceback")
    yield
    assert site.server.log.count("Traceback") == before, site.server.log[-4000:]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the server wrote beside a test that failed."""
    report = yield
    site = getattr(item, "funcargs", {}).get("site")
    if report.failed and isinstance(site, Site):
        report.sections.append(("server", site.server.log[-4000:]))
    return report
