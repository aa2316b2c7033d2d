"""The overview: numbers, charts with their tables, what is down, what is to be mended."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import EmailLogin, Kit, Mounted, User
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.features.dashboard.overview import problems
from tests.features.dashboard.crawl import Page
from tests.features.dashboard.operators import LOOK, OPS, make_dashboard, make_dashboard_site
from tests.own_account import signed_in
from tests.support import Browser, Site

pytestmark = pytest.mark.anyio

PATH = "/auth/dashboard/overview"
DAY = 86400


def text_of(html: str) -> str:
    """Return what a page says, without what is between the words."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split()).replace("\u202f", "")


async def shown(browser: Browser, range_: str = "week") -> str:
    page = await browser.get(f"{PATH}?range={range_}")
    assert page.status_code == 200, page.text
    return text_of(page.text)


async def write(site: Site, *events: Event) -> None:
    """Write events as another process does."""
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    await repositories.events.write([StoredEvent(event) for event in events])


def event(serial: int, at: int, kind: str, **fields: Any) -> Event:
    return Event(at=at, kind=kind, id=format_event_id(at, serial), **fields)


@pytest.mark.parametrize("range_", ["day", "week", "month", "quarter"])
async def test_what_just_happened_is_counted_in_every_range(tmp_path: Path, range_: str) -> None:
    site, ops = await make_dashboard(tmp_path)
    jo = await signed_in(site, "jo@example.com")
    await jo.ask("jo@example.com")
    await jo.type_code("000000" if site.mail().code != "000000" else "111111")
    page = await shown(ops, range_)
    assert "Sign-ins 2 0 in the" in page
    assert "Failures 1 With" in page
    assert "Wrong code 1 100%" in page
    assert "Code by email 2 100%" in page
    assert "People today 2 yesterday 0" in page
    assert "People this month 2 last month 0" in page


async def test_a_stranger_to_the_page_gets_the_last_week(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    page = await ops.get(PATH)
    (current,) = [one for one in Page(page.text).all("a") if one.get("aria-current") == "page"
                  and "range" in one["href"]]  # fmt: skip
    assert current["href"].endswith("?range=week")


async def test_each_time_has_its_own_numbers(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    now = site.clock.now
    signed_in_at = [now - 2 * 3600, now - 3 * DAY, now - 20 * DAY, now - 80 * DAY, now - 100 * DAY]
    await write(
        site,
        *(
            event(n, at, "session.created", user_id=f"u-{n}", methods=("passkey",))
            for n, at in enumerate(signed_in_at)
        ),
    )
    own = 1  # the operator's own
    for range_, count, before in (
        ("day", 1, 0),
        ("week", 2, 0),
        ("month", 3, 0),
        ("quarter", 4, 1),
    ):
        assert f"Sign-ins {count + own} {before} in the" in await shown(ops, range_), range_
    assert "With a second factor or passkey 50% of" in await shown(ops, "day")


async def test_failures_limits_emails_and_times_are_told_by_what(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    at = site.clock.now - DAY
    kinds: list[dict[str, Any]] = [
        {"kind": "login.refused", "reason": "expired"},
        {"kind": "login.refused", "reason": "expired"},
        {"kind": "caller.refused", "reason": "foreign_origin"},
        {"kind": "passkey.refused", "reason": "signature"},
        {"kind": "step.wrong", "method": "totp"},
        {"kind": "limit.reached", "reason": "send_by_address"},
        {"kind": "mail.sent", "details": {"seconds": 1}},
        {"kind": "mail.sent", "details": {"seconds": 3}},
        {"kind": "mail.sent", "details": {"seconds": 3}},
        {"kind": "mail.sent", "details": {"seconds": 45}},
        {"kind": "mail.deferred", "reason": "421 later"},
        {"kind": "mail.failed", "reason": "550 <script>no</script>"},
        {"kind": "mail.suppressed", "reason": "not_allowed"},
        {"kind": "sms.sent"},
        {"kind": "link.scanned"},
        {"kind": "link.opened_elsewhere"},
    ]
    await write(site, *(event(n, at, **fields) for n, fields in enumerate(kinds)))
    page = await shown(ops)
    for told in (
        "Too late: the code or link had expired 2 40%",
        "Page of a foreign site 1",
        "Passkey refused 1",
        "Wrong answer: Authenticator app 1",
        "Failures 5 With",
        "Emails to one address 1 100%",
        "Limits hit 1",
        "Half within (median) 3 s",
        "95 of 100 within 45 s",
        "up to 1 s 2",
        "up to 5 s 2",
        "up to 60 s 1",
        "Tried again 1",
        "Given up 1",
        "Not sent: The address is not allowed 1",
        "Text messages by outcome",
        "Fetched by a scanner or preview 1",
        "Opened in another browser 1",
    ):
        assert told in page, told
    assert "script" not in page


async def test_behind_each_chart_stands_a_table_with_its_numbers(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    site.clock.now += 2 * DAY
    await signed_in(site, OPS)
    ops = await signed_in(site, OPS)
    html = (await ops.get(PATH)).text
    charts = html.split('<div class="plot">')[1:]
    assert len(charts) == 3
    for chart in charts:
        titles = re.findall(r"<title>([^<]+)</title>", chart)
        table = chart[chart.index("<tbody>") : chart.index("</tbody>")]
        rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', table, re.DOTALL)
        assert len(titles) == len(rows) == 7
        for title, (day, cells) in zip(titles, reversed(rows), strict=True):
            label, _, told = title.partition(": ")
            assert label == day
            assert re.findall(r"\d+", told) == re.findall(r">(\d+)<", cells)
    assert re.search(r"<title>[^<]+: Sign-ins 2, Failures 0</title>", html)


@pytest.mark.parametrize(
    "query",
    ["range=year", "range=", "range=day&range=week", "rang=day", "range=%00", "x", "range=%ff"],
)
async def test_a_time_that_there_is_not_is_refused_in_words(tmp_path: Path, query: str) -> None:
    """Security rule 65."""
    _, ops = await make_dashboard(tmp_path)
    answer = await ops.get(f"{PATH}?{query}")
    assert answer.status_code == 400


# --- what is down --------------------------------------------------------------------------------


class Part:
    """A feature whose own check fails while it is told to."""

    def __init__(self) -> None:
        self.is_down = False

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(health={"warehouse": self.check})

    async def check(self) -> None:
        if self.is_down:
            raise RuntimeError("s3cret")


async def test_what_is_down_is_told_with_since_when_until_it_is_back(tmp_path: Path) -> None:
    part = Part()
    site, ops = await make_dashboard(tmp_path, features=[part])
    assert "Down now" not in await shown(ops)
    part.is_down = True
    first = site.clock.now = site.clock.now + 60
    assert "Down warehouse since" in await shown(ops)
    site.clock.now += 600
    page = (await ops.get(PATH)).text
    assert "s3cret" not in page
    (since,) = [one["datetime"] for one in Page(page).all("time")]
    assert site.passwordless._kit.clock() - first == 600
    assert since == _iso(first)
    part.is_down = False
    site.clock.now += 1
    assert "Down now" not in await shown(ops)


def _iso(at: int) -> str:
    from pwless_middleware.languages.times import format_iso

    return format_iso(at)


def _damage(folder: Path) -> None:
    for file in folder.glob("pwless.db*"):
        file.unlink()
    (folder / "pwless.db").write_text("Dear diary. " * 1000)


class Table:
    """A user table that has everybody, so that nobody asks the database who somebody is."""

    async def find(self, email: str) -> User | None:
        return User(email, email)

    async def create(self, email: str) -> User | None:
        return User(email, email)

    async def load(self, user_id: str) -> User | None:
        return User(user_id, user_id)


async def test_without_its_database_the_page_tells_that_and_comes(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path, users=Table())
    await shown(ops)
    database = site.passwordless.database
    assert database is not None
    await database.aclose()
    _damage(tmp_path)
    site.clock.now += 90
    async with asyncio.timeout(30):
        answer = await ops.get(PATH)
    page = text_of(answer.text)
    assert answer.status_code == 200
    assert "The database does not answer, so there are no numbers now." in page
    assert "Down The database since" in page
    assert "Sign-ins" not in page


# --- what is to be mended ------------------------------------------------------------------------


async def test_what_check_would_warn_of_is_told(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path, base_url="https://app.acme.example", public=["*"])
    ops = await signed_in(site, OPS)
    page = await shown(ops)
    assert "Wrong mailer Outbox sends nothing: nobody can sign in" in page
    assert "Warning public '*' lets everybody reach every path" in page
    assert "Warning workers MemoryStore" in page
    assert page.index("Wrong mailer") < page.index("Warning public"), "what is wrong comes first"
    assert "32 bytes or more" not in page, "what is right is not told"
    de = await signed_in(site, OPS, headers={"accept-language": "de"})
    assert "Outbox versendet nichts: Niemand kann sich anmelden" in await shown(de)


class Finds:
    """A feature that finds what it is told to."""

    def __init__(self) -> None:
        self.asked = 0

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(findings=(self.look,))

    async def look(self, *, may_ask: bool) -> list[Finding]:
        self.asked += 1
        return [Finding("warn", "shelf", f"it is <b>empty</b> {self.asked}")]


async def test_what_features_find_is_looked_for_once_a_minute(tmp_path: Path) -> None:
    finds = Finds()
    site, ops = await make_dashboard(tmp_path, features=[finds])
    page = (await ops.get(PATH)).text
    assert "it is &lt;b&gt;empty&lt;/b&gt; 1" in page
    site.clock.now += problems.KEPT_SECONDS - 1
    assert "it is <b>empty</b> 1" in unescape((await ops.get(PATH)).text)
    site.clock.now += 1
    assert "it is <b>empty</b> 2" in unescape((await ops.get(PATH)).text)


# --- the first visit -----------------------------------------------------------------------------


async def test_whoever_is_alone_is_told_what_to_do_first(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    page = await ops.get(PATH)
    assert "Nobody but you has signed in yet." in text_of(page.text)
    links = {one.get("href", "") for one in Page(page.text).all("a")}
    assert {"/auth/login", "/auth/dashboard/operators"} <= links
    await signed_in(site, "jo@example.com")
    assert "First steps" not in await shown(ops)


async def test_who_may_only_look_sees_it_all(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path, features=[EmailLogin()])
    look = await signed_in(site, LOOK)
    assert "Sign-ins 1" in await shown(look)


async def test_what_is_counted_can_be_read_in_the_log(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    at = site.clock.now - 3600
    await write(site, event(1, at, "login.refused", reason="expired"), event(2, at, "mail.failed"))
    page = await ops.get(f"{PATH}?range=month")
    links = [one["href"] for one in Page(page.text).all("a") if "/log?" in one.get("href", "")]
    kinds = {link.rpartition("=")[2] for link in links}
    assert {"session.created", "login.refused", "mail.sent", "mail.failed"} <= kinds
    for link in links:
        answer = await ops.get(link)
        assert answer.status_code == 200, link
        assert "span=month" in link
