"""The brand as a setting: pages, stylesheet and emails follow what an operator sets, everywhere."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import Brand, EmailLogin, Passkeys, SecondFactors
from pwless_middleware.core.operators.settings import SettingsRecord
from pwless_middleware.database.database import Database
from pwless_middleware.errors import ConfigError, StoreError
from tests.support import Site, make_site

pytestmark = pytest.mark.anyio

EMAIL = "jo@example.com"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/pwless.db")
    yield database
    await database.aclose()


async def stylesheet(site: Site) -> str:
    """Return the colours as the login page asks for them."""
    visitor = site.browser()
    page = (await visitor.get("/auth/login")).text
    found = re.search(r"/auth/static/brand\.\w+\.css", page)
    assert found is not None
    return (await visitor.get(found[0])).text


async def test_pages_stylesheet_and_emails_follow_in_every_process(database: Database) -> None:
    one = make_site(database=database)
    other = make_site(database=database, store=one.store, clock=one.clock, outbox=one.outbox)
    assert "app.example.com</title>" in (await other.browser().get("/auth/login")).text
    current, changed = other.passwordless.settings._current, asyncio.Event()
    current.subscribe(changed.set)
    values = {"brand.name": "Acme", "brand.color": "#b00020", "brand.logo": "/static/acme.svg"}
    await one.passwordless.settings.set(values)
    async with asyncio.timeout(30):
        await changed.wait()
    for site in (one, other):
        page = (await site.browser().get("/auth/login")).text
        assert "Acme</title>" in page
        assert '<img src="/static/acme.svg" alt="Acme">' in page
        assert "--accent:#b00020" in await stylesheet(site)
    await other.browser().ask(EMAIL)
    assert "Acme" in one.mail().subject
    await one.passwordless.settings.reset(values)
    assert "app.example.com</title>" in (await one.browser().get("/auth/login")).text


async def test_a_stylesheet_of_the_colour_before_is_answered_with_the_one_that_holds(
    database: Database,
) -> None:
    """A page that is open keeps a brand, although its stylesheet's name has changed."""
    site = make_site(database=database)
    page = (await site.browser().get("/auth/login")).text
    found = re.search(r"/auth/static/brand\.\w+\.css", page)
    assert found is not None
    await site.passwordless.settings.set({"brand.color": "#b00020"})
    answer = await site.browser().get(found[0])
    assert "--accent:#b00020" in answer.text
    assert answer.headers["cache-control"] == "public, max-age=60"


async def test_what_code_says_of_the_brand_is_fixed_and_the_rest_is_not(
    database: Database,
) -> None:
    site = make_site(database=database, brand=Brand("Acme", color="#123456"))
    settings = site.passwordless.settings
    sources = {one.name: one.source for one in await settings.list() if "brand." in one.name}
    assert sources == {"brand.name": "code", "brand.color": "code", "brand.logo": "default"}
    with pytest.raises(ConfigError, match="given in code"):
        await settings.set({"brand.name": "Other"})
    await settings.set({"brand.logo": "data:image/png;base64,AA"})
    assert "data:image/png;base64,AA" in (await site.browser().get("/auth/login")).text


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"brand.name": ""}, "a text of 1 to 100 characters"),
        ({"brand.name": " "}, "brand.name: set 1 to 100 printable"),
        ({"brand.name": "Acme\nBcc: x@y.example"}, "printable"),
        ({"brand.name": 5}, "a text of 1"),
        ({"brand.color": "red"}, "brand.color: set a colour"),
        ({"brand.color": "#12345678"}, "of 0 to 7 characters, or null"),
        ({"brand.logo": "https://elsewhere.example/x.png"}, "brand.logo: set a path"),
        ({"brand.logo": "//elsewhere.example/x.png"}, "brand.logo: set a path"),
        ({"brand.logo": "data:image/png;base64," + "A" * 32_768}, "of 0 to 32768 characters"),
    ],
)
async def test_a_brand_that_cannot_be_is_refused_by_the_check_of_code(
    values: dict[str, object], says: str, database: Database
) -> None:
    site = make_site(database=database)
    with pytest.raises(ConfigError, match=says):
        await site.passwordless.settings.set(values)
    assert await site.passwordless.settings.history() == []


async def test_a_name_that_is_markup_is_shown_as_text(database: Database) -> None:
    site = make_site(database=database)
    await site.passwordless.settings.set({"brand.name": '<b>"A"</b>'})
    assert "<b>" not in (await site.browser().get("/auth/login")).text
    await site.browser().ask(EMAIL)
    assert "<b>" not in site.mail().html


async def test_authenticator_apps_and_passkeys_are_told_the_name_that_holds(
    database: Database,
) -> None:
    features = [EmailLogin(), Passkeys(), SecondFactors()]
    site = make_site(database=database, features=features)
    jo = site.browser()
    await jo.sign_in(EMAIL)
    await site.passwordless.settings.set({"brand.name": "Acme"})
    user_id = (await site.passwordless.people.list())[0].id
    enrollment = await site.passwordless.verbs(SecondFactors).begin_totp(user_id)
    assert "issuer=Acme" in enrollment.uri
    prompt = await site.passwordless.verbs(Passkeys).creation_options(user_id)
    rp: Any = prompt.options["rp"]
    assert rp["name"] == "Acme"


async def test_a_page_that_tells_of_an_outage_has_a_brand(database: Database) -> None:
    """Nothing that operators have set is known then."""
    site = make_site(database=database, brand=Brand("Acme"))

    class Down:
        async def newest(self) -> SettingsRecord:
            raise StoreError("the database cannot be asked")

    current: Any = site.passwordless.settings._current
    current.repository = Down()
    answer = await site.browser(headers={"accept": "text/html"}).ask(EMAIL)
    assert answer.status_code == 503
    assert "Acme</title>" in answer.text
