"""The page on which a person objects to a reset, and whoever tries something with its link.

Security rules 5 and 46.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.database.factors.factors import SQLFactors
from pwless_middleware.features.second_factors.options import SecondFactors
from pwless_middleware.features.second_factors.recovery.reset import OBJECTION_PATH
from pwless_middleware.kit import Kit, Mounted
from tests.factors import make_factor
from tests.features.second_factors.enrolled import (
    enroll,
    events_of,
    factors_of,
    make_factor_site,
    sign_in,
    user_id_of,
)
from tests.features.second_factors.people import (
    JO,
    KIM,
    App,
    verbs_of,
)
from tests.features.second_factors.recovery.test_reset import WAIT, do_due
from tests.support import Browser, Clock, Site, make_site, said, token_of

pytestmark = pytest.mark.anyio

URL = f"/auth{OBJECTION_PATH}"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path, reset_wait=WAIT)


async def ask_reset(site: Site, email: str = JO) -> tuple[Browser, App, str]:
    """Enroll somebody and have them reset; gives their browser, their app, and the mail's link."""
    browser, app = await enroll(site, email)
    await verbs_of(site).reset(await user_id_of(browser), by="operator:u-1")
    link = site.mail(email).link
    assert link is not None
    return browser, app, link


async def press(browser: Browser, link: str) -> tuple[int, str]:
    """Open the link's page and press its button."""
    await browser.get(link)
    done = await browser.post(URL, {"link_token": token_of(link)})
    return done.status_code, said(done)


async def test_who_objects_keeps_everything(site: Site) -> None:
    jo, app, link = await ask_reset(site)
    asked = await site.browser().get(link)
    assert asked.status_code == 200
    for time in ("15 January 2027, 08:00", "15 January 2027, 09:00"):
        assert time in said(asked)
    status, page = await press(site.browser(), link)
    assert (status, "are kept" in page) == (200, True)
    site.clock.now += WAIT
    await do_due(site)
    assert len((await factors_of(jo))["factors"]) == 1
    await sign_in(site.browser(), app)
    [event] = events_of(site, "factor.reset_objected")
    assert (event.user_id, event.by) == (await user_id_of(jo), "person")
    assert events_of(site, "factor.reset") == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_opening_it_changes_nothing(site: Site, method: str) -> None:
    """Mail scanners and previews open every link, with and without cookies."""
    jo, _, link = await ask_reset(site)
    for browser in (site.browser(), jo):
        for _ in range(2):
            assert (await browser.request(method, link)).status_code == 200
    assert events_of(site, "factor.reset_objected") == []
    site.clock.now += WAIT
    await do_due(site)
    assert await jo.who() is None


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"origin": "null"}])
async def test_another_site_cannot_press_it(site: Site, headers: dict[str, str]) -> None:
    _, _, link = await ask_reset(site)
    form = {"link_token": token_of(link)}
    assert (await site.browser().post(URL, form, headers=headers)).status_code == 403
    assert events_of(site, "factor.reset_objected") == []


async def test_pressed_twice_it_says_the_same(site: Site) -> None:
    _, _, link = await ask_reset(site)
    assert await press(site.browser(), link) == await press(site.browser(), link)
    opened = await site.browser().get(link)
    assert (opened.status_code, "are kept" in said(opened)) == (200, True)
    assert len(events_of(site, "factor.reset_objected")) == 1


async def test_after_it_is_done_it_is_too_late(site: Site) -> None:
    jo, _, link = await ask_reset(site)
    site.clock.now += WAIT
    await do_due(site)
    status, page = await press(site.browser(), link)
    assert (status, "too late" in page) == (410, True)
    assert "too late" in said(await site.browser().get(link))
    await jo.sign_in(JO)
    assert (await factors_of(jo))["factors"] == []
    assert events_of(site, "factor.reset_objected") == []


async def test_until_it_is_done_it_is_not(site: Site) -> None:
    """Its time has come, but no process has looked yet."""
    _, _, link = await ask_reset(site)
    site.clock.now += WAIT + 30
    assert (await press(site.browser(), link))[0] == 200
    await do_due(site)
    assert events_of(site, "factor.reset") == []


async def test_who_is_signed_in_reads_of_it_in_their_account_too(site: Site) -> None:
    """The mail may have gone astray, or been deleted by who is behind it all."""
    jo, _, link = await ask_reset(site)
    due_at = str(site.clock.now + WAIT)
    assert (await factors_of(jo))["reset_due_at"] == due_at
    page = await jo.get("/auth/account/second-factors")
    assert f'href="{link}"' in page.text
    assert "15 January 2027, 09:00 UTC all of them are removed" in said(page)
    await press(jo, link)
    assert link not in (await jo.get("/auth/account/second-factors")).text
    assert "reset_due_at" not in await factors_of(jo)


async def test_an_old_objection_is_none_to_the_next_reset(site: Site) -> None:
    jo, _, link = await ask_reset(site)
    await press(site.browser(), link)
    site.clock.now += 60
    await verbs_of(site).reset(await user_id_of(jo))
    assert site.mail(JO).link != link
    await press(site.browser(), link)
    assert len(events_of(site, "factor.reset_objected")) == 1
    site.clock.now += WAIT
    await do_due(site)
    assert await jo.who() is None


async def test_it_is_one_person_s_alone(site: Site) -> None:
    jo, _, link = await ask_reset(site)
    kim, _, _ = await ask_reset(site, KIM)
    await press(kim, link)
    site.clock.now += WAIT
    await do_due(site)
    assert (await jo.who(), await kim.who()) == (JO, None)


async def test_of_a_person_who_is_gone_it_tells_nothing(site: Site) -> None:
    jo, _, link = await ask_reset(site)
    await site.passwordless.people.delete(await user_id_of(jo), by="python")
    status, page = await press(site.browser(), link)
    assert (status, "no longer works" in page) == (410, True)


class Neighbor:
    """A feature of a host that seals what it is told to, for the same purpose."""

    def __init__(self) -> None:
        self.kit: Kit | None = None

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        return Mounted()


async def test_what_is_no_link_of_ours_objects_to_nothing(tmp_path: Path) -> None:
    """Changed, cut, of another mail, or sealed by another feature."""
    neighbor = Neighbor()
    site = make_factor_site(tmp_path, neighbor, reset_wait=WAIT)
    jo, app, link = await ask_reset(site)
    await sign_in(site.browser(), app)
    other = token_of(site.mail(JO).link)
    token = token_of(link)
    assert site.passwordless.database is not None
    assert neighbor.kit is not None
    id = await _reset_id(site, await user_id_of(jo))
    sealed = neighbor.kit.secrets.seal("object_to_reset", id)
    flipped = ("A" if token[0] != "A" else "B") + token[1:]
    for forged in ("", "x", token[:-4], token + "A", flipped, other, sealed, "é", "A" * 5000):
        done = await site.browser().post(URL, {"link_token": forged})
        assert done.status_code == 410, forged
        assert (await site.browser().get(URL)).status_code == 410
    assert events_of(site, "factor.reset_objected") == []


async def _reset_id(site: Site, user_id: str) -> bytes:
    found = await verbs_of(site)._flow.resets.find_open(user_id)
    assert found is not None
    return found.id


# --- at the same time ----------------------------------------------------------------------------

PEOPLE = 24


def make_shared_site(folder: str) -> Site:
    """Make a site whose store is in the database as well, for several processes."""
    features = [EmailLogin(), SecondFactors(reset_wait=WAIT)]
    return make_site(database=f"sqlite:///{folder}/pwless.db", features=features, clock=Clock())


def do_due_elsewhere(folder: str, begin: Barrier) -> None:
    """Do all that is due, in a process of its own."""

    async def run() -> None:
        site = make_shared_site(folder)
        site.clock.now += WAIT
        await site.passwordless.people.list()  # all is open and warm
        begin.wait(30)
        await do_due(site)
        await site.passwordless.lifetime.close()

    asyncio.run(run())


async def test_of_an_objection_and_a_reset_that_is_due_one_wins(tmp_path: Path) -> None:
    """Two processes, from both ends of the list: nobody is told what is not so."""
    site = make_shared_site(str(tmp_path))
    assert site.passwordless.database is not None
    factors = SQLFactors(site.passwordless.database)
    links: dict[str, str] = {}
    for number in range(PEOPLE):
        person = await site.passwordless.people.create(f"a{number}@example.com")
        factor = make_factor(person.id, number + 1, created_at=site.clock.now)
        assert await factors.add(factor, most=10, may_be_alone=True) == "added"
        await verbs_of(site).reset(person.id)
        links[person.id] = token_of(site.mail(person.email).link)
    site.clock.now += WAIT
    processes = multiprocessing.get_context("spawn")
    begin = processes.Barrier(2)
    other = processes.Process(target=do_due_elsewhere, args=(str(tmp_path), begin))
    other.start()
    await asyncio.to_thread(begin.wait, 30)
    kept = set()
    for user_id, link in reversed(links.items()):
        done = await site.browser().post(URL, {"link_token": link})
        assert done.status_code in (200, 410)
        kept |= {user_id} if done.status_code == 200 else set()
    await asyncio.to_thread(other.join, 60)
    assert other.exitcode == 0
    left = {id for id in links if (await verbs_of(site).state(id)).factors}
    assert left == kept
    page = await site.passwordless.events.find(kind="factor.reset", limit=1000)
    assert {event.event.user_id for event in page.events} == links.keys() - kept
    await site.passwordless.lifetime.close()
    assert 0 < len(kept) < PEOPLE, "they did not meet: nothing was tested"
