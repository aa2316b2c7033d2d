"""`pwless revoke`: who is signed out by it, in an app that is running meanwhile."""

from __future__ import annotations

import asyncio
import time

import pytest

from pwless_middleware.cli.installation import OUT_OF_REACH
from tests.cli.conftest import Project
from tests.support import Browser, Clock, Site, make_site

JO, KIM = "jo@example.com", "kim@example.com"
URL = "sqlite:///app.db"


@pytest.fixture
def app(project: Project) -> Project:
    """An app with a database in its folder."""
    project.wrapped(f"base_url='http://localhost:8000', mailer=Outbox(), database={URL!r}")
    return project


async def signed_in(site: Site, email: str) -> Browser:
    browser = site.browser()
    await browser.sign_in(email)
    assert await browser.who() == email
    return browser


def revoke(app: Project, *args: str) -> str:
    """Run the command on the app, and return what it prints."""
    code, out, err = app.run("revoke", *args, "--app", "site_app:app")
    assert (code, err) == (0, "")
    return out


def test_the_sessions_of_people_end_and_no_others(app: Project) -> None:
    async def live() -> None:
        site = make_site(
            database=URL, base_url="http://localhost:8000", clock=Clock(int(time.time()))
        )
        phone, laptop, kim = [await signed_in(site, email) for email in (JO, JO, KIM)]
        said = await asyncio.to_thread(revoke, app, "Jo@Example.com", "nobody@example.com")
        assert said.splitlines() == [
            "Jo@Example.com: 2 sessions ended",
            "nobody@example.com: no session to end; is the address right?",
        ]
        await asyncio.sleep(0.1)  # what the feed promises
        assert [await browser.who() for browser in (phone, laptop, kim)] == [None, None, KIM]
        await site.passwordless.lifetime.close()

    asyncio.run(live())


def test_everybody_is_signed_out_and_can_sign_in_again(app: Project) -> None:
    async def live() -> None:
        clock = Clock(int(time.time()))
        site = make_site(database=URL, base_url="http://localhost:8000", clock=clock)
        jo, kim = [await signed_in(site, email) for email in (JO, KIM)]
        assert await asyncio.to_thread(revoke, app, "--all") == "everybody is signed out\n"
        await asyncio.sleep(0.1)
        assert [await browser.who() for browser in (jo, kim)] == [None, None]
        clock.advance(60)
        await signed_in(site, JO)
        await site.passwordless.lifetime.close()

    asyncio.run(live())


def test_sessions_in_the_app_s_memory_are_out_of_reach(app: Project) -> None:
    app.wrapped("base_url='http://localhost:8000', mailer=Outbox()")
    code, out, err = app.run("revoke", JO, "--app", "site_app:app")
    assert (code, out, err.strip()) == (1, "", OUT_OF_REACH)


@pytest.mark.parametrize("args", [(), (JO, "--all")])
def test_it_asks_whom(app: Project, args: tuple[str, ...]) -> None:
    code, out, err = app.run("revoke", *args, "--app", "site_app:app")
    assert (code, out) == (2, "")
    assert "name people, or say --all" in err
