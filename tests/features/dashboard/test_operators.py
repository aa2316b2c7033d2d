"""The page of operators: who they are, and that nobody is raised there (security rule 63)."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from pwless_middleware import EmailLogin, User
from pwless_middleware.core.operators.operator import Role
from pwless_middleware.errors import InvalidArgument, StoreError
from pwless_middleware.features.dashboard import Dashboard
from pwless_middleware.features.dashboard.python import OperatorVerbs
from tests.features.dashboard.operators import HELP, LOOK, OPS, make_dashboard, make_dashboard_site
from tests.own_account import JO, KIM, signed_in
from tests.support import ROOMY, Browser, Site, led_to, run, said

pytestmark = pytest.mark.anyio

PAGE = "/auth/dashboard/operators"
ANA = "ana@example.com"


def verbs_of(site: Site) -> OperatorVerbs:
    return site.passwordless.verbs(Dashboard).operators


async def make(site: Site, email: str = JO, role: Role = "admin") -> str:
    """Make somebody an operator, as the command line does, and return their id."""
    await verbs_of(site).add(email, role=role)
    return next(one.user_id for one in await verbs_of(site).list() if one.email == email)


async def add(ops: Browser, email: str, role: str = "view") -> httpx.Response:
    return await ops.post(PAGE, {"email": email, "role": role})


async def may_look(browser: Browser) -> bool:
    return (await browser.get(PAGE)).status_code == 200


def told_kinds(site: Site) -> list[str]:
    kinds = [event.kind for event in site.passwordless.events.recent()]
    return [kind for kind in kinds if kind.startswith("operator.")]


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    """A site without operators in code."""
    return make_dashboard_site(tmp_path, dashboard=Dashboard())


# --- what an admin does --------------------------------------------------------------------------


async def test_an_admin_adds_somebody_new_who_gets_in_at_once(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    jo = await signed_in(site, JO)
    assert not await may_look(jo)
    done = await add(ops, " Jo@Example.com ", "support")
    assert (done.status_code, led_to(done)) == (303, f"{PAGE}?done=added")
    assert await may_look(jo)
    page = await ops.get(led_to(done))
    assert JO in page.text
    assert "told by mail" in page.text
    told = [one for one in site.passwordless.events.recent() if one.kind == "operator.added"]
    assert [one.details for one in told] == [{"role": "support"}]
    assert (told[0].by or "").startswith("operator:")


async def test_whoever_has_no_account_gets_one(tmp_path: Path) -> None:
    features = [EmailLogin(signup=False, send_limits=ROOMY)]
    site = make_dashboard_site(tmp_path, features=features, dashboard=Dashboard())
    await verbs_of(site).add(OPS)
    ops = await signed_in(site, OPS)
    await add(ops, JO)
    assert await may_look(await signed_in(site, JO))


async def test_somebody_is_lowered_and_removed_at_once(site: Site) -> None:
    await make(site, OPS)
    ops, jo = await signed_in(site, OPS), await signed_in(site, JO)
    id = await make(site, JO)
    change = await ops.get(f"{PAGE}/change?id={quote(id)}")
    assert JO in change.text
    done = await ops.post(f"{PAGE}/lower", {"id": id, "role": "view"})
    assert led_to(done) == f"{PAGE}?done=lowered"
    assert (await jo.post(f"{PAGE}/remove", {"id": id})).status_code == 404
    assert await may_look(jo)
    done = await ops.post(f"{PAGE}/remove", {"id": id})
    assert led_to(done) == f"{PAGE}?done=removed"
    assert not await may_look(jo)
    assert told_kinds(site)[:2] == ["operator.removed", "operator.changed"]
    assert "No longer operators" in (await ops.get(PAGE)).text


async def test_who_removes_themselves_is_led_out_of_the_dashboard(site: Site) -> None:
    await make(site, OPS)
    id = await make(site, JO)
    jo = await signed_in(site, JO)
    done = await jo.post(f"{PAGE}/remove", {"id": id})
    assert (await jo.get(led_to(done))).status_code in (200, 303)
    assert not await may_look(jo)


async def test_those_of_the_code_are_shown_as_fixed(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    page = await ops.get(PAGE)
    assert page.text.count("Fixed in code") == 3
    for address in (OPS, HELP, LOOK):
        assert address in page.text
    assert "/operators/change" not in page.text


async def test_who_only_looks_sees_no_form(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    await make(site, JO, "view")
    for address in (LOOK, HELP):
        page = await (await signed_in(site, address)).get(PAGE)
        assert page.status_code == 200
        assert not re.search(r"<form[^>]*operators|/operators/change", page.text)


# --- nobody is raised in the dashboard -----------------------------------------------------------


async def test_nobody_is_raised(site: Site) -> None:
    """Neither by adding them again, nor by "lowering" them to more, nor by themselves."""
    await make(site, OPS)
    ops, id = await signed_in(site, OPS), await make(site, JO, "support")
    for role in ("admin", "support", "view"):
        assert (await add(ops, JO, role)).status_code == 400
    for role in ("admin", "support", "owner", "", "Admin"):
        done = await ops.post(f"{PAGE}/lower", {"id": id, "role": role})
        assert done.status_code == 400, role
    assert [one.role for one in await verbs_of(site).list()] == ["support", "admin"]


async def test_who_was_removed_is_given_no_more_than_they_had(site: Site) -> None:
    await make(site, OPS)
    ops, id = await signed_in(site, OPS), await make(site, JO, "support")
    await ops.post(f"{PAGE}/lower", {"id": id, "role": "view"})
    await ops.post(f"{PAGE}/remove", {"id": id})
    for role in ("admin", "support"):
        refused = await add(ops, JO, role)
        assert refused.status_code == 400
        assert "with a lesser role" in said(refused)
    assert (await add(ops, JO, "view")).status_code == 303


async def test_who_is_named_in_the_code_is_given_nothing_beside_it(tmp_path: Path) -> None:
    """An admin could else raise them above what the code says."""
    site, ops = await make_dashboard(tmp_path)
    for role in ("admin", "view"):
        assert (await add(ops, LOOK.upper(), role)).status_code == 400
    assert len(await verbs_of(site).list()) == 3


async def test_the_command_line_and_the_code_can_give_more(site: Site) -> None:
    await make(site, OPS)
    await make(site, JO, "view")
    assert await verbs_of(site).add(JO, role="support")
    assert not await verbs_of(site).add(JO, role="support")
    assert await verbs_of(site).add(JO, role="admin")
    assert await verbs_of(site).remove(JO)
    assert not await verbs_of(site).remove(JO)
    assert await verbs_of(site).add(JO, role="admin")


async def test_the_last_admin_stays(site: Site) -> None:
    id = await make(site, OPS)
    await make(site, JO, "support")
    ops = await signed_in(site, OPS)
    for path, form in (("remove", {"id": id}), ("lower", {"id": id, "role": "view"})):
        refused = await ops.post(f"{PAGE}/{path}", form)
        assert refused.status_code == 400
        assert "last admin" in said(refused)
    with pytest.raises(InvalidArgument):
        await verbs_of(site).remove(OPS)
    with pytest.raises(InvalidArgument):
        await verbs_of(site).add(OPS, role="view")
    assert await may_look(ops)


async def test_of_two_admins_who_go_at_once_one_stays(site: Site) -> None:
    """Each is there as the other one is looked for."""
    people, verbs = site.passwordless.people, verbs_of(site)
    for second in (people.disable, people.delete, verbs.remove):
        jo, kim = await make(site, JO), await make(site, KIM)
        done = await asyncio.gather(people.disable(jo), second(kim), return_exceptions=True)
        assert [type(one) for one in done].count(InvalidArgument) == 1
        for email in (JO, KIM):
            if await people.find(email) is not None:
                await people.enable(email)


async def test_the_last_admin_is_neither_disabled_nor_erased(site: Site) -> None:
    """By a key that changes users, by themselves, or by the command line (security rule 63)."""
    id = await make(site)
    await make(site, KIM)
    jo, people = await signed_in(site), site.passwordless.people
    await people.disable(KIM)  # who cannot sign in is no admin whom it could be left to
    server = site.backend().browser
    of_user = f"/auth/api/v1/users/{id}"
    refused = [
        await server.request("PATCH", of_user, json={"disabled": True}),
        await server.request("DELETE", of_user),
        await jo.post("/auth/account/delete", {"sure": "yes"}),
        await jo.request("DELETE", "/auth/api/v1/account"),
    ]
    for answer in refused:
        assert answer.status_code == 400
        assert "last admin" in answer.text
    for verb in (people.disable, people.delete):
        with pytest.raises(InvalidArgument, match="last admin"):
            await verb(JO)
    assert await may_look(jo)
    await people.delete(KIM)
    await make(site, ANA)
    await people.delete(JO)
    assert [one.email for one in await verbs_of(site).list()] == [ANA]


async def test_of_two_admins_who_remove_each_other_one_stays(site: Site) -> None:
    ids = [await make(site, OPS), await make(site, JO)]
    ops, jo = await signed_in(site, OPS), await signed_in(site, JO)
    await asyncio.gather(
        ops.post(f"{PAGE}/remove", {"id": ids[1]}), jo.post(f"{PAGE}/remove", {"id": ids[0]})
    )
    assert [one.role for one in await verbs_of(site).list()] == ["admin"]


# --- who can be one ------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["", "jo", "jo@x@y", "<b>@example.com", "a b@example.com"])
async def test_an_address_that_is_none_is_refused_beside_its_field(
    tmp_path: Path, email: str
) -> None:
    _, ops = await make_dashboard(tmp_path)
    refused = await add(ops, email)
    assert refused.status_code == 400
    assert "Enter one email address" in unescape(refused.text)
    assert 'aria-invalid="true"' in refused.text
    assert "<b>@" not in refused.text


async def test_who_is_disabled_becomes_no_operator(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await signed_in(site, JO)
    await site.passwordless.people.disable(JO)
    assert "disabled" in said(await add(ops, JO))
    assert len(await verbs_of(site).list()) == 3


class Table:
    """Be a host's user table of two people."""

    async def find(self, email: str) -> User | None:
        return User(id=email.partition("@")[0], email=email) if email in (OPS, JO) else None

    async def create(self, email: str) -> User | None:
        return None

    async def load(self, user_id: str) -> User | None:
        return next((User(id=user_id, email=e) for e in (OPS, JO) if e.startswith(user_id)), None)


async def test_with_a_host_s_table_it_has_to_know_them(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path, users=Table())
    refused = await add(ops, KIM)
    assert refused.status_code == 400
    assert "Nobody has this address" in said(refused)
    assert (await add(ops, JO)).status_code == 303
    assert await may_look(await signed_in(site, JO))


# --- what is told, and what cannot be read -------------------------------------------------------


async def test_a_mail_tells_every_admin_of_a_new_operator(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await make(site, KIM)
    site.outbox.clear()
    await add(ops, JO, "admin")
    assert {message.to for message in site.outbox.messages} == {OPS, KIM}
    for message in site.outbox.messages:
        text = message.text.replace("\u2060", "")
        assert JO in text
        assert "decide on everything" in " ".join(text.split())
        assert JO not in message.html, "a mail client would make a link of it"
    site.outbox.clear()
    id = next(one.user_id for one in await verbs_of(site).list() if one.email == JO)
    await ops.post(f"{PAGE}/remove", {"id": id})
    assert not site.outbox.messages


async def test_nobody_is_added_in_silence(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    site.store.jobs._most = 0  # type: ignore[attr-defined]  # the memory store's
    assert (await add(ops, JO, "admin")).status_code == 503
    assert len(await verbs_of(site).list()) == 3


async def test_a_database_that_cannot_be_read_lets_nobody_in(site: Site) -> None:
    await make(site, OPS)
    ops = await signed_in(site, OPS)

    async def fail() -> None:
        raise StoreError("the database is down")

    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    repositories.operators.list = fail  # type: ignore[assignment, method-assign]
    rules = site.passwordless._kit.operators._rules
    assert rules is not None
    rules.role_of.__self__.forget()  # type: ignore[attr-defined]
    assert (await ops.get(PAGE)).status_code == 503


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["after=%00", "after=a&after=b", "page=2", "after=" + "x" * 1001, "after=%ff"]
)
async def test_a_query_that_is_none_is_refused(tmp_path: Path, query: str) -> None:
    _, ops = await make_dashboard(tmp_path)
    assert (await ops.get(f"{PAGE}?{query}")).status_code == 400


@pytest.mark.parametrize("id", ["", "nobody", "\x00", "' OR 1=1 --", "x" * 2000])
async def test_an_operator_that_there_is_not(tmp_path: Path, id: str) -> None:
    _, ops = await make_dashboard(tmp_path)
    assert (await ops.get(f"{PAGE}/change?id={quote(id)}")).status_code in (400, 404)
    for path in ("lower", "remove"):
        answer = await ops.post(f"{PAGE}/{path}", {"id": id, "role": "view"})
        assert answer.status_code in (303, 400, 404)


async def test_those_who_were_operators_are_shown_page_by_page(site: Site) -> None:
    await make(site, OPS)
    ops = await signed_in(site, OPS)
    for number in range(51):
        await make(site, f"u{number:02}@example.com", "view")
        await verbs_of(site).remove(f"u{number:02}@example.com")
    first = await ops.get(PAGE)
    (link,) = re.findall(r'href="([^"]*after=[^"]*)"', first.text)
    second = await ops.get(unescape(link))
    both = [set(re.findall(r"u\d\d@example\.com", page.text)) for page in (first, second)]
    assert (len(both[0]), len(both[1])) == (50, 1)
    assert not both[0] & both[1]


# --- nobody yet ----------------------------------------------------------------------------------


async def start(site: Site) -> None:
    """Start the app, and stop it."""
    await run(site.app, {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}})


async def test_the_console_says_how_there_is_a_first_operator(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    await start(site)
    assert [one for one in caplog.messages if "pwless operator add ADDRESS" in one]
    caplog.clear()
    await make(site, OPS)
    await start(site)
    assert not [one for one in caplog.messages if "operator add" in one]
