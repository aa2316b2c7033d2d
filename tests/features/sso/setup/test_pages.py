"""An administrator goes through the set-up, page by page."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from pwless_middleware.features.sso.setup.providers import PROVIDERS
from tests.features.sso.setup.administrator import SETUP, SetupSite, make_setup_site
from tests.identity_providers.own_oidc import own_oidc
from tests.identity_providers.provider import CLIENT_ID, CLIENT_SECRET
from tests.identity_providers.saml import SAMLProvider

pytestmark = pytest.mark.anyio

SAML = SAMLProvider()


@pytest.fixture
async def setup(tmp_path: Path) -> SetupSite:
    return await make_setup_site(tmp_path)


def values_of(page: str) -> dict[str, str]:
    """Return the values that a page gives to be copied, by what they are called."""
    rows = re.findall(r"<dt>([^<]+)</dt>\s*<dd><code [^>]+>([^<]+)</code>", page)
    return dict(rows)


async def test_a_login_by_openid_connect_is_set_up_from_the_link_to_the_end(
    setup: SetupSite,
) -> None:
    jo = await setup.open()
    assert "Go on" in (await jo.get(SETUP)).text
    id = await setup.begin(jo, "oidc")
    page = (await jo.get(f"{SETUP}/connections/{id}")).text
    redirect_uri = f"https://app.example.com/auth/sso/{id}/callback"
    assert values_of(page) == {"Redirect URI": redirect_uri}
    async with own_oidc() as provider:
        form = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        saved = await setup.enter(jo, id, **form)
    assert saved.headers["location"].endswith(f"/connections/{id}/test"), saved.text
    connection = await setup.connection(id)
    assert connection.config == {"issuer": form["issuer"], "client_id": CLIENT_ID}
    assert await setup.floor.connection_secrets.of(id) == CLIENT_SECRET.encode()
    assert "Begin the test" in (await jo.get(f"{SETUP}/connections/{id}/test")).text
    assert "Test the login: it has to work once" in (await jo.get(f"{SETUP}/turn-on")).text
    await setup.floor.connections.mark_tested(id)
    assert "The login has worked" in (await jo.get(f"{SETUP}/connections/{id}/test")).text

    added = await jo.post(f"{SETUP}/domains", {"domain": "ACME.example", "action": "add"})
    assert added.status_code == 303
    page = (await jo.get(f"{SETUP}/domains")).text
    record = values_of(page)
    assert record["Name"] == "_pwless-challenge.acme.example"
    setup.site.clock.advance(2)
    verify = {"domain": "acme.example", "action": "verify"}
    missing = await jo.post(f"{SETUP}/domains", verify)
    assert "The record is not there yet" in missing.text
    assert "Verify a domain" in (await jo.get(f"{SETUP}/turn-on")).text
    setup.zone.records[record["Name"]] = record["Value"]
    setup.site.clock.advance(2)
    assert (await jo.post(f"{SETUP}/domains", verify)).status_code == 303
    assert "Verified" in (await jo.get(f"{SETUP}/domains")).text

    assert not (await setup.connection(id)).is_enabled
    await jo.post(f"{SETUP}/turn-on", {"connection": id, "action": "turn_on"})
    assert (await setup.connection(id)).is_enabled
    assert "The login of your company is on" in (await jo.get(f"{SETUP}/turn-on")).text
    by = {event.by for event in setup.site.passwordless.events.recent()}
    assert f"setup_link:{setup.link.id}" in by
    done = await jo.post(f"{SETUP}/turn-on", {"action": "finish"})
    assert f"/auth/login?organization={setup.acme.id}" in done.text
    link = await setup.floor.setup_links.find(setup.link.id)
    assert link is not None
    assert link.finished_at is not None


async def test_nothing_is_turned_on_before_it_has_worked_and_a_domain_is_verified(
    setup: SetupSite,
) -> None:
    jo = await setup.open()
    id = await setup.begin(jo, "okta")
    turn_on = {"connection": id, "action": "turn_on"}
    await jo.post(f"{SETUP}/turn-on", turn_on)
    await setup.floor.connections.mark_tested(id)
    await jo.post(f"{SETUP}/turn-on", turn_on)
    assert not (await setup.connection(id)).is_enabled


async def test_a_secret_is_never_shown_and_is_kept_where_none_is_entered(
    setup: SetupSite,
) -> None:
    """Security rule 56."""
    jo = await setup.open()
    id = await setup.begin(jo, "oidc")
    async with own_oidc() as provider:
        form = {"issuer": provider.issuer, "client_id": CLIENT_ID}
        lacking = await setup.enter(jo, id, **form)
        assert lacking.status_code == 400
        assert "This field is required" in lacking.text
        secret = "the-client-secret-1"
        await setup.enter(jo, id, **form, client_secret=secret)
        setup.site.clock.advance(2)
        page = await jo.get(f"{SETUP}/connections/{id}")
        assert secret not in page.text
        assert "One is kept" in page.text
        bad = await setup.enter(jo, id, issuer="nonsense", client_id="", client_secret="another-1")
        assert "another-1" not in bad.text
        await setup.enter(jo, id, issuer=provider.issuer, client_id="other")
        async with own_oidc() as mallory:  # who must not be sent what another provider has given
            setup.site.clock.advance(2)
            moved = await setup.enter(jo, id, issuer=mallory.issuer, client_id="other")
            assert moved.status_code == 400
            assert "This field is required" in moved.text
    assert await setup.floor.connection_secrets.of(id) == secret.encode()
    assert (await setup.connection(id)).config["client_id"] == "other"


async def test_what_an_operator_trusts_of_one_provider_is_not_trusted_of_the_next(
    setup: SetupSite,
) -> None:
    """Else whoever has the link could say that there was a second factor."""
    jo = await setup.open()
    id = await setup.begin(jo, "oidc")
    async with own_oidc() as provider, own_oidc() as mallory:
        config = provider.config(counts_mfa=True)
        await setup.floor.connections.change(id, config=config, by="operator:kim")
        form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        await setup.enter(jo, id, issuer=provider.issuer, **form)
        assert (await setup.connection(id)).config["counts_mfa"] is True
        setup.site.clock.advance(2)
        await setup.enter(jo, id, issuer=mallory.issuer, **form)
    moved = (await setup.connection(id)).config
    assert (moved["issuer"], "counts_mfa" in moved) == (mallory.issuer, False)


async def test_what_is_wrong_with_a_provider_is_said_beside_its_field(setup: SetupSite) -> None:
    jo = await setup.open()
    id = await setup.begin(jo, "oidc")
    async with own_oidc() as provider:
        provider.metadata["issuer"] = "https://other.example"
        form = {"issuer": provider.issuer, "client_id": "a b", "client_secret": "x" * 20}
        refused = await setup.enter(jo, id, **form)
    assert refused.status_code == 400
    assert "names another issuer than the connection" in refused.text
    assert "https://other.example" in refused.text
    assert 'aria-describedby="f-issuer-error' in refused.text
    assert 'value="a b"' in refused.text, "what was typed is still there"
    assert "issuer" not in (await setup.connection(id)).config
    setup.site.clock.advance(2)
    inside = await setup.enter(jo, id, issuer="https://10.0.0.1", client_id="x", client_secret="x")
    assert "This address is not on the public internet." in inside.text


async def test_other_servers_are_asked_no_oftener_than_every_two_seconds(setup: SetupSite) -> None:
    jo = await setup.open()
    id = await setup.begin(jo, "oidc")
    async with own_oidc() as provider:
        form = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        assert (await setup.enter(jo, id, **form)).status_code == 303
        again = await setup.enter(jo, id, **form)
        assert again.status_code == 429
        assert "Wait a moment, and try again." in again.text
        assert len(provider.asked("/keys")) == 1
    await jo.post(f"{SETUP}/domains", {"domain": "acme.example", "action": "add"})
    verify = {"domain": "acme.example", "action": "verify"}
    assert (await jo.post(f"{SETUP}/domains", verify)).status_code == 429
    assert setup.zone.asked == 0


async def test_what_somebody_else_has_changed_is_shown_anew(setup: SetupSite) -> None:
    jo = await setup.open()
    id = await setup.begin(jo, "okta")
    await setup.floor.connections.change(id, name="Okta of Acme", by="operator:kim")
    form = {"version": "1", "issuer": "acme.okta.com", "client_id": "x", "client_secret": "x"}
    refused = await jo.post(f"{SETUP}/connections/{id}", form)
    assert refused.status_code == 400
    assert "This was changed meanwhile" in refused.text
    assert 'name="version" value="2"' in refused.text


async def test_every_provider_can_be_chosen_and_says_what_to_do(setup: SetupSite) -> None:
    jo = await setup.open()
    for provider in PROVIDERS.values():
        assert f'value="{provider.id}"' in (await jo.get(f"{SETUP}/provider")).text
        id = await setup.begin(jo, provider.id)
        page = unescape((await jo.get(f"{SETUP}/connections/{id}")).text)
        assert all(step in page for step in provider.steps)
        assert f"/auth/sso/{id}/" in page


async def test_a_choice_that_is_changed_leaves_no_connection_behind(setup: SetupSite) -> None:
    jo = await setup.open()
    for provider in ("okta", "saml", "entra", "google"):
        last = await setup.begin(jo, provider)
    (only,) = await setup.floor.connections.list(setup.acme.id)
    assert (only.id, only.kind, only.config) == (last, "oidc", {"preset": "google"})
    assert only.name == "Google Workspace"
    id = await setup.begin(jo, "saml")
    assert (await setup.connection(id)).name == "Acme", "what people read on the login page"
    await setup.floor.connections.create(setup.acme.id, "oidc", "Made by a server")
    await setup.begin(jo, "adfs")
    names = {one.name for one in await setup.floor.connections.list(setup.acme.id)}
    assert names == {"AD FS", "Made by a server"}
    bad = await jo.post(f"{SETUP}/provider", {"provider": "x"})
    assert bad.status_code == 400


async def test_a_part_of_the_issuer_is_enough_where_the_rest_is_known(setup: SetupSite) -> None:
    jo = await setup.open()
    id = await setup.begin(jo, "entra")
    page = (await jo.get(f"{SETUP}/connections/{id}")).text
    assert "Directory (tenant) ID" in page
    bad = await setup.enter(jo, id, issuer="acme", client_id="x", client_secret="x" * 20)
    assert "32 hexadecimal digits" in bad.text


async def test_metadata_that_are_pasted_say_all_of_a_saml_provider(setup: SetupSite) -> None:
    jo = await setup.open()
    id = await setup.begin(jo, "saml")
    values = values_of((await jo.get(f"{SETUP}/connections/{id}")).text)
    below = f"https://app.example.com/auth/sso/{id}"
    assert values == {
        "ACS URL": f"{below}/acs",
        "Entity ID": f"{below}/metadata",
        "Metadata URL": f"{below}/metadata",
    }
    saved = await setup.enter(jo, id, metadata=SAML.make_metadata().decode())
    assert saved.headers["location"].endswith("/test"), saved.text
    config = (await setup.connection(id)).config
    assert config["entity_id"] == SAML.entity_id
    assert config["sso_url"] == SAML.sso_url
    page = (await jo.get(f"{SETUP}/connections/{id}")).text
    assert SAML.sso_url in page
    assert "BEGIN CERTIFICATE" in page


async def test_a_provider_that_wants_signed_requests_finds_our_certificate(
    setup: SetupSite,
) -> None:
    jo = await setup.open()
    id = await setup.begin(jo, "saml")
    wants = {"<md:IDPSSODescriptor": '<md:IDPSSODescriptor WantAuthnRequestsSigned="true"'}
    saved = await setup.enter(jo, id, metadata=SAML.make_metadata(**wants).decode())
    assert saved.status_code == 303, saved.text
    assert (await setup.connection(id)).has_secret
    page = await jo.get(f"/auth/sso/{id}/metadata")
    assert 'AuthnRequestsSigned="true"' in page.text
    assert "X509Certificate" in page.text


async def test_a_saml_provider_can_be_entered_by_hand(setup: SetupSite) -> None:
    jo = await setup.open()
    id = await setup.begin(jo, "okta_saml")
    form = {
        "entity_id": SAML.entity_id,
        "sso_url": SAML.sso_url,
        "certificates": SAML.certificate,
    }
    lacking = await setup.enter(jo, id, **{**form, "certificates": ""})
    assert "This field is required" in lacking.text
    saved = await setup.enter(jo, id, **form)
    assert saved.status_code == 303, saved.text
    assert (await setup.connection(id)).config["preset"] == "okta_saml"


async def test_what_are_no_metadata_is_said_in_words(setup: SetupSite) -> None:
    jo = await setup.open()
    id = await setup.begin(jo, "saml")
    for typed, sentence in (
        ("<html></html>", "This is a web page, not metadata"),
        ("nonsense", "no well-formed XML"),
        ("x" * 262_145, "larger than"),
    ):
        refused = await setup.enter(jo, id, metadata=typed)
        assert refused.status_code == 400
        assert 'id="f-metadata-error"' in refused.text
        assert sentence in refused.text


async def test_a_domain_that_is_nobodys_own_is_refused_with_the_reason(setup: SetupSite) -> None:
    jo = await setup.open()
    for typed, sentence in (
        ("gmail.com", "gives mailboxes to anybody"),
        ("co.uk", "Anybody can register names"),
        ("<b>", "This is not a domain"),
    ):
        refused = await jo.post(f"{SETUP}/domains", {"domain": typed, "action": "add"})
        assert refused.status_code == 400
        assert sentence in refused.text
    assert "<b>" not in refused.text.split("<main")[1].replace("<bdi>", "")
    assert await setup.floor.domains.list(setup.acme.id) == []


async def test_a_domain_of_another_organization_is_told_once_the_record_is_there(
    setup: SetupSite,
) -> None:
    """Who has not shown that the domain is theirs learns nothing of who has it."""
    umbrella = await setup.floor.organizations.create("Umbrella")
    await setup.floor.domains.claim(umbrella.id, "acme.example")
    await setup.floor.domains.mark_verified(umbrella.id, "acme.example")
    jo = await setup.open()
    await jo.post(f"{SETUP}/domains", {"domain": "acme.example", "action": "add"})
    verify = {"domain": "acme.example", "action": "verify"}
    assert "The record is not there yet" in (await jo.post(f"{SETUP}/domains", verify)).text
    setup.zone.add(await setup.floor.domains.require(setup.acme.id, "acme.example"))
    setup.site.clock.advance(2)
    assert "Another organization" in (await jo.post(f"{SETUP}/domains", verify)).text


async def test_a_record_that_is_gone_is_asked_for_again(setup: SetupSite) -> None:
    jo = await setup.open()
    await setup.floor.domains.claim(setup.acme.id, "acme.example")
    await setup.floor.domains.mark_verified(setup.acme.id, "acme.example", has_record=True)
    assert not values_of((await jo.get(f"{SETUP}/domains")).text)
    await setup.floor.domains.note_check(setup.acme.id, "acme.example", is_there=False)
    page = (await jo.get(f"{SETUP}/domains")).text
    assert "The record is not found any more since" in page
    assert values_of(page)["Name"] == "_pwless-challenge.acme.example"
    setup.zone.add(await setup.floor.domains.require(setup.acme.id, "acme.example"))
    await jo.post(f"{SETUP}/domains", {"domain": "acme.example", "action": "verify"})
    assert "not found any more" not in (await jo.get(f"{SETUP}/domains")).text


async def test_only_what_is_not_verified_can_be_removed(setup: SetupSite) -> None:
    jo = await setup.open()
    for name in ("a.example", "b.example"):
        await jo.post(f"{SETUP}/domains", {"domain": name, "action": "add"})
    await setup.floor.domains.mark_verified(setup.acme.id, "a.example")
    for name in ("a.example", "b.example"):
        await jo.post(f"{SETUP}/domains", {"domain": name, "action": "remove"})
    (left,) = await setup.floor.domains.list(setup.acme.id)
    assert left.name == "a.example"


async def test_names_of_customers_are_text(setup: SetupSite) -> None:
    await setup.floor.organizations.change(setup.acme.id, name="<script>alert(1)</script>")
    visitor = setup.site.browser()
    assert "<script>alert" not in (await visitor.get(setup.url())).text
    jo = await setup.open()
    for url in (SETUP, f"{SETUP}/provider", f"{SETUP}/domains", f"{SETUP}/turn-on"):
        page = await jo.get(url)
        assert "<script>alert" not in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]


async def test_pages_are_in_the_language_of_the_administrator(setup: SetupSite) -> None:
    jo = await setup.open()
    page = await jo.get(SETUP, headers={"accept-language": "de"})
    assert "Richten Sie Ihr Firmen-Login ein" in page.text
