"""Which organization a login enters, and who is let into none (security rules 54 and 55)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from pwless_middleware import Kit, Login, Mounted, SecondFactors, User
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.organizations.organization import Invitation
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.organizations import Organizations
from tests.features.organizations.scene import (
    BO,
    JO,
    Company,
    add_member,
    make_organization,
    make_scene,
    place_of,
    sign_in_to,
    verify_domain,
)
from tests.features.test_step_up import ask, fields_of
from tests.organizations import add_connection, floor_of, set_policy
from tests.security.factor import RIGHT, Factor
from tests.sqlite_file import sqlite_url
from tests.support import Browser, Site, led_to, make_site, said

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_scene(tmp_path)


async def test_who_is_a_member_of_one_enters_it(site: Site) -> None:
    acme = await make_organization(site, "Acme")
    await add_member(site, acme.id, JO, role="admin")
    jo = await sign_in_to(site, JO)
    assert await place_of(site, jo) == "Acme"
    assert site.inner.scope["state"]["user"].role == "admin"
    assert site.inner.scope["user"].role == "admin"


async def test_who_is_a_member_nowhere_signs_in_without_one(site: Site) -> None:
    await make_organization(site, "Acme")
    jo = await sign_in_to(site, JO)
    assert await place_of(site, jo) is None
    assert site.inner.scope["state"]["user"].role == ""


async def test_the_link_of_an_organization_leads_into_it_by_id_or_the_hosts_key(
    site: Site,
) -> None:
    acme = await make_organization(site, "Acme", JO)
    beta = await floor_of(site).organizations.create("Beta", external_id="customer-2")
    await add_member(site, beta.id, JO)
    assert await place_of(site, await sign_in_to(site, JO, acme.id)) == "Acme"
    assert await place_of(site, await sign_in_to(site, JO, "customer-2")) == "Beta"


async def test_who_is_no_member_does_not_enter_and_gets_no_session(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    bo = site.browser()
    await bo.post("/auth/login", {"email": BO, "organization": acme.id})
    answer = await bo.type_code(site.mail(BO).code)
    assert answer.status_code == 403
    assert "You are not a member of Acme." in said(answer)
    assert site.sessions == 0


async def test_an_organization_that_is_none_is_refused_before_a_mail_goes_out(site: Site) -> None:
    answer = await site.browser().post(
        "/auth/login", {"email": JO, "organization": "org_AhVYWQw2o6mzunDOx_bV4A"}
    )
    assert answer.status_code == 403
    assert "There is no such organization here." in said(answer)
    assert site.outbox.messages == []


async def test_who_is_switched_off_does_not_enter(site: Site) -> None:
    acme = await make_organization(site, "Acme", domain="acme.example", join="domain")
    user_id = await add_member(site, acme.id, JO)
    await floor_of(site).members.deactivate(acme.id, user_id)
    await floor_of(site).invitations.create(acme.id, JO)
    jo = site.browser()
    await jo.post("/auth/login", {"email": JO, "organization": acme.id})
    answer = await jo.type_code(site.mail(JO).code)
    assert answer.status_code == 403
    assert "switched off" in said(answer)
    await jo.ask(JO)
    assert (await jo.type_code(site.mail(JO).code)).status_code == 403
    assert site.sessions == 0


async def test_who_is_switched_off_by_the_owner_of_their_domain_is_out_everywhere(
    site: Site,
) -> None:
    acme = await make_organization(site, "Acme", domain="acme.example")
    beta = await make_organization(site, "Beta", JO)
    user_id = await add_member(site, acme.id, JO)
    jo = await sign_in_to(site, JO)
    assert await place_of(site, jo) is None  # of two: none is chosen yet
    guest = await sign_in_to(site, JO, beta.id)
    assert await place_of(site, guest) == "Beta"
    await floor_of(site).members.deactivate(acme.id, user_id)
    assert await jo.who() is None
    assert await guest.who() is None
    for wanted in ({}, {"organization": beta.id}):
        await jo.post("/auth/login", {"email": JO, **wanted})
        assert (await jo.type_code(site.mail(JO).code)).status_code == 403
    told = await floor_of(site).explanations.explain(Address(JO), beta)
    assert {way.reason for way in told.ways} == {"inactive"}


async def test_who_is_switched_off_elsewhere_signs_in_without_it(site: Site) -> None:
    beta = await make_organization(site, "Beta", domain="beta.example")
    await floor_of(site).members.deactivate(beta.id, await add_member(site, beta.id, JO))
    assert await place_of(site, await sign_in_to(site, JO)) is None


async def test_a_domain_admits_its_people_once_it_is_verified(site: Site) -> None:
    floor = floor_of(site)
    acme = await make_organization(site, "Acme", join="domain")
    await floor.domains.claim(acme.id, "acme.example")
    jo = await sign_in_to(site, JO)
    assert await place_of(site, jo) is None
    await verify_domain(floor, acme.id, "acme.example")
    jo = await sign_in_to(site, JO)
    assert await place_of(site, jo) == "Acme"
    [member] = await floor.members.list(acme.id)
    assert (member.origin, member.role) == ("domain", "")
    assert await place_of(site, await sign_in_to(site, BO)) is None


async def test_another_customer_who_claims_the_domain_gets_nobody(site: Site) -> None:
    await make_organization(site, "Acme", domain="acme.example", join="domain")
    thief = await make_organization(site, "Thief", join="domain")
    await floor_of(site).domains.claim(thief.id, "acme.example")
    assert await place_of(site, await sign_in_to(site, JO)) == "Acme"
    jo = site.browser()
    await jo.post("/auth/login", {"email": JO, "organization": thief.id})
    assert (await jo.type_code(site.mail(JO).code)).status_code == 403


async def test_a_domain_admits_nobody_where_only_who_was_invited_is_one(site: Site) -> None:
    acme = await make_organization(site, "Acme", domain="acme.example")
    assert await place_of(site, await sign_in_to(site, JO)) is None
    await set_policy(floor_of(site), acme.id, join="sso")
    assert await place_of(site, await sign_in_to(site, JO)) is None


async def test_what_the_deployment_says_no_organization_loosens(tmp_path: Path) -> None:
    site = make_scene(tmp_path, join="invitation")
    await make_organization(site, "Acme", domain="acme.example", join="domain")
    assert await place_of(site, await sign_in_to(site, JO)) is None


async def test_what_the_deployment_says_holds_where_an_organization_says_nothing(
    tmp_path: Path,
) -> None:
    site = make_scene(tmp_path, join="domain")
    acme = await make_organization(site, "Acme", domain="acme.example")
    await make_organization(site, "Beta", domain="beta.example", join="invitation")
    assert await place_of(site, await sign_in_to(site, JO)) == "Acme"
    assert await place_of(site, await sign_in_to(site, BO)) is None
    assert len(await floor_of(site).members.list(acme.id)) == 1


async def test_a_domain_is_no_other_that_ends_like_it(site: Site) -> None:
    acme = await make_organization(site, "Acme", domain="acme.example", join="domain")
    for email in ("jo@sub.acme.example", "jo@notacme.example", "jo@acme.example.evil.example"):
        assert await place_of(site, await sign_in_to(site, email)) is None
    assert await floor_of(site).members.list(acme.id) == []


async def test_who_is_removed_while_a_step_is_asked_for_does_not_get_in(tmp_path: Path) -> None:
    site = make_scene(tmp_path, Factor())
    acme = await make_organization(site, "Acme")
    user_id = await add_member(site, acme.id, JO)
    jo = await sign_in_to(site, JO)
    assert jo.cookie("pending") is not None
    await floor_of(site).members.remove(acme.id, user_id)
    answer = await jo.post("/auth/step/secret", {"secret": RIGHT})
    assert answer.status_code == 403
    assert site.sessions == 0


class Hurry:
    """Have somebody do something while rules are asked."""

    def __init__(self) -> None:
        self.do: Callable[[], Awaitable[object]] | None = None

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(before_session=(self._ask,))

    async def _ask(self, login: Login) -> None:
        if self.do is not None:
            await self.do()


async def test_who_leaves_the_weaker_one_in_that_moment_is_held_to_the_stricter_one(
    tmp_path: Path,
) -> None:
    hurry = Hurry()
    site = make_scene(tmp_path, SecondFactors(), hurry)
    floor = floor_of(site)
    weak = await make_organization(site, "Weak")
    user_id = await add_member(site, weak.id, JO)
    strict = await make_organization(site, "Strict", JO, mfa="required")
    hurry.do = lambda: floor.members.remove(weak.id, user_id)
    jo = await sign_in_to(site, JO)
    # The second factors were asked about who is in two: no organization is entered by that.
    assert await place_of(site, jo) is None
    hurry.do = None
    jo = await sign_in_to(site, JO)
    assert jo.cookie("pending") is not None
    assert await jo.who() is None
    assert [one.user_id for one in await floor.members.list(strict.id)] == [user_id]


async def test_who_is_invited_joins_by_the_domain_as_what_they_are_invited_for(
    site: Site,
) -> None:
    floor = floor_of(site)
    acme = await make_organization(site, "Acme", domain="acme.example", join="domain")
    await floor.invitations.create(acme.id, JO, role="admin", mail=False)
    assert await place_of(site, await sign_in_to(site, JO)) == "Acme"
    assert site.inner.scope["state"]["user"].role == "admin"
    assert await floor.invitations.list_open(Address(JO)) == []  # who is removed has none left


@pytest.mark.parametrize(
    ("join", "is_let_in"), [("invitation", False), ("sso", True), ("domain", True)]
)
async def test_the_companys_login_admits_where_the_policy_says_so(
    tmp_path: Path, join: str, is_let_in: bool
) -> None:
    site = make_scene(tmp_path, Company())
    acme = await make_organization(site, "Acme", join=join)
    connection = await add_connection(floor_of(site), acme.id)
    jo = site.browser()
    form = {"email": JO, "organization": acme.id, "connection": connection.id}
    assert (await jo.post("/auth/company", form)).status_code == (303 if is_let_in else 403)
    assert [one.origin for one in await floor_of(site).members.list(acme.id)] == (
        ["sso"] if is_let_in else []
    )


async def test_the_login_of_another_company_or_one_that_is_off_admits_nobody(
    tmp_path: Path,
) -> None:
    site = make_scene(tmp_path, Company())
    floor = floor_of(site)
    acme, beta = [await make_organization(site, name, join="sso") for name in ("Acme", "Beta")]
    foreign = await add_connection(floor, beta.id)
    off = await floor.connections.create(acme.id, "oidc", "Off")
    for connection in (foreign.id, off.id, "conn_none"):
        form = {"email": JO, "organization": acme.id, "connection": connection}
        assert (await site.browser().post("/auth/company", form)).status_code == 403
    assert await floor.members.list(acme.id) == []


async def test_who_is_removed_as_they_enter_does_not_get_in(site: Site) -> None:
    acme = await make_organization(site, "Acme")
    await floor_of(site).invitations.create(acme.id, JO, mail=False)
    jo = site.browser()
    await jo.post("/auth/login", {"email": JO, "organization": acme.id})
    floor = floor_of(site)
    [open_one] = await floor.invitations.list(acme.id)
    listed = floor.invitations.list_open

    async def list_and_revoke(email: Address) -> Sequence[Invitation]:
        found = await listed(email)
        if found:
            await floor.invitations.revoke(acme.id, open_one.id)
        return found

    floor.invitations.list_open = list_and_revoke  # type: ignore[method-assign]
    assert (await jo.type_code(site.mail(JO).code)).status_code == 403
    assert site.sessions == 0
    assert await floor.members.list(acme.id) == []


async def test_who_is_in_several_is_asked_which_and_goes_where_they_wanted(site: Site) -> None:
    await make_organization(site, "Acme", JO)
    beta = await make_organization(site, "Beta", JO)
    jo = site.browser()
    await jo.ask(JO, next="/reports?month=5")
    answer = await jo.type_code(site.mail(JO).code)
    assert led_to(answer) == "/auth/organizations/choose?next=%2Freports%3Fmonth%3D5"
    page = await jo.get(led_to(answer))
    assert "Acme" in page.text
    assert "Beta" in page.text
    assert await place_of(site, jo) is None
    form = {"organization": beta.id, "next": "/reports?month=5"}
    answer = await jo.post("/auth/account/organizations/enter", form)
    assert led_to(answer) == "/reports?month=5"
    assert await place_of(site, jo) == "Beta"


async def test_of_many_logins_at_once_each_is_in_and_one_has_joined(site: Site) -> None:
    acme = await make_organization(site, "Acme", domain="acme.example", join="domain")
    browsers = [site.browser() for _ in range(4)]
    codes = []
    for one in browsers:
        await one.ask(JO)
        codes.append(site.mail(JO).code)
    await asyncio.gather(*(one.type_code(code) for one, code in zip(browsers, codes, strict=True)))
    assert [await place_of(site, one) for one in browsers] == ["Acme"] * 4
    assert len(await floor_of(site).members.list(acme.id)) == 1


async def test_who_is_invited_to_several_enters_the_one_that_is_named(site: Site) -> None:
    for name in ("Acme", "Beta"):
        made = await make_organization(site, name)
        await floor_of(site).invitations.create(made.id, JO, mail=False)
    assert await place_of(site, await sign_in_to(site, JO, made.id)) == "Beta"


async def test_a_login_leads_on_where_it_cannot_be_known_what_may_be_chosen(
    site: Site, tmp_path: Path
) -> None:
    for name in ("Acme", "Beta"):
        await make_organization(site, name, JO)
    jo = site.browser()
    await jo.ask(JO)
    with closing(sqlite3.connect(sqlite_url(tmp_path).removeprefix("sqlite:///"))) as database:
        database.execute("DROP TABLE pwless_invitations")
    answer = await jo.type_code(site.mail(JO).code)
    assert led_to(answer) == "/"
    assert await place_of(site, jo) is None


async def test_the_choice_goes_on_for_who_has_none(site: Site) -> None:
    jo = await sign_in_to(site, JO)
    answer = await jo.get("/auth/organizations/choose?next=/reports")
    assert led_to(answer) == "/reports"
    answer = await jo.get("/auth/organizations/choose?next=//evil.example")
    assert led_to(answer) == "/"


async def test_a_fresh_proof_leaves_a_session_where_it_is(site: Site) -> None:
    jo = await sign_in_to(site, JO)
    await make_organization(site, "Acme", JO)
    await prove_again(site, jo)
    assert await place_of(site, jo) is None
    jo = await sign_in_to(site, JO)
    await make_organization(site, "Beta", JO)
    await prove_again(site, jo)
    assert await place_of(site, jo) == "Acme"


async def prove_again(site: Site, browser: Browser) -> None:
    """Confirm by a code that it is the same person."""
    site.clock.advance(301)
    old = browser.cookie()
    action, fields = fields_of(await ask(browser), "one-time-code")
    await browser.post(action, {**fields, "code": site.mail(JO).code or ""})
    assert browser.cookie() != old


def test_it_needs_a_database_and_a_word_for_who_may_join(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="database"):
        make_site(features=[Organizations()])

    class Mine(Organizations):
        pass

    with pytest.raises(ConfigError, match="Mine does not reach the organizations"):
        make_scene(tmp_path, Mine())
    with pytest.raises(ConfigError, match="join"):
        Organizations(join="everybody")  # type: ignore[arg-type]


class Account(User):
    """A user of a host, who is not made by the names of our fields."""

    def __init__(self, row: tuple[str, str]) -> None:
        super().__init__(*row)
        object.__setattr__(self, "plan", "gold")


class Table:
    """A host's own table."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}

    async def find(self, email: str) -> User | None:
        return next((Account(row) for row in self.rows.items() if row[1] == email), None)

    async def create(self, email: str) -> User | None:
        self.rows[f"u-{len(self.rows)}"] = email
        return await self.find(email)

    async def load(self, user_id: str) -> User | None:
        return Account((user_id, self.rows[user_id]))


async def test_a_hosts_own_kind_of_user_signs_up_and_has_a_role(tmp_path: Path) -> None:
    site = make_scene(tmp_path, users=Table())
    acme = await make_organization(site, "Acme")
    await floor_of(site).invitations.create(acme.id, JO, role="admin", mail=False)
    assert await place_of(site, await sign_in_to(site, JO, acme.id)) == "Acme"
    user = site.inner.scope["state"]["user"]
    assert (type(user), user.plan, user.role) == (Account, "gold", "admin")
