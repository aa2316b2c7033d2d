"""The page of API keys: shown once each, and dead once revoked (security rule 62)."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import httpx
import pytest

from pwless_middleware.core.operators.api_key import SCOPES
from tests.features.dashboard.operators import LOOK, make_dashboard, make_dashboard_site
from tests.own_account import JO, signed_in
from tests.support import Browser, Site, led_to, said

pytestmark = pytest.mark.anyio

PAGE = "/auth/dashboard/api-keys"
KEY = re.compile(r"pwk_[a-z2-7]{16}\.[\w-]{43}")


async def create(
    ops: Browser, name: str = "shop", *scopes: str, life: str = "year"
) -> httpx.Response:
    chosen = {f"scope-{scope}": "yes" for scope in scopes or ("events",)}
    return await ops.post(PAGE, {"name": name, "life": life, **chosen})


def key_in(page: httpx.Response) -> str:
    """Return the key that a page shows."""
    assert page.status_code == 200, page.text
    (found,) = set(KEY.findall(page.text))
    return str(found)


async def opens(site: Site, key: str, path: str = "/auth/api/v1/events") -> bool:
    """Whether a key opens a path of the API."""
    answer = await site.backend(key).browser.get(path)
    assert answer.status_code in (200, 401, 403)
    return answer.status_code == 200


async def test_a_key_is_shown_once_and_works(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    key = key_in(await create(ops, "shop", "events"))
    assert await opens(site, key)
    assert not await opens(site, key, "/auth/api/v1/users?email=jo@example.com")
    secret = key.partition(".")[2]
    for path in (PAGE, f"{PAGE}/key?name=shop"):
        page = await ops.get(path)
        assert "shop" in page.text
        assert secret not in page.text
    assert secret not in repr(list(site.passwordless.events.recent()))


async def test_it_is_rotated_with_an_overlap_and_revoked(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    old = key_in(await create(ops))
    new = key_in(await ops.post(f"{PAGE}/rotate", {"name": "shop", "overlap": "hour"}))
    assert await opens(site, old)
    assert await opens(site, new)
    site.clock.now += 3601
    assert not await opens(site, old)
    assert await opens(site, new)
    ops = await signed_in(site, "ops@acme.example")
    done = await ops.post(f"{PAGE}/revoke", {"name": "shop"})
    assert led_to(done) == f"{PAGE}?done=revoked"
    assert "Revoked" in said(await ops.get(led_to(done)))
    assert not await opens(site, new)


async def test_who_did_what_is_told(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await create(ops)
    await ops.post(f"{PAGE}/rotate", {"name": "shop", "overlap": "none"})
    await ops.post(f"{PAGE}/revoke", {"name": "shop"})
    told = [one for one in site.passwordless.events.recent() if one.kind.startswith("api_key.")]
    assert [one.kind for one in told] == ["api_key.revoked", "api_key.rotated", "api_key.created"]
    assert all((one.by or "").startswith("operator:") for one in told)
    assert "ops@acme.example" in (await ops.get(PAGE)).text, "as people read it"


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"name": "s p", "life": "year", "scope-events": "yes"}, "letters, digits"),
        ({"name": "", "life": "year", "scope-events": "yes"}, "letters, digits"),
        ({"name": "<b>x", "life": "year", "scope-events": "yes"}, "letters, digits"),
        ({"name": "shop", "life": "year"}, "Choose at least one"),
        ({"name": "shop", "life": "year", "scope-all": "yes"}, "Choose at least one"),
        ({"name": "shop", "life": "century", "scope-events": "yes"}, "Choose when it ends"),
        ({"name": "backend", "life": "year", "scope-events": "yes"}, "taken"),
        ({"name": "taken", "life": "year", "scope-events": "yes"}, "taken"),
    ],
)
async def test_what_cannot_be_made_is_said_beside_its_field(
    tmp_path: Path, form: dict[str, str], says: str
) -> None:
    site, ops = await make_dashboard(tmp_path)
    await create(ops, "taken")
    refused = await ops.post(PAGE, form)
    assert refused.status_code == 400
    assert says in said(refused)
    assert not KEY.search(refused.text)
    assert "<b>x" not in refused.text
    assert len(await site.passwordless.api_keys.list()) == 1


async def test_a_name_that_was_revoked_is_never_given_again(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    await create(ops)
    await ops.post(f"{PAGE}/revoke", {"name": "shop"})
    assert (await create(ops)).status_code == 400
    refused = await ops.post(f"{PAGE}/rotate", {"name": "shop", "overlap": "none"})
    assert refused.status_code == 400
    assert "revoked" in said(refused)
    assert "/api-keys/rotate" not in (await ops.get(f"{PAGE}/key?name=shop")).text


async def test_every_scope_can_be_chosen_and_each_life(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    for life in ("month", "quarter", "year", "never"):
        key_in(await create(ops, life, *SCOPES, life=life))
    keys = {key.name: key for key in await site.passwordless.api_keys.list()}
    now, day = site.clock.now, 86400
    ends = {name: key.expires_at for name, key in keys.items()}
    assert ends == {
        "month": now + 30 * day,
        "quarter": now + 90 * day,
        "year": now + 365 * day,
        "never": None,
    }
    assert all(set(key.scopes) == set(SCOPES) for key in keys.values())


async def test_those_of_the_code_are_shown_as_fixed(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    page = await ops.get(PAGE)
    assert "backend" in page.text
    assert "Fixed in code" in page.text
    assert (await ops.get(f"{PAGE}/key?name=backend")).status_code == 404
    assert (await ops.post(f"{PAGE}/revoke", {"name": "backend"})).status_code == 404


async def test_who_only_looks_sees_the_keys_and_no_form(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    look = await signed_in(site, LOOK)
    page = await look.get(PAGE)
    assert page.status_code == 200
    assert 'method="post"' not in page.text


async def test_keys_are_shown_page_by_page(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    for number in range(53):
        await site.passwordless.api_keys.create(f"n{number:02}", scopes=["events"])
    first = await ops.get(PAGE)
    (link,) = re.findall(r'href="([^"]*after=[^"]*)"', first.text)
    second = await ops.get(unescape(link))
    shown = [set(re.findall(r"<bdi>(n\d\d)</bdi>", page.text)) for page in (first, second)]
    assert (len(shown[0]), len(shown[1])) == (50, 3)
    assert not shown[0] & shown[1]
    assert "Fixed in code" not in second.text


@pytest.mark.parametrize(
    "query", ["after=n", "after=n~x", "after=~1", "after=n~1&after=n~2", "sort=name", "after=%00~1"]
)
async def test_a_query_that_is_none_is_refused(tmp_path: Path, query: str) -> None:
    _, ops = await make_dashboard(tmp_path)
    assert (await ops.get(f"{PAGE}?{query}")).status_code == 400


@pytest.mark.parametrize("name", ["", "nobody", "a%00b", "x" * 40])
async def test_a_key_that_there_is_not(tmp_path: Path, name: str) -> None:
    _, ops = await make_dashboard(tmp_path)
    assert (await ops.get(f"{PAGE}/key?name={name}")).status_code in (400, 404)
    for path in ("rotate", "revoke"):
        form = {"name": unescape(name).replace("%00", "\x00"), "overlap": "none"}
        assert (await ops.post(f"{PAGE}/{path}", form)).status_code == 404


async def test_a_stranger_makes_none(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    jo = await signed_in(site, JO)
    assert (await create(jo)).status_code == 404
    assert not await site.passwordless.api_keys.list()
