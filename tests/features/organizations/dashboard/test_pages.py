"""The pages of organizations on the dashboard: what operators see, make, change and take away."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import SecondFactors
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.features.organizations.options import Organizations
from tests.features.dashboard.operators import HELP, LOOK, OPS, make_dashboard_site
from tests.features.dashboard.people.table import Table
from tests.organizations import floor_of
from tests.own_account import JO, signed_in
from tests.support import Browser, Site, holds, led_to

pytestmark = pytest.mark.anyio

PAGE = "/auth/dashboard/organizations"
EVIL = '"><script>alert(1)</script>{{ 7*7 }}'


async def make_organizations_site(folder: Path, **options: Any) -> tuple[Site, Browser]:
    """Make a site with organizations, and the browser of an admin."""
    features = [SecondFactors(), Organizations()]
    site = make_dashboard_site(folder, features=features, **options)
    return site, await signed_in(site, OPS)


async def make(site: Site, name: str = "Acme", **fields: Any) -> Organization:
    """Make an organization."""
    return await floor_of(site).organizations.create(name, **fields)


async def member(site: Site, organization: Organization, email: str = JO, role: str = "") -> str:
    """Make somebody who has an account a member, and return their id."""
    await signed_in(site, email)
    user = await site.passwordless.people.find(email)
    assert user is not None
    await floor_of(site).members.put(organization.id, user.id, role=role)
    return user.id


def at(organization: Organization, tab: str = "") -> str:
    """Return the path of an organization's page."""
    return f"{PAGE}/{organization.id}{tab}"


async def text_of(browser: Browser, path: str, status: int = 200) -> str:
    """Return what a page says."""
    page = await browser.get(path)
    assert page.status_code == status, page.text
    return unescape(page.text)


# --- the list ------------------------------------------------------------------------------------


async def test_an_organization_is_made_changed_and_found(tmp_path: Path) -> None:
    _, ops = await make_organizations_site(tmp_path)
    assert "No organizations yet" in await text_of(ops, PAGE)
    form = {"name": " Acme ", "external_id": "customer 7", "language": "de", "color": "#123456"}
    made = await ops.post(f"{PAGE}/new", form)
    path = led_to(made).partition("?")[0]
    shown = await text_of(ops, led_to(made))
    assert "customer 7" in shown
    assert f"/auth/login?organization={path.rpartition('/')[2]}" in shown
    edit = await text_of(ops, f"{path}/edit")
    version = re.findall(r'name="version" value="([^"]*)"', edit)[0]
    changed = {**form, "name": "Acme GmbH", "external_id": "", "version": version}
    assert led_to(await ops.post(f"{path}/edit", changed)) == f"{path}?done=changed"
    listed = await text_of(ops, PAGE)
    assert "Acme GmbH" in listed
    assert "customer 7" not in listed
    # A form that was made for what somebody else has changed since.
    late = await ops.post(f"{path}/edit", {**changed, "name": "Beta"})
    assert late.status_code == 400
    assert "Somebody has changed this meanwhile" in late.text
    assert not holds(await text_of(ops, PAGE), "Beta")


BAD_FORMS: list[tuple[dict[str, str], str]] = [
    ({"name": ""}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"name": "Acme", "external_id": "org_x"}, "external_id"),
    ({"name": "Acme", "external_id": "taken"}, "external_id"),
    ({"name": "Acme", "language": "tlh"}, "language"),
    ({"name": "Acme", "logo": "https://evil.example/x.svg"}, "logo"),
    ({"name": "Acme", "color": "red"}, "color"),
]


async def test_a_bad_field_is_told_beside_it(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    await make(site, "Beta", external_id="taken")
    for form, field in BAD_FORMS:
        page = await ops.post(f"{PAGE}/new", form)
        assert page.status_code == 400, form
        assert f'id="f-{field}-error"' in page.text, form
    assert not holds(await text_of(ops, PAGE), "Acme")


async def test_the_list_goes_by_pages_and_finds_by_name_domain_key_and_id(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    for number in range(60):
        await make(site, f"Customer {number:02}")
    acme = await make(site, "Acme", external_id="key 1")
    await floor_of(site).domains.claim(acme.id, "acme.example")
    first = await text_of(ops, PAGE)
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = await text_of(ops, older)
    names = [re.findall(r"<bdi>(Customer \d\d|Acme)</bdi>", page) for page in (first, second)]
    assert [len(one) for one in names] == [50, 11]
    assert sorted(names[0] + names[1]) == ["Acme", *(f"Customer {n:02}" for n in range(60))]
    for text in ("acm", "acme.ex", "key+1", acme.id):
        found = await text_of(ops, f"{PAGE}?q={text}")
        assert re.findall(r"<bdi>(Customer \d\d|Acme)</bdi>", found) == ["Acme"], text
    assert "None is found" in await text_of(ops, f"{PAGE}?q=nobody")


async def test_what_cannot_be_asked_for_is_told(tmp_path: Path) -> None:
    """Filters and cursors are closed vocabularies (security rule 65)."""
    site, ops = await make_organizations_site(tmp_path)
    acme = await make(site)
    for query in ("?q=a&q=b", "?order=name", "?after=org_x", "?q=%00", "?done=everything"):
        assert "Nothing is listed" in await text_of(ops, PAGE + query, 400), query
    for tab in ("", "/members", "/invitations", "/domains", "/policy"):
        await text_of(ops, at(acme, f"{tab}?order=name"), 400)
        await text_of(ops, at(acme, f"{tab}?done=everything"), 400)


async def test_one_is_deleted_by_who_types_its_name(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    acme = await make(site)
    wrong = await ops.post(at(acme, "/delete"), {"typed": "acme"})
    assert wrong.status_code == 400
    assert "Nothing was deleted" in wrong.text
    done = await ops.post(at(acme, "/delete"), {"typed": "Acme"})
    assert led_to(done) == f"{PAGE}?done=deleted"
    assert await floor_of(site).organizations.find(acme.id) is None
    await text_of(ops, at(acme), 404)


# --- members -------------------------------------------------------------------------------------


async def test_somebody_with_an_account_is_added_changed_and_removed(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    acme, members = await make(site), floor_of(site).members
    unknown = await ops.post(at(acme, "/members/add"), {"email": JO})
    assert unknown.status_code == 400
    assert "Nobody has an account" in unknown.text
    await signed_in(site, JO)
    user = await site.passwordless.people.find(JO)
    assert user is not None
    await site.passwordless.people.disable(user.id)
    disabled = await ops.post(at(acme, "/members/add"), {"email": JO})
    assert disabled.status_code == 400
    assert "Nobody can sign in as this person" in disabled.text
    await site.passwordless.people.enable(user.id)
    added = await ops.post(at(acme, "/members/add"), {"email": JO, "role": "owner"})
    assert JO in await text_of(ops, led_to(added))
    known = await ops.post(at(acme, "/members/add"), {"email": JO})
    assert known.status_code == 400
    one = at(acme, f"/members/one?user={user.id}")
    assert "owner" in await text_of(ops, one)
    await ops.post(at(acme, "/members/role"), {"user": user.id, "role": "viewer"})
    found = await members.find(acme.id, user.id)
    assert found is not None
    assert (found.role, found.origin) == ("viewer", "operator")
    await ops.post(at(acme, "/members/deactivate"), {"user": user.id})
    assert "Deactivated" in await text_of(ops, at(acme, "/members"))
    await ops.post(at(acme, "/members/activate"), {"user": user.id})
    assert "Deactivated" not in await text_of(ops, at(acme, "/members"))
    await ops.post(at(acme, "/members/remove"), {"user": user.id})
    assert await members.find(acme.id, user.id) is None
    await text_of(ops, one, 404)
    kinds = [event.kind for event in site.passwordless.events.recent(user_id=user.id)]
    assert {"member.added", "member.changed", "member.deactivated", "member.activated",
            "member.removed"} <= set(kinds)  # fmt: skip
    changes = site.passwordless.events.recent(kind="member.added")
    assert changes[0].by is not None
    assert changes[0].by.startswith("operator:")


async def test_support_takes_away_and_gives_nothing(tmp_path: Path) -> None:
    """Who may get at a customer's data, and as what, is for admins to say (security rule 63)."""
    site, _ = await make_organizations_site(tmp_path)
    acme, members = await make(site), floor_of(site).members
    jo = await member(site, acme, JO, "viewer")
    helper = await signed_in(site, HELP)
    for path, form in (
        ("/members/add", {"email": HELP, "role": "owner"}),
        ("/members/role", {"user": jo, "role": "owner"}),
        ("/members/activate", {"user": jo}),
        ("/invitations", {"email": HELP, "role": "owner", "days": "7"}),
    ):
        assert (await helper.post(at(acme, path), form)).status_code == 404, path
    await helper.post(at(acme, "/members/deactivate"), {"user": jo})
    found = await members.find(acme.id, jo)
    assert found is not None
    assert (found.is_active, found.role) == (False, "viewer")


async def test_support_removes_no_admin_and_not_themselves(tmp_path: Path) -> None:
    site, _ = await make_organizations_site(tmp_path)
    acme, members = await make(site), floor_of(site).members
    helper = await signed_in(site, HELP)
    for email in (OPS, HELP):
        id = await member(site, acme, email)
        for verb in ("deactivate", "remove"):
            refused = await helper.post(at(acme, f"/members/{verb}"), {"user": id})
            assert refused.status_code == 403, (email, verb)
        found = await members.find(acme.id, id)
        assert found is not None
        assert found.is_active


async def test_a_member_is_found_by_their_address(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    acme = await make(site)
    await member(site, acme, JO)
    await member(site, acme, "kim@example.com")
    found = await text_of(ops, at(acme, "/members?q=kim@example.com"))
    assert "kim@example.com</bdi>" in found
    assert f"{JO}</bdi>" not in found
    assert "Nobody is found" in await text_of(ops, at(acme, "/members?q=ana@example.com"))


async def test_the_page_of_a_person_says_where_they_are_a_member(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    acme = await make(site, EVIL)
    id = await member(site, acme, JO, "owner")
    page = await ops.get(f"/auth/dashboard/people/{id}")
    assert at(acme) in page.text
    assert "owner" in page.text
    assert "<script>alert" not in page.text


# --- invitations ---------------------------------------------------------------------------------


async def test_somebody_is_invited_by_mail_and_it_is_taken_back(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    acme = await make(site)
    form = {"email": "New@Example.com", "role": "owner", "days": "14"}
    done = await ops.post(at(acme, "/invitations"), form)
    listed = await text_of(ops, led_to(done))
    assert "new@example.com" in listed
    assert "Open" in listed
    assert "Acme" in site.mail("new@example.com").text
    (id,) = re.findall(r'name="id" value="([^"]+)"', listed)
    assert led_to(await ops.post(at(acme, "/invitations/revoke"), {"id": id})) == at(
        acme, "/invitations?done=revoked"
    )
    assert "new@example.com" not in await text_of(ops, at(acme, "/invitations"))


async def test_a_bad_invitation_is_told(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    acme = await make(site)
    bad: list[tuple[dict[str, str], str]] = [
        ({"email": "nobody", "days": "7"}, "email"),
        ({"email": JO, "days": "365"}, "days"),
        ({"email": JO, "days": "7", "role": "x" * 65}, "role"),
    ]
    for form, field in bad:
        page = await ops.post(at(acme, "/invitations"), form)
        assert page.status_code == 400, form
        assert f'id="f-{field}-error"' in page.text, form


# --- domains -------------------------------------------------------------------------------------


async def test_a_domain_shows_its_record_and_binds_nobody_before(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    acme, floor = await make(site), floor_of(site)
    done = await ops.post(at(acme, "/domains"), {"domain": "ACME.example"})
    shown = await text_of(ops, led_to(done))
    domain = await floor.domains.find(acme.id, "acme.example")
    assert domain is not None
    assert domain.token in shown
    assert "Not verified" in shown
    assert await floor.directory.owner_of("acme.example") is None
    for name in ("gmail.com", "co.uk", "not a domain"):
        page = await ops.post(at(acme, "/domains"), {"domain": name})
        assert page.status_code == 400, name
    await floor.domains.mark_verified(acme.id, "acme.example")
    assert "Verified" in await text_of(ops, at(acme, "/domains"))
    assert "no longer led" in await text_of(ops, at(acme, "/domains/remove?domain=acme.example"))
    await ops.post(at(acme, "/domains/remove"), {"domain": "acme.example"})
    assert await floor.directory.owner_of("acme.example") is None


# --- policy --------------------------------------------------------------------------------------


def hidden_in(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in found}


async def test_a_policy_is_looked_at_before_it_holds(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    policy = Policy(mfa="required", methods=frozenset({"passkey"}), idle=3600)
    acme = await make(site, policy=policy)
    form = {
        "version": "1",
        "mfa": "optional",
        "methods:own": "yes",
        "methods:passkey": "on",
        "methods:email": "on",
        "idle": "2",
        "idle:unit": "hours",
    }
    looked = await ops.post(at(acme, "/policy/edit"), form)
    assert looked.status_code == 200
    assert looked.text.count("Less strict") == 3
    assert "Passkey" in looked.text
    assert (await floor_of(site).organizations.require(acme.id)).policy == policy
    hidden = hidden_in(looked.text)
    done = await ops.post(at(acme, "/policy/save"), hidden)
    assert led_to(done) == at(acme, "/policy?done=changed")
    now = (await floor_of(site).organizations.require(acme.id)).policy
    assert now == Policy(mfa="optional", methods=frozenset({"passkey", "email"}), idle=7200)
    (event,) = site.passwordless.events.recent(kind="organization.policy_changed")
    assert event.organization == acme.id
    # The same form once more is of a version that is over.
    again = await ops.post(at(acme, "/policy/save"), hidden)
    assert again.status_code == 400


async def test_what_holds_is_the_strictest(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    acme = await make(site, policy=Policy(idle=30 * 86_400, mfa="required"))
    shown = await text_of(ops, at(acme, "/policy"))
    rows = re.findall(r"<tr>.*?</tr>", shown, re.DOTALL)
    idle = next(row for row in rows if "without use" in row)
    assert re.findall(r"<bdi>([^<]*)</bdi>", idle) == ["30 days", "7 days", "7 days"]
    mfa = next(row for row in rows if 'scope="row">Second factor<' in row)
    assert re.findall(r"<bdi>([^<]*)</bdi>", mfa) == [
        "Required of everybody", "Asked of whoever has one", "Required of everybody",
    ]  # fmt: skip


async def test_sso_cannot_be_required_before_it_has_worked(tmp_path: Path) -> None:
    """Security rule 54, told in words where the change would be made."""
    site, ops = await make_organizations_site(tmp_path)
    acme = await make(site)
    assert (await text_of(ops, at(acme, "/policy"))).count("Missing") == 2
    form = {
        "version": "1", "sso": "required", "break_glass:own": "yes", "break_glass": JO,
    }  # fmt: skip
    looked = await ops.post(at(acme, "/policy/edit"), form)
    refused = await ops.post(at(acme, "/policy/save"), hidden_in(looked.text))
    assert refused.status_code == 400
    assert "second factor" in refused.text
    assert (await floor_of(site).organizations.require(acme.id)).policy == Policy()


BAD_POLICIES: list[dict[str, str]] = [
    {"mfa": "always"},
    {"idle": "-1", "idle:unit": "hours"},
    {"idle": "1", "idle:unit": "seconds"},
    {"trusted_days": "365"},
    {"break_glass:own": "yes", "break_glass": "nobody"},
    {"methods:own": "yes", "methods:totp": "on"},
]


async def test_a_policy_that_cannot_be_is_told_beside_its_field(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    acme = await make(site)
    for form in BAD_POLICIES:
        page = await ops.post(at(acme, "/policy/edit"), {"version": "1", **form})
        assert page.status_code == 400, form
        field = next(iter(form)).partition(":")[0]
        assert f'id="e-{field}"' in page.text, form


async def test_running_sessions_are_held_to_the_policy_by_a_button(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    acme = await make(site)
    assert "go on" in await text_of(ops, at(acme, "/policy/apply"))
    done = await ops.post(at(acme, "/policy/apply"), {})
    assert led_to(done) == at(acme, "/policy?done=applied")
    assert (await floor_of(site).organizations.require(acme.id)).enforced_at == site.clock.now


# --- all of them ---------------------------------------------------------------------------------


async def routes_of(site: Site, organization: Organization) -> list[tuple[str, str]]:
    """Return method and path of every page of organizations."""
    return [
        (method, f"/auth{route.path.replace('{id}', organization.id)}")
        for route in site.passwordless.routes.all
        if route.path.startswith("/dashboard/organizations")
        for method in route.methods
    ]


async def test_for_somebody_else_there_are_none(tmp_path: Path) -> None:
    site, _ = await make_organizations_site(tmp_path)
    acme = await make(site)
    await member(site, acme, JO, "owner")
    jo = await signed_in(site, JO)
    nothing = await jo.get("/auth/dashboard/no-such-page")
    routes = await routes_of(site, acme)
    assert len(routes) > 20
    for method, path in routes:
        form: dict[str, str] | None = {} if method == "POST" else None
        answer = await jo.request(method, path, form=form)
        assert (answer.status_code, answer.text) == (404, nothing.text), path


async def test_who_only_looks_changes_nothing_and_is_offered_nothing(tmp_path: Path) -> None:
    site, _ = await make_organizations_site(tmp_path)
    acme = await make(site)
    await member(site, acme, JO)
    await floor_of(site).domains.claim(acme.id, "acme.example")
    look = await signed_in(site, LOOK)
    for method, path in await routes_of(site, acme):
        if method == "POST":
            assert (await look.post(path, {})).status_code == 404, path
    for tab in ("", "/members", "/invitations", "/domains", "/policy", "/explain"):
        page = await text_of(look, at(acme, tab))
        main = page.partition("<main")[2]
        assert 'method="post"' not in main, tab
        for link in re.findall(r'href="(/auth/dashboard/organizations[^"]*)"', main):
            assert (await look.get(link)).status_code == 200, link


async def test_each_handler_asks_the_gate_before_anything_else(tmp_path: Path) -> None:
    from tests.features.dashboard.test_gate import _statements

    site, _ = await make_organizations_site(tmp_path)
    for route in site.passwordless.routes.all:
        if route.path.startswith("/dashboard/organizations"):
            for method, handler in route.methods.items():
                first = _statements(handler)[0]
                assert "await self._kit.operators.require" in first, f"{method} {route.path}"


async def test_what_there_is_not_is_not_found(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    await make(site, external_id="customer 7")
    for id in ("x", "org_x", "org_" + "a" * 22, "customer 7", "%00", "org_%0a"):
        for tab in ("", "/members", "/invitations", "/domains", "/policy", "/explain", "/edit"):
            assert (await ops.get(f"{PAGE}/{id}{tab}")).status_code == 404, (id, tab)


# --- explain -------------------------------------------------------------------------------------


async def test_a_page_says_what_would_happen_and_why(tmp_path: Path) -> None:
    site, ops = await make_organizations_site(tmp_path)
    acme = await make(site, policy=Policy(mfa="required", methods=frozenset({"email"})))
    await member(site, acme, JO)
    before = site.passwordless.events.recent()
    shown = await text_of(ops, at(acme, f"/explain?email={JO}"))
    assert "A second factor has to be added" in shown
    assert "Acme" in shown.partition("What is asked")[2]
    stranger = await text_of(ops, at(acme, "/explain?email=kim@example.com"))
    assert "Refused" in stranger
    assert site.passwordless.events.recent() == before
    bad = await text_of(ops, at(acme, "/explain?email=nobody"), 400)
    assert 'id="f-email-error"' in bad


# --- a table of the host's own -------------------------------------------------------------------


async def test_members_of_a_hosts_own_table_are_found_and_shown_by_their_address(
    tmp_path: Path,
) -> None:
    site, ops = await make_organizations_site(tmp_path, users=Table())
    await signed_in(site, JO)
    acme = await make(site)
    added = await ops.post(at(acme, "/members/add"), {"email": JO, "role": "owner"})
    listed = await text_of(ops, led_to(added))
    assert f"{JO}</bdi>" in listed
    (path,) = re.findall(rf'href="([^"]+)"><bdi>{JO}', listed)
    assert "Acme" in await text_of(ops, path)
    assert JO in await text_of(ops, at(acme, f"/members?q={JO}"))
    unknown = await ops.post(at(acme, "/members/add"), {"email": "nobody@example.com"})
    assert unknown.status_code == 400
