"""The log as a file: complete, for who may have it, and nothing that a spreadsheet runs."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.errors import Unauthenticated
from pwless_middleware.features.dashboard.log.csv_lines import write_csv_line
from tests.features.dashboard.operators import HELP, LOOK, OPS, make_dashboard, make_dashboard_site
from tests.own_account import signed_in
from tests.support import Site

pytestmark = pytest.mark.anyio

EXPORT = "/auth/dashboard/log/export"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "＠x"]


async def fill(site: Site, count: int, **fields: Any) -> None:
    repository = site.passwordless.events.repository
    assert repository is not None
    now = site.clock.now
    made = [
        StoredEvent(
            Event(at=now, kind="login.refused", id=format_event_id(now, n), reason="used",
                  attempt=f"attemp{n:04}", **fields),
            "jo@example.com",
        )
        for n in range(count)
    ]  # fmt: skip
    await repository.write(made)


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_is_run_by_a_spreadsheet(cell: str) -> None:
    """Security rule 61."""
    (row,) = csv.reader(StringIO(write_csv_line(["a", cell, None, 5]), newline=""))
    assert row == ["a", f"'{cell}", "", "5"]
    assert not row[1].startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("cell", ["plain", 'a "quoted" one', "a,b;c", "two\nlines", "Zoë", "a=1"])
def test_other_cells_come_back_as_they_were(cell: str) -> None:
    assert [*csv.reader(StringIO(write_csv_line([cell]), newline=""))] == [[cell]]


async def test_everything_goes_along_in_either_form(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await fill(site, 1_203, details={"name": "=HYPERLINK(1)"}, device="=cmd|' /C calc'!A0")
    answer = await ops.get(f"{EXPORT}?view=events&format=ndjson&kind=login.refused")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["cache-control"] == "no-store"
    events = [json.loads(line) for line in answer.text.splitlines()]
    assert len({event["id"] for event in events}) == 1_203
    assert events[0]["attempt"] == "attemp1202"
    answer = await ops.get(f"{EXPORT}?view=events&format=csv&kind=login.refused")
    assert answer.headers["content-disposition"].startswith('attachment; filename="events-')
    rows = [*csv.DictReader(StringIO(answer.text, newline=""))]
    assert [row["id"] for row in rows] == [event["id"] for event in events]
    assert rows[0]["email"] == "jo@example.com"
    assert rows[0]["at"].endswith("Z")
    assert rows[0]["device"].startswith("'=cmd")
    attempts = [*csv.DictReader(StringIO((await ops.get(f"{EXPORT}?outcome=refused")).text))]
    assert len(attempts) == 1_203
    assert attempts[0]["outcome"] == "refused"
    lines = (await ops.get(f"{EXPORT}?outcome=refused&format=ndjson")).text.splitlines()
    assert len(lines) == 1_203


async def test_it_is_recorded_who_took_what(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await ops.get(f"{EXPORT}?view=events&format=ndjson")
    (event,) = (await site.passwordless.events.find(kind="log.exported")).events
    assert event.event.details == {"format": "ndjson", "view": "events"}
    assert (event.event.by or "").startswith("operator:")


async def test_who_only_looks_takes_nothing_along(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    statuses = {}
    for email in (OPS, HELP, LOOK):
        browser = await signed_in(site, email)
        statuses[email] = (await browser.get(EXPORT)).status_code
        page = await browser.get("/auth/dashboard/log")
        assert ("/dashboard/log/export" in page.text) == (email != LOOK)
    assert statuses == {OPS: 200, HELP: 200, LOOK: 404}


async def test_a_bad_question_is_no_file(tmp_path: Path) -> None:
    """Security rule 65."""
    _, ops = await make_dashboard(tmp_path)
    for query in ("?format=xlsx", "?order=at", "?outcome=lost", "?view=events&kind=x", "?q=jo@"):
        answer = await ops.get(EXPORT + query)
        assert answer.status_code == 400, query
        assert "content-disposition" not in answer.headers


async def test_who_is_signed_out_meanwhile_gets_no_more(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await fill(site, 1_500)
    sent = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal sent
        if message["type"] == "http.response.body" and message.get("body"):
            sent += message["body"].count(b"\n")
            await site.passwordless.identities._sessions.revoke_all(owner)

    person = await site.passwordless.people.find(OPS)
    owner = person.id if person else ""
    cookie = "; ".join(f"{name}={value}" for name, value in ops.cookies.items())
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1",
        "method": "GET", "path": EXPORT, "raw_path": EXPORT.encode(), "root_path": "",
        "scheme": "https", "query_string": b"view=events&format=ndjson&kind=login.refused",
        "headers": [(b"host", b"app.example.com"), (b"cookie", cookie.encode())],
        "client": ("203.0.113.7", 1), "server": ("app.example.com", 443), "state": {},
    }  # fmt: skip
    with pytest.raises(Unauthenticated):
        await site.app(scope, receive, send)
    assert sent == 500


async def test_the_page_leads_to_what_it_shows(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await fill(site, 2)
    for query in ("", "?outcome=refused", "?view=events&kind=login.refused"):
        page = (await ops.get("/auth/dashboard/log" + query)).text
        links = [part.split('"')[0] for part in page.split('href="') if "/log/export" in part[:40]]
        assert len(links) == 2
        for link in links:
            answer = await ops.get(link.replace("&amp;", "&"))
            assert answer.status_code == 200
            assert answer.text.count("attemp0001") == 1
