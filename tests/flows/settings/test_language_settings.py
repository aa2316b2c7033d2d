"""The languages as settings: what is offered follows what an operator sets, everywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pwless_middleware.core.operators.settings import SettingsRecord
from pwless_middleware.database.database import Database
from pwless_middleware.errors import ConfigError, InvalidArgument
from pwless_middleware.languages.languages import COMPLETE
from tests.support import Site, make_site

pytestmark = pytest.mark.anyio

EMAIL = "jo@example.com"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/pwless.db")
    yield database
    await database.aclose()


async def language_of(site: Site, accepted: str = "") -> str:
    """Return the language of the login page for a browser that asks for some."""
    visitor = site.browser(headers={"accept-language": accepted} if accepted else {})
    return (await visitor.get("/auth/login")).text.partition('lang="')[2].partition('"')[0]


async def test_pages_and_emails_are_written_in_what_is_offered_now(database: Database) -> None:
    site = make_site(database=database, roomy=True)
    settings = site.passwordless.settings
    assert [await language_of(site, tag) for tag in ("de", "en", "")] == ["de", "en", "en"]
    await settings.set({"languages.default": "de"})
    assert [await language_of(site, tag) for tag in ("de", "en", "")] == ["de", "en", "de"]
    await settings.set({"languages.offered": ["de"]})
    assert [await language_of(site, tag) for tag in ("de", "en", "")] == ["de", "de", "de"]
    jo = site.browser(headers={"accept-language": "en"})
    await jo.ask(EMAIL)
    assert "anmelden" in site.mail().text
    await settings.reset(["languages.offered", "languages.default"])
    assert [await language_of(site, tag) for tag in ("de", "en", "")] == ["de", "en", "en"]


async def test_without_a_default_english_or_else_the_first_holds(database: Database) -> None:
    site = make_site(database=database)
    await site.passwordless.settings.set({"languages.offered": ["de", "en"]})
    assert await language_of(site) == "en"
    await site.passwordless.settings.set({"languages.offered": ["de"]})
    assert await language_of(site) == "de"


async def test_people_choose_among_what_is_offered_now(database: Database) -> None:
    site = make_site(database=database)
    jo = site.browser()
    await jo.sign_in(EMAIL)
    people = site.passwordless.people
    await people.set_profile(EMAIL, language="de", by="test")
    await site.passwordless.settings.set({"languages.offered": ["en"]})
    assert 'lang="en"' in (await jo.get("/auth/account/profile")).text
    with pytest.raises(InvalidArgument, match="Send one of en"):
        await people.set_profile(EMAIL, language="de", by="test")
    changed = await jo.request("PATCH", "/auth/api/v1/account", json={"language": "de"})
    assert changed.status_code == 400


async def test_what_code_names_is_fixed(database: Database) -> None:
    site = make_site(database=database, languages=["de"])
    settings = site.passwordless.settings
    for name, value in {"languages.offered": ["en"], "languages.default": "en"}.items():
        assert (await settings.get(name)).source == "code"
        with pytest.raises(ConfigError, match="given in code"):
            await settings.set({name: value})
    assert await language_of(site, "en") == "de"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"languages.offered": []}, "one at least"),
        ({"languages.offered": ["xx"]}, f"set some of {', '.join(sorted(COMPLETE))}"),
        ({"languages.default": "xx"}, f"set {' or '.join(sorted(COMPLETE))}"),
        ({"languages.offered": ["en"], "languages.default": "de"}, r"default: .* offered: en"),
    ],
)
async def test_a_language_that_there_is_not_is_refused(
    values: dict[str, object], says: str, database: Database
) -> None:
    site = make_site(database=database)
    with pytest.raises(ConfigError, match=says):
        await site.passwordless.settings.set(values)


async def test_a_language_whose_file_is_gone_is_offered_no_more(database: Database) -> None:
    site = make_site(database=database)
    current = site.passwordless.settings._current
    await site.browser().get("/auth/login")
    current.take(SettingsRecord(1, 0, "", {"languages.offered": ("en", "xx")}))
    assert [await language_of(site, tag) for tag in ("xx", "de", "")] == ["en", "de", "en"]
