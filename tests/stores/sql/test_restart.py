"""A restart on a database signs nobody out: the app is made anew, and everybody goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import Database, Outbox, RedisStore, SQLStore
from pwless_middleware.errors import ConfigError
from tests.support import Browser, Clock, Site, make_site

pytestmark = pytest.mark.anyio


def start(url: str, outbox: Outbox, clock: Clock) -> Site:
    return make_site(database=url, outbox=outbox, clock=clock)


def carry_over(browser: Browser, site: Site) -> Browser:
    """Return the same person's browser, at the app that has begun anew."""
    return site.browser(cookies=dict(browser.cookies))


async def test_after_a_restart_everybody_is_in_and_codes_work(database_url: str) -> None:
    outbox, clock = Outbox(), Clock()
    before = start(database_url, outbox, clock)
    jo, sam = before.browser(), before.browser()
    await jo.sign_in("jo@example.com")
    await sam.ask("sam@example.com")
    code = before.mail("sam@example.com").code or ""
    await before.passwordless.lifetime.close()

    after = start(database_url, outbox, clock)
    jo, sam = carry_over(jo, after), carry_over(sam, after)
    assert await jo.who() == "jo@example.com"
    assert (await sam.type_code(code)).status_code == 303
    assert await sam.who() == "sam@example.com"
    assert (await sam.type_code(code)).status_code == 410, "spent once"
    await after.passwordless.lifetime.close()


async def test_a_store_that_is_named_stays(tmp_path: Path, redis_url: str) -> None:
    url = f"sqlite:///{tmp_path}/pwless.db"
    store = RedisStore(redis_url)
    assert make_site(database=url, store=store).passwordless.store is store
    assert isinstance(make_site(database=url).passwordless.store, SQLStore)
    assert isinstance(make_site(database=Database(url)).passwordless.store, SQLStore)


def test_what_is_no_database_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"SQLStore\(Database\("):
        SQLStore("sqlite:///pwless.db")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"store\.max_jobs"):
        SQLStore(Database("sqlite:///pwless.db"), max_jobs=0)
