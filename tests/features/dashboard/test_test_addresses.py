"""The page of test addresses, which `EmailLogin` itself mounts (security rule 67)."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import httpx
import pytest

from pwless_middleware import EmailLogin
from tests.features.dashboard.operators import LOOK, OPS, make_dashboard, make_dashboard_site
from tests.own_account import JO, signed_in
from tests.support import ROOMY, Browser, Site, led_to, said

pytestmark = pytest.mark.anyio

PAGE = "/auth/dashboard/test-addresses"
REVIEW = "review@acme.example"


def login() -> list[EmailLogin]:
    return [EmailLogin(send_limits=ROOMY, test_users=True)]


async def add(ops: Browser, email: str = REVIEW, **form: str) -> httpx.Response:
    return await ops.post(PAGE, {"email": email, "life": "week", **form})


def code_in(page: httpx.Response) -> str:
    assert page.status_code == 200, page.text
    return str(re.findall(r"data-copied>(\d{6})<", page.text)[0])


async def opens(site: Site, code: str) -> bool:
    browser = site.browser()
    await browser.ask(REVIEW)
    return (await browser.type_code(code)).status_code == 303


async def id_of(ops: Browser) -> str:
    found = re.search(r"address\?id=([a-z2-7]{16})", (await ops.get(PAGE)).text)
    assert found is not None
    return found[1]


async def test_one_is_made_and_its_code_is_shown_once(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path, features=login())
    made = await add(ops, note="App review", networks="203.0.113.0/24 2001:db8::/48")
    code = code_in(made)
    assert "/auth/link?link_token=test-" in made.text
    assert await opens(site, code)
    page = await ops.get(PAGE)
    for text in (REVIEW, "App review", "203.0.113.0/24, 2001:db8::/48"):
        assert text in page.text
    one = await ops.get(f"{PAGE}/address?id={await id_of(ops)}")
    for shown in (page, one):
        assert code not in re.findall(r"\b\d{6}\b", shown.text)
        assert "link_token" not in shown.text


async def test_it_gets_a_new_code_and_another_end_and_is_removed(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path, features=login())
    old = code_in(await add(ops))
    id = await id_of(ops)
    new = code_in(await ops.post(f"{PAGE}/code", {"id": id}))
    assert not await opens(site, old)
    assert await opens(site, new)
    done = await ops.post(f"{PAGE}/extend", {"id": id, "life": "quarter"})
    assert led_to(done) == f"{PAGE}?done=extended"
    done = await ops.post(f"{PAGE}/remove", {"id": id})
    assert led_to(done) == f"{PAGE}?done=removed"
    assert "no test address any more" in said(await ops.get(led_to(done)))
    assert not await opens(site, new)
    kinds = [one.kind for one in site.passwordless.events.recent()]
    for kind in ("added", "changed", "removed"):
        assert f"test_address.{kind}" in kinds


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"email": "nobody"}, "Enter one email address"),
        ({"email": OPS}, "operator’s address"),
        ({"email": JO}, "Somebody has this address"),
        ({"life": "century"}, "Choose an end"),
        ({"life": ""}, "Choose an end"),
        ({"networks": "everywhere"}, "Name networks"),
        ({"note": "x" * 101}, "at most 100 characters"),
        ({"note": "\u202e<b>"}, "in one line"),
    ],
)
async def test_what_is_none_is_said_beside_its_field(
    tmp_path: Path, form: dict[str, str], says: str
) -> None:
    site, ops = await make_dashboard(tmp_path, features=login())
    await signed_in(site, JO)
    refused = await add(ops, **{"email": REVIEW, **form})
    assert refused.status_code == 400
    assert says in unescape(said(refused))
    assert "There are no test addresses" in refused.text
    assert "<b>" not in refused.text


async def test_a_second_one_of_the_same_address(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path, features=login())
    await add(ops)
    assert "already" in said(await add(ops))


async def test_who_only_looks_sees_them_and_no_form(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path, features=login())
    await add(ops)
    look = await signed_in(site, LOOK)
    page = await look.get(PAGE)
    assert REVIEW in page.text
    assert 'method="post"' not in page.text
    assert "/test-addresses/address" not in page.text


async def test_where_they_are_off_there_is_no_page(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    assert (await ops.get(PAGE)).status_code == 404
    assert "test-addresses" not in (await ops.get("/auth/dashboard/operators")).text


@pytest.mark.parametrize("id", ["", "nobody", "\x00", "x" * 99])
async def test_one_that_there_is_not(tmp_path: Path, id: str) -> None:
    _, ops = await make_dashboard(tmp_path, features=login())
    for path in ("code", "extend", "remove"):
        answer = await ops.post(f"{PAGE}/{path}", {"id": id, "life": "day"})
        assert answer.status_code == 404, path
    assert (await ops.get(f"{PAGE}/address?id=nobody")).status_code == 404
    for query in ("?page=2", "/address", "/address?id=" + "x" * 17):
        assert (await ops.get(PAGE + query)).status_code == 400


async def test_a_stranger_makes_none(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path, features=login())
    jo = await signed_in(site, JO)
    assert (await add(jo)).status_code == 404
    assert not await site.passwordless.verbs(EmailLogin).test_addresses.list()
