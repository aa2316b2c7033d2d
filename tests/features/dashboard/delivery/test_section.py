"""The pages of delivery: what waits, what was given up and why, and what an admin does about it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import pytest

from pwless_middleware import Passkeys, SecondFactors
from pwless_middleware.core.storage.job import Job, JobCount, ListedJob
from pwless_middleware.delivery.base import Message, RecipientDeferred, RecipientRefused
from pwless_middleware.delivery.fallback import FallbackMailer
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.delivery.smtp.mailer import SMTPMailer
from pwless_middleware.errors import DeliveryError, StoreError
from pwless_middleware.features.dashboard.delivery import changes
from pwless_middleware.features.dashboard.delivery.server_rows import make_server_rows
from pwless_middleware.features.dashboard.delivery.servers import Report
from pwless_middleware.features.dashboard.delivery.topics import TOPICS, topic_text
from pwless_middleware.flows.operators import delivery_view
from pwless_middleware.stores.base import Writes
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.stores.memory_jobs import MemoryJobs
from tests.features.dashboard.operators import HELP, LOOK, OPS, make_dashboard, make_dashboard_site
from tests.own_account import signed_in
from tests.support import Browser, Site, led_to, said

pytestmark = pytest.mark.anyio

PAGE = "/auth/dashboard/delivery"
GONE, FULL = "gone@example.com", "full@example.com"
NO_SUCH = "the server refuses the recipient: 550 5.1.1"
EVIL = '"><script>alert(1)</script>'


class Post(Outbox):
    """An outbox that does not take mail for some."""

    def __init__(self) -> None:
        super().__init__(max_messages=1000)
        self.errors: dict[str, Exception] = {
            GONE: RecipientRefused(NO_SUCH),
            FULL: RecipientDeferred("the server refuses the recipient: 452 4.2.2"),
        }

    async def send(self, message: Message) -> None:
        if message.to in self.errors:
            raise self.errors[message.to]
        await super().send(message)


async def make(folder: Path, address: str = OPS) -> tuple[Site, Browser, Post]:
    """Make a site with such an outbox, and an operator of it who has just signed in."""
    post = Post()
    site = make_dashboard_site(folder, outbox=post, features=[Passkeys(), SecondFactors()])
    return site, await signed_in(site, address), post


async def counted(site: Site) -> tuple[int, int]:
    """How many wait, and how many are dead."""
    count = await site.store.jobs.count(now=site.clock.now)
    return count.waiting, count.dead


def fields_of(page: str, action: str) -> list[dict[str, str]]:
    """The hidden fields of each form that leads to an action."""
    forms = re.findall(rf'<form[^>]*action="[^"]*/{action}".*?</form>', page, re.DOTALL)
    found = [re.findall(r'name="([^"]*)" value="([^"]*)"', form) for form in forms]
    return [dict(pairs) for pairs in found]


def kinds(site: Site) -> list[str]:
    told = [event.kind for event in site.passwordless.events.recent()]
    return [kind for kind in told if kind.startswith("delivery.")]


# --- to look -------------------------------------------------------------------------------------


async def test_where_nothing_waits_it_says_so(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    page = await ops.get(PAGE)
    assert page.status_code == 200
    assert "Goes out" in page.text
    assert "Nothing waits" in (await ops.get(f"{PAGE}/waiting")).text
    assert "Nothing was given up" in (await ops.get(f"{PAGE}/dead")).text


async def test_what_waits_stands_there_with_its_reason_in_words(tmp_path: Path) -> None:
    site, ops, _ = await make(tmp_path, LOOK)
    await site.browser().ask(FULL)
    page = unescape((await ops.get(f"{PAGE}/waiting")).text)
    assert "Email with a code or link" in page
    assert "does not want mail for this mailbox now" in page
    assert "452 4.2.2" in page
    assert FULL not in page
    first = unescape((await ops.get(PAGE)).text)
    assert "the oldest asked for just now" in first


async def test_what_was_given_up_stands_there_by_its_reason(tmp_path: Path) -> None:
    site, ops, post = await make(tmp_path, LOOK)
    post.errors["odd@example.com"] = RecipientRefused("550 who?")
    for address in (GONE, "odd@example.com", GONE):
        await site.browser().ask(address)
    page = unescape((await ops.get(f"{PAGE}/dead")).text)
    assert "has no such mailbox" in page
    assert page.index(NO_SUCH) < page.index("550 who?"), "the most frequent reason comes first"
    assert re.search(r'class="number" data-label="Messages">2<', page)
    assert "Try again" not in page, "who looks changes nothing"


async def test_each_server_stands_there_with_what_it_took(tmp_path: Path) -> None:
    site, ops, _ = await make(tmp_path)
    for address in (GONE, FULL):
        await site.browser().ask(address)
    page = unescape((await ops.get(PAGE)).text)
    row = re.search(r"<tr>\s*<td[^>]*><bdi>Post</bdi>.*?</tr>", page, re.DOTALL)
    assert row is not None
    assert re.findall(r'class="number"[^>]*>(\d+)<', row[0]) == ["1", "2"]
    assert ">Up<" in row[0]
    assert "452 4.2.2" in row[0]


async def test_a_server_that_fails_is_shown_as_such_and_one_that_was_not_used(
    tmp_path: Path,
) -> None:
    post = Post()
    post.errors["kim@example.com"] = DeliveryError("mail server a:587 cannot be used: OSError")
    spare = FallbackMailer(
        post, SMTPMailer("smtp://127.0.0.1:9", sender="a@acme.test", timeout=0.1)
    )
    site = make_dashboard_site(tmp_path, outbox=post, mailer=spare)
    worker = site.passwordless.deliveries
    kit = site.passwordless._kit
    names = {server.server: server for server in kit.delivery.servers()}
    assert list(names) == ["127.0.0.1:9", "Post"]
    rows = make_server_rows(Report(tuple(names.values())))
    assert {row.state for row in rows} == {"Not used yet"}
    assert kit.delivery.sender_domains() == ["acme.test"]
    states = []
    for _ in range(3):
        await site.browser().ask("kim@example.com")
        await worker.run_due()
        site.clock.advance(61)
        rows = make_server_rows(Report(tuple(kit.delivery.servers())))
        states.append({row.name: (row.state, row.tone) for row in rows})
    assert states[0]["Post"] == ("Failing", "warn")
    assert states[2]["Post"] == states[2]["127.0.0.1:9"] == ("Down", "bad")


async def test_a_mail_leads_to_its_login_in_the_log(tmp_path: Path) -> None:
    site, ops, _ = await make(tmp_path, LOOK)
    await site.browser().ask(GONE)
    (asked,) = [event for event in site.passwordless.events.recent() if event.kind == "mail.failed"]
    page = (await ops.get(f"{PAGE}/dead")).text
    has_log = any(p.path == "/dashboard/log" for p in site.passwordless._kit.offers.dashboard_pages)
    assert (f"/auth/dashboard/log/{asked.attempt}" in page) is has_log


async def test_what_is_of_no_use_any_more_is_marked(tmp_path: Path) -> None:
    site, ops, _ = await make(tmp_path, LOOK)
    await site.browser().ask(GONE)
    assert "Too late" not in (await ops.get(f"{PAGE}/dead")).text
    site.clock.advance(3600)
    assert "Too late" in (await ops.get(f"{PAGE}/dead")).text


async def test_many_are_shown_page_by_page_each_once(tmp_path: Path) -> None:
    site, ops, _ = await make(tmp_path)
    await bury(site, *(f"no {number:03}" for number in range(120)))
    seen: list[str] = []
    path = f"{PAGE}/dead"
    while path:
        page = (await ops.get(path)).text
        listed = page.partition("Next page")[0].rpartition("<caption")[2]
        seen += re.findall(r"no (\d{3})<", listed)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = unescape(following[1]) if following else ""
    assert seen == [f"{number:03}" for number in reversed(range(120))]


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=-1", "after=1'", "after=%00", "page=2", "done=all", "after=1&after=2"],
)
@pytest.mark.parametrize("state", ["waiting", "dead"])
async def test_a_query_that_is_none_is_refused(tmp_path: Path, state: str, query: str) -> None:
    _, ops = await make_dashboard(tmp_path)
    assert (await ops.get(f"{PAGE}/{state}?{query}")).status_code == 400


async def test_what_a_server_says_is_text(tmp_path: Path) -> None:
    """Security rule 61."""
    site, ops, _ = await make(tmp_path)
    await bury(site, EVIL, payload=b"\x09" + EVIL.encode())
    await site.store.write(Writes(jobs=(b"", b"\xff\xff", b"\x04mail")), now=site.clock.now, op="2")
    for path in ("", "/dead", "/waiting"):
        page = await ops.get(PAGE + path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
    assert "Unknown: written by somebody else" in page.text


async def bury(site: Site, *reasons: str, payload: bytes = b"") -> None:
    """Have jobs given up, each for its reason."""
    now = site.clock.now
    await site.store.write(Writes(jobs=(payload,) * len(reasons)), now=now, op=repr(reasons))
    jobs = await site.store.jobs.claim(now=now, limit=len(reasons))
    for job, reason in zip(jobs, reasons, strict=True):
        await site.store.jobs.bury(job, reason=reason, at=now)


# --- to change -----------------------------------------------------------------------------------


async def test_one_is_tried_again(tmp_path: Path) -> None:
    site, ops, post = await make(tmp_path)
    await site.browser().ask(GONE)
    del post.errors[GONE]
    (form,) = [
        form for form in fields_of((await ops.get(f"{PAGE}/dead")).text, "retry") if "job" in form
    ]
    done = await ops.post(f"{PAGE}/retry", form)
    assert led_to(done) == f"{PAGE}/dead?done=tried"
    assert "tried again now" in (await ops.get(led_to(done))).text
    assert post.latest(GONE) is not None
    assert await counted(site) == (0, 0)
    (event,) = [e for e in site.passwordless.events.recent() if e.kind == "delivery.retried"]
    assert event.details == {"count": 1, "state": "dead", "topics": "mail", "why": NO_SUCH}
    assert (event.by or "").startswith("operator:")


async def test_one_that_waits_is_tried_before_its_time(tmp_path: Path) -> None:
    site, ops, post = await make(tmp_path)
    await site.browser().ask(FULL)
    del post.errors[FULL]
    (form,) = fields_of((await ops.get(f"{PAGE}/waiting")).text, "retry")
    await ops.post(f"{PAGE}/retry", form)
    assert post.latest(FULL) is not None


async def test_all_of_a_reason_are_tried_again_and_no_others(tmp_path: Path) -> None:
    site, ops, post = await make(tmp_path)
    post.errors["odd@example.com"] = RecipientRefused("550 who?")
    for address in (GONE, "odd@example.com", GONE):
        await site.browser().ask(address)
    post.errors.clear()
    page = (await ops.get(f"{PAGE}/dead")).text
    first = next(form for form in fields_of(page, "retry") if "reason" in form)
    await ops.post(f"{PAGE}/retry", first)
    assert [m.to for m in post.messages if m.to in (GONE, "odd@example.com")] == [GONE, GONE]
    assert await counted(site) == (0, 1)


async def test_dropping_asks_once_more(tmp_path: Path) -> None:
    site, ops, post = await make(tmp_path)
    await site.browser().ask(FULL)
    page = (await ops.get(f"{PAGE}/waiting")).text
    link = re.search(r'href="([^"]*/drop\?[^"]*)"', page)
    assert link is not None
    asked = await ops.get(unescape(link[1]))
    assert "won’t be sent" in asked.text
    assert await counted(site) == (1, 0)
    (form,) = fields_of(asked.text, "drop")
    done = await ops.post(f"{PAGE}/drop", form)
    assert led_to(done) == f"{PAGE}/waiting?done=dropped"
    assert await counted(site) == (0, 0)
    assert kinds(site) == ["delivery.dropped"]
    assert post.latest(FULL) is None
    again = await ops.post(f"{PAGE}/drop", form)
    assert led_to(again) == f"{PAGE}/waiting?done=nothing"
    assert kinds(site) == ["delivery.dropped"], "of what was not done there is no event"
    assert "Nothing is left to drop" in (await ops.get(unescape(link[1]))).text


async def test_all_of_a_reason_are_dropped(tmp_path: Path) -> None:
    site, ops, _ = await make(tmp_path)
    await bury(site, "a", "b", "a", "a")
    page = (await ops.get(f"{PAGE}/dead")).text
    link = re.search(r'href="([^"]*/drop\?state=dead&amp;reason=[^"]*)"', page)
    assert link is not None
    asked = await ops.get(unescape(link[1]))
    assert "3 messages are dropped" in asked.text
    (form,) = fields_of(asked.text, "drop")
    await ops.post(f"{PAGE}/drop", form)
    assert await counted(site) == (0, 1)


async def test_one_far_behind_in_the_queue_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_AT_ONCE", 3)
    monkeypatch.setattr(changes, "_MOST_PAGES", 4)
    site, ops, _ = await make(tmp_path)
    await site.store.write(Writes(jobs=(b"",) * 20), now=site.clock.now, op="1")
    listed = await site.store.jobs.list("waiting", now=site.clock.now, limit=99)
    for number, done in ((10, "dropped"), (19, "nothing")):  # a page is never read without end
        form = {"state": "waiting", "job": listed[number].job.id}
        assert led_to(await ops.post(f"{PAGE}/drop", form)).endswith(f"done={done}")
    assert await counted(site) == (19, 0)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"state": "dead"},
        {"state": "all", "job": "1"},
        {"job": "1"},
        {"state": "dead", "job": "1", "reason": "0" * 16},
        {"state": "waiting", "reason": "0" * 16},
    ],
)
async def test_a_form_that_means_nothing_changes_nothing(
    tmp_path: Path, form: dict[str, str]
) -> None:
    site, ops, _ = await make(tmp_path)
    await bury(site, "a")
    for path in ("retry", "drop"):
        assert (await ops.post(f"{PAGE}/{path}", form)).status_code == 400
    assert await counted(site) == (0, 1)
    assert kinds(site) == []


async def test_a_job_that_is_not_there_is_told(tmp_path: Path) -> None:
    site, ops, _ = await make(tmp_path)
    for job in ("1", "x", "-", "'", "9" * 50):
        done = await ops.post(f"{PAGE}/retry", {"state": "dead", "job": job})
        assert led_to(done) == f"{PAGE}/dead?done=nothing"
    assert kinds(site) == []


async def test_who_may_not_change_it_cannot(tmp_path: Path) -> None:
    site, _, _ = await make(tmp_path)
    await bury(site, "a")
    for address in (LOOK, HELP):
        browser = await signed_in(site, address)
        (listed,) = await site.store.jobs.list("dead", now=site.clock.now, limit=9)
        form = {"state": "dead", "job": listed.job.id}
        for path in ("retry", "drop"):
            assert (await browser.post(f"{PAGE}/{path}", form)).status_code == 404
    assert await counted(site) == (0, 1)


async def test_without_the_database_nothing_is_done_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, ops, _ = await make(tmp_path)
    await bury(site, "a")
    (listed,) = await site.store.jobs.list("dead", now=site.clock.now, limit=9)

    async def fail(batch: object) -> None:
        raise StoreError("locked")

    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    monkeypatch.setattr(repositories.events, "write", fail)
    refused = await ops.post(f"{PAGE}/drop", {"state": "dead", "job": listed.job.id})
    assert refused.status_code == 503
    assert await counted(site) == (0, 1)


# --- while the store does not answer -------------------------------------------------------------


class StuckJobs(MemoryJobs):
    """A queue that hangs once it is told to."""

    is_stuck = False

    async def count(self, *, now: int) -> JobCount:
        if self.is_stuck:
            await asyncio.sleep(60)
        return await super().count(now=now)

    async def list(self, state: object, **given: object) -> Sequence[ListedJob]:
        if self.is_stuck:
            await asyncio.sleep(60)
        return await super().list(state, **given)  # type: ignore[arg-type]


async def test_a_page_comes_while_the_queue_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_view, "SECONDS", 0.05)
    store = MemoryStore()
    jobs = store.jobs = StuckJobs(most=100)
    _, ops = await make_dashboard(tmp_path, store=store)
    jobs.is_stuck = True
    async with asyncio.timeout(30):
        for path in ("", "/waiting", "/dead"):
            page = await ops.get(PAGE + path)
            assert page.status_code == 200
            assert "does not answer" in said(page) or "does not answer" in page.text
    assert "Outbox" in (await ops.get(PAGE)).text or "Mailbox" in (await ops.get(PAGE)).text


# --- words ---------------------------------------------------------------------------------------


async def test_every_topic_of_the_product_has_its_words(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path, features=[Passkeys(), SecondFactors()])
    known = site.passwordless._kit.delivery._topics._owners
    assert [topic for topic in known if topic not in TOPICS] == []
    assert topic_text("own_job") == "Job “own_job”"


def test_a_listed_job_shows_no_payload() -> None:
    assert "secret" not in repr(ListedJob(Job("1", b"secret", 0), 0, is_claimed=False, place="1"))
