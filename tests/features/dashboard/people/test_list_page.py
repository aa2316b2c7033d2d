"""The list of people: what is found, how it goes on, and what is refused (security rule 65)."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from tests.features.dashboard.operators import HELP, LOOK, OPS, make_dashboard, make_dashboard_site
from tests.features.dashboard.people.table import SearchedTable, Table
from tests.own_account import signed_in
from tests.support import Browser, Site, said

pytestmark = pytest.mark.anyio

LIST = "/auth/dashboard/people"


def listed(html: str) -> list[str]:
    """Return the addresses of the list, in order."""
    return [unescape(one) for one in re.findall(r'<th scope="row">.*?<bdi>(.*?)</bdi>', html)]


def link(html: str, rel: str) -> str | None:
    """Return where the pager leads: `next` or `prev`."""
    found = re.search(rf'rel="{rel}" href="([^"]+)"', html)
    return unescape(found[1]) if found else None


async def add(site: Site, *names: str) -> None:
    for name in names:
        await site.passwordless.people.create(f"{name}@example.com")
        site.clock.advance(1)


async def test_people_are_listed_by_address_and_lead_to_their_page(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await add(site, "b", "a")
    page = await ops.get(LIST)
    assert listed(page.text) == ["a@example.com", "b@example.com", OPS]
    path = re.search(r'<th scope="row"><a href="([^"]+)"', page.text)
    assert path is not None
    assert "a@example.com" in said(await ops.get(path[1]))


async def test_the_list_goes_on_and_back_by_key(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await add(site, *(f"p{number:03}" for number in range(120)))
    for view in ("", "?view=newest"):
        pages, html = [], (await ops.get(LIST + view)).text
        assert link(html, "prev") is None
        while True:
            pages.append(listed(html))
            following = link(html, "next")
            if following is None:
                break
            html = (await ops.get(following)).text
        assert [len(page) for page in pages] == [50, 50, 21]
        everybody = [email for page in pages for email in page]
        assert len(set(everybody)) == 121
        assert everybody == (sorted(everybody) if not view else everybody)
        for page in reversed(pages[:-1]):
            html = (await ops.get(link(html, "prev") or "")).text
            assert listed(html) == page
        assert link(html, "prev") is None
        assert listed((await ops.get(link(html, "next") or "")).text) == pages[1]
    newest = listed((await ops.get(f"{LIST}?view=newest")).text)
    assert newest[:2] == ["p119@example.com", "p118@example.com"]


async def test_an_address_is_found_by_its_beginning_and_a_person_by_id(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await add(site, "jo", "jon", "kim", "j_o")
    jo = await site.passwordless.people.find("jo@example.com")
    assert jo is not None
    assert listed((await ops.get(f"{LIST}?q=JO")).text) == ["jo@example.com", "jon@example.com"]
    assert listed((await ops.get(f"{LIST}?q=+Jo@Example.com+")).text) == ["jo@example.com"]
    assert listed((await ops.get(f"{LIST}?q={jo.id}")).text) == ["jo@example.com"]
    assert listed((await ops.get(f"{LIST}?q=j_")).text) == ["j_o@example.com"]
    assert listed((await ops.get(f"{LIST}?q={jo.id}&view=disabled")).text) == []
    await site.passwordless.people.disable(jo.id)
    assert listed((await ops.get(f"{LIST}?q={jo.id}&view=disabled")).text) == ["jo@example.com"]
    nobody = await ops.get(f"{LIST}?q=zz")
    assert "Nobody is found" in said(nobody)


async def test_those_who_are_disabled_are_listed_alone(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await add(site, "a", "b")
    assert "Nobody is disabled" in said(await ops.get(f"{LIST}?view=disabled"))
    await site.passwordless.people.disable("b@example.com")
    assert listed((await ops.get(f"{LIST}?view=disabled")).text) == ["b@example.com"]


@pytest.mark.parametrize(
    "query",
    [
        *("view=all'", "view=", "sort=email", "q=a&q=b", "q=%00", "q=" + "x" * 255, "done=x"),
        *("after=x", "after=a%27+OR+1=1", "before=A@example.com", "%ff", "q=%ff"),
        "after=a@example.com&before=b@example.com",
        *("view=newest&after=x", "view=newest&after=1.", "view=newest&q=jo"),
        *("view=newest&before=-1.abc", "view=newest&after=9999999999999.abc"),
    ],
)
async def test_what_is_no_query_is_refused_and_lists_nobody(tmp_path: Path, query: str) -> None:
    site, ops = await make_dashboard(tmp_path)
    await add(site, "jo")
    page = await ops.get(f"{LIST}?{query}")
    assert page.status_code == 400
    assert listed(page.text) == []
    assert 'role="alert"' in page.text


async def test_names_and_addresses_are_text(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await site.passwordless.people.create("jo@example.com", name="<img src=x onerror=alert(1)>")
    page = await ops.get(LIST)
    assert "<img src=x" not in page.text
    assert "&lt;img src=x onerror=alert(1)&gt;" in page.text
    reflected = await ops.get(LIST + "?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in reflected.text


async def test_all_roles_see_the_list(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    for address in (HELP, LOOK):
        assert (await (await signed_in(site, address)).get(LIST)).status_code == 200


# --- with a table of the host's own --------------------------------------------------------------


async def with_table(folder: Path, table: Table) -> tuple[Site, Browser]:
    table.users[f"u-{OPS}"] = OPS
    return await make_dashboard(folder, users=table)


async def test_a_table_that_can_be_searched_is_listed_in_its_own_order(tmp_path: Path) -> None:
    table = SearchedTable(*(f"j{number}@example.com" for number in range(5)))
    _, ops = await with_table(tmp_path, table)
    first = await ops.get(f"{LIST}?q=J")
    assert listed(first.text) == ["j0@example.com", "j1@example.com"]
    assert "Newest" not in first.text
    following = link(first.text, "next") or ""
    second = await ops.get(following)
    assert listed(second.text) == ["j2@example.com", "j3@example.com"]
    third = await ops.get(link(second.text, "next") or "")
    assert listed(third.text) == ["j4@example.com"]
    assert link(third.text, "next") is None
    assert {prefix for prefix, _ in table.asked} == {"j"}
    assert listed((await ops.get(f"{LIST}?q=u-{OPS}")).text) == [OPS]
    for text in ('j","x', "j%25", "j(", "j%5C", "j,k", "@@"):  # syntax of somebody's query
        assert listed((await ops.get(f"{LIST}?q={text}")).text) == []
    asked = len(table.asked)
    for forged in (
        following.replace("q=J", "q=k"),
        following[:-2] + "xx",
        f"{LIST}?after=j2@example.com",
    ):
        assert (await ops.get(forged)).status_code == 400
    assert len(table.asked) == asked, "its search is given no cursor that is not its own"


async def test_a_table_without_a_search_finds_one_address_or_id(tmp_path: Path) -> None:
    _, ops = await with_table(tmp_path, Table("jo@example.com"))
    empty = await ops.get(LIST)
    assert "Your table has no search" in said(empty)
    assert listed((await ops.get(f"{LIST}?q=Jo@Example.com")).text) == ["jo@example.com"]
    assert listed((await ops.get(f"{LIST}?q=u-jo@example.com")).text) == ["jo@example.com"]
    assert listed((await ops.get(f"{LIST}?q=jo")).text) == []
    for query in ("view=newest", "view=disabled", "before=x"):
        assert (await ops.get(f"{LIST}?{query}")).status_code == 400


async def test_a_table_that_fails_or_answers_nonsense_is_an_outage(tmp_path: Path) -> None:
    class Broken(SearchedTable):
        async def search(self, prefix: str, after: str) -> object:  # type: ignore[override]
            if prefix:
                raise OSError("row jo@example.com")
            return [f"{after}jo@example.com"]

    _, ops = await with_table(tmp_path, Broken())
    for query in ("", "?q=jo"):
        page = await ops.get(LIST + query)
        assert page.status_code == 503
        assert "jo@example.com" not in page.text
