"""Connections, SCIM tokens, set-up links and identities on the dashboard."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import Organizations
from pwless_middleware.core.organizations.connection import Connection, Identity
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.features.sso.options import SSO
from pwless_middleware.flows.organizations.scim_tokens import matches
from tests.features.dashboard.operators import HELP, LOOK, OPS, make_dashboard_site
from tests.features.dashboard.test_gate import _statements
from tests.identity_providers.own_oidc import OwnProvider
from tests.identity_providers.saml import NOW, make_key
from tests.organizations import floor_of
from tests.own_account import JO, signed_in
from tests.support import Browser, Site, led_to

pytestmark = pytest.mark.anyio

PAGE = "/auth/dashboard/organizations"
SECRET = "s3cr3t-of-the-client"  # of no provider


async def make_sso_site(folder: Path, **options: Any) -> tuple[Site, Browser, Organization]:
    """Make a site with company logins, the browser of an admin, and an organization."""
    features = [Organizations(), SSO(unsafe_loopback=True)]
    site = make_dashboard_site(folder, features=features, **options)
    ops = await signed_in(site, OPS)
    return site, ops, await floor_of(site).organizations.create("Acme")


def at(organization: Organization, page: str = "/connections") -> str:
    """Return the path of an organization's page."""
    return f"{PAGE}/{organization.id}{page}"


async def connect(site: Site, organization: Organization, **config: Any) -> tuple[Connection, str]:
    """Make a connection by OpenID Connect, and return it with the path of its page."""
    made = await floor_of(site).connections.create(
        organization.id, "oidc", "Acme login", config={"preset": "oidc", **config}
    )
    return made, at(organization, f"/connections/{made.id}")


async def text_of(browser: Browser, path: str, status: int = 200) -> str:
    """Return what a page says."""
    page = await browser.get(path)
    assert page.status_code == status, page.text
    return unescape(page.text)


@pytest.mark.parametrize(("provider", "name"), [("entra", "Microsoft Entra ID"), ("saml", "Acme")])
async def test_a_connection_without_a_name_is_called_by_what_its_people_know(
    tmp_path: Path, provider: str, name: str
) -> None:
    site, ops, acme = await make_sso_site(tmp_path)
    led_to(await ops.post(at(acme, "/connections/new"), {"provider": provider, "name": ""}))
    (made,) = await floor_of(site).connections.list(acme.id)
    assert made.name == name


@pytest.mark.parametrize(
    ("provider", "step"),
    [("entra", "choose “Add groups claim”"), ("saml", "attribute groups")],
)
async def test_beside_roles_stands_what_makes_the_provider_send_groups(
    tmp_path: Path, provider: str, step: str
) -> None:
    _, ops, acme = await make_sso_site(tmp_path)
    edit = led_to(await ops.post(at(acme, "/connections/new"), {"provider": provider, "name": ""}))
    shown = await text_of(ops, edit)
    (hint,) = re.findall(r'id="f-roles-hint">(.*?)</p>', shown, re.DOTALL)
    assert "The first line that fits counts." in hint
    assert step in hint.partition("The first line that fits counts.")[2]


async def test_a_connection_is_made_set_and_turned_on(
    tmp_path: Path, provider: OwnProvider
) -> None:
    site, ops, acme = await make_sso_site(tmp_path)
    assert "No connection yet" in await text_of(ops, at(acme))
    made = await ops.post(at(acme, "/connections/new"), {"provider": "oidc", "name": "Staff"})
    edit = led_to(made)
    page = edit.removesuffix("/edit")
    assert "not set up completely" in await text_of(ops, page)
    early = await ops.post(f"{page}/on", {})
    assert early.status_code == 400
    assert "Enter first what its provider shows" in early.text
    (version,) = re.findall(r'name="version" value="(\d+)"', await text_of(ops, edit))
    form = {
        "version": version,
        "name": "Staff",
        "issuer": provider.issuer,
        "client_id": "us",
        "client_secret": SECRET,
        "roles": "Admins = owner\nall staff=viewer\n",
        "counts_mfa": "on",
        "groups_claim": "groups",
    }
    assert led_to(await ops.post(edit, form)) == f"{page}?done=changed"
    id = page.rpartition("/")[2]
    kept = await floor_of(site).connections.find(id)
    assert kept is not None
    assert kept.config["roles"] == [["Admins", "owner"], ["all staff", "viewer"]]
    assert kept.config["counts_mfa"] is True
    assert await floor_of(site).connection_secrets.of(id) == SECRET.encode()
    for path in (page, edit, at(acme)):
        shown = await text_of(ops, path)
        assert SECRET not in shown, "write-only (security rule 56)"
        assert "Staff" in shown
    assert f"https://app.example.com/auth/sso/{id}/callback" in await text_of(ops, page)
    assert "Admins = owner" in await text_of(ops, edit)
    await ops.post(f"{page}/on", {})
    assert "People can sign in by it" in await text_of(ops, f"{page}?done=on")
    # Who leaves the secret empty keeps it; who was slower is told.
    again = {**form, "client_secret": "", "name": "Other", "version": str(kept.version)}
    stale = await ops.post(edit, again)
    assert stale.status_code == 400
    assert "Somebody has changed it meanwhile" in stale.text
    (version,) = re.findall(r'name="version" value="(\d+)"', await text_of(ops, edit))
    await ops.post(edit, {**again, "version": version})
    assert await floor_of(site).connection_secrets.of(id) == SECRET.encode()
    assert "Other" in await text_of(ops, at(acme))


async def test_what_a_provider_answers_wrongly_is_told_at_its_field(
    tmp_path: Path, provider: OwnProvider
) -> None:
    site, ops, acme = await make_sso_site(tmp_path)
    _, page = await connect(site, acme)
    good = {"version": "1", "name": "x", "issuer": provider.issuer, "client_id": "us",
            "client_secret": SECRET}  # fmt: skip
    for change, field in (
        ({"issuer": "http://169.254.169.254"}, "issuer"),
        ({"issuer": f"{provider.issuer}/elsewhere"}, "issuer"),
        ({"client_id": ""}, "client_id"),
        ({"client_secret": ""}, "client_secret"),
        ({"roles": f"{'x' * 300} = owner"}, "roles"),
        ({"roles": f"Admins = {'x' * 65}"}, "roles"),
        ({"scopes": 'a"b'}, "scopes"),
        ({"client_auth": "smoke"}, "client_auth"),
    ):
        answer = await ops.post(f"{page}/edit", {**good, **change})
        assert answer.status_code == 400, change
        assert f'id="f-{field}-error"' in answer.text, change
        assert SECRET not in answer.text, change


async def test_certificates_are_listed_with_their_ends(tmp_path: Path) -> None:
    site, ops, acme = await make_sso_site(tmp_path)
    _, pem = make_key("ends soon", ends=(site.clock.now - NOW) // 86_400 + 10)
    config = {
        "preset": "saml", "entity_id": "https://idp.acme.example", "certificates": [pem],
        "sso_url": "https://idp.acme.example/sso",
    }  # fmt: skip
    made = await floor_of(site).connections.create(acme.id, "saml", "ADFS", config=config)
    assert "Certificate ends soon" in await text_of(ops, at(acme))
    shown = await text_of(ops, at(acme, f"/connections/{made.id}"))
    assert "Ends soon" in shown
    assert f"/auth/sso/{made.id}/acs" in shown


async def test_the_last_connection_stays_on_while_the_policy_requires_it(tmp_path: Path) -> None:
    """Else nobody could sign in any more (security rule 54)."""
    site, ops, acme = await make_sso_site(tmp_path)
    floor = floor_of(site)
    made, page = await connect(site, acme, issuer="https://idp.example", client_id="us")
    await floor.connections.mark_tested(made.id)
    await floor.connections.enable(made.id)
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    there = await floor.organizations.require(acme.id)
    required = Policy(sso="required")
    new = replace(there, policy=required, version=there.version + 1)
    assert await repositories.organizations.put(new, seen=there.version) == "done"
    for verb in ("off", "delete"):
        assert "Nobody can sign in by it" in await text_of(ops, f"{page}/{verb}")
        refused = await ops.post(f"{page}/{verb}", {})
        assert refused.status_code == 400, verb
        assert "People sign in by this connection alone" in refused.text
    found = await floor.connections.find(made.id)
    assert found is not None
    assert found.is_enabled


async def test_a_scim_token_is_shown_once_and_revoked(tmp_path: Path) -> None:
    site, ops, acme = await make_sso_site(tmp_path)
    made, page = await connect(site, acme)
    shown = await ops.post(f"{page}/scim", {})
    (token,) = set(re.findall(r"pwscim_[\w-]+", shown.text))
    assert matches(await floor_of(site).connections.scim_digest_of(made.id), token)
    for path in (page, f"{page}/scim"):
        assert token not in await text_of(ops, path)
    assert f"/auth/scim/v2/{made.id}" in await text_of(ops, page)
    await ops.post(f"{page}/scim/revoke", {})
    assert not matches(await floor_of(site).connections.scim_digest_of(made.id), token)


async def test_a_set_up_link_is_shown_once_sent_and_revoked(tmp_path: Path) -> None:
    site, ops, acme = await make_sso_site(tmp_path)
    shown = await ops.post(at(acme, "/set-up"), {"days": "7", "email": ""})
    (url,) = set(re.findall(r"https://app\.example\.com(/auth/sso/setup\?[^<\s]+)", shown.text))
    assert "Begin in this browser" in await text_of(site.browser(), unescape(url))
    listed = await text_of(ops, at(acme, "/set-up"))
    assert "setup_token" not in listed
    (id,) = re.findall(r'name="id" value="([^"]+)"', listed)
    await ops.post(at(acme, "/set-up/revoke"), {"id": id})
    assert 'name="id"' not in await text_of(ops, at(acme, "/set-up"))
    sent = await ops.post(at(acme, "/set-up"), {"days": "1", "email": "it@acme.example"})
    assert led_to(sent) == at(acme, "/set-up?done=sent")
    assert "/auth/sso/setup?setup_token=" in site.mail("it@acme.example").text
    for form, field in (({"days": "400"}, "days"), ({"days": "1", "email": "x"}, "email")):
        bad = await ops.post(at(acme, "/set-up"), form)
        assert bad.status_code == 400
        assert f'id="f-{field}-error"' in bad.text


async def test_the_page_of_a_person_has_their_identities(tmp_path: Path) -> None:
    site, ops, acme = await make_sso_site(tmp_path)
    made, page = await connect(site, acme)
    await signed_in(site, JO)
    jo = await site.passwordless.people.find(JO)
    assert jo is not None
    subject = '<script>alert(1)</script>"'
    identity = Identity(
        connection=made.id, subject=subject, user_id=jo.id, email="j@acme.example",
        created_at=site.clock.now, seen_at=site.clock.now,
    )  # fmt: skip
    await floor_of(site).identities.add(identity)
    person = f"/auth/dashboard/people/{jo.id}"
    shown = await ops.get(person)
    assert page in shown.text
    assert "<script>alert" not in shown.text
    kim = await site.passwordless.people.create("kim@example.com")
    form = {"connection": made.id, "subject": subject}
    other = await ops.post(f"/auth/dashboard/people/{kim.id}/identities/remove", form)
    assert other.status_code == 404, "it is another person's"
    look = await signed_in(site, LOOK)
    assert (await look.post(f"{person}/identities/remove", form)).status_code == 404
    done = await ops.post(f"{person}/identities/remove", form)
    assert led_to(done) == f"{person}?done=identity"
    assert await floor_of(site).identities.of_user(jo.id) == []


# --- all of them ---------------------------------------------------------------------------------


def routes_of(site: Site, organization: Organization, connection: str) -> list[tuple[str, str]]:
    """Return method and path of every page of this feature, for a connection."""
    found = []
    for route in site.passwordless.routes.all:
        if "/connections" in route.path or "/set-up" in route.path:
            path = route.path.replace("{id}", organization.id).replace("{connection}", connection)
            found += [(method, f"/auth{path}") for method in route.methods]
    return [(method, path) for method, path in found if path.startswith(PAGE)]


async def test_a_connection_is_reached_by_its_own_organization_alone(tmp_path: Path) -> None:
    site, ops, acme = await make_sso_site(tmp_path)
    beta = await floor_of(site).organizations.create("Beta")
    made, _ = await connect(site, acme, issuer="https://idp.example", client_id="us")
    before = await floor_of(site).connections.find(made.id)
    for id in (made.id, "x", "conn_" + "a" * 22, "%00"):
        for method, path in routes_of(site, beta, id):
            if "{" not in path and f"/connections/{id}" in path:
                form: dict[str, str] | None = {} if method == "POST" else None
                answer = await ops.request(method, path, form=form)
                assert answer.status_code == 404, (method, path)
    assert await floor_of(site).connections.find(made.id) == before


async def test_for_somebody_else_there_are_none_and_who_looks_changes_nothing(
    tmp_path: Path,
) -> None:
    site, _, acme = await make_sso_site(tmp_path)
    made, page = await connect(site, acme)
    jo = await signed_in(site, JO)
    others = [await signed_in(site, address) for address in (LOOK, HELP)]
    nothing = await jo.get("/auth/dashboard/no-such-page")
    routes = routes_of(site, acme, made.id)
    assert len(routes) > 12
    for method, path in routes:
        form: dict[str, str] | None = {} if method == "POST" else None
        answer = await jo.request(method, path, form=form)
        assert (answer.status_code, answer.text) == (404, nothing.text), path
        for operator in others if method == "POST" else ():
            assert (await operator.post(path, {})).status_code == 404, path
    for path in (at(acme), page, at(acme, "/set-up")):
        for operator in others:
            main = (await text_of(operator, path)).partition("<main")[2]
            assert 'method="post"' not in main, path
            for link in re.findall(r'href="(/auth/dashboard/organizations[^"]*)"', main):
                assert (await operator.get(link)).status_code == 200, link


async def test_each_handler_asks_the_gate_before_anything_else(tmp_path: Path) -> None:
    site, _, _ = await make_sso_site(tmp_path)
    for route in site.passwordless.routes.all:
        if re.search(r"^/dashboard/organizations/.*(connections|set-up)|identities", route.path):
            for method, handler in route.methods.items():
                first = _statements(handler)[0]
                assert "await self._kit.operators.require" in first, f"{method} {route.path}"
