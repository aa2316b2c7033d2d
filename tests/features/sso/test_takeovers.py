"""Who was somebody's provider, or held their account for a while, keeps nothing of it.

Security rules 26, 50, 54 and 55.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import (
    SSO,
    Dashboard,
    EmailLogin,
    Organizations,
    Passkeys,
    SecondFactors,
)
from pwless_middleware.core import paths
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.organizations.connection import Identity
from tests.features.second_factors.people import STEP_API, do_step, enroll, id_of
from tests.features.sso.sites import SSOSite, query_of
from tests.identity_providers.own_oidc import OwnProvider, own_oidc
from tests.identity_providers.provider import CLIENT_SECRET
from tests.own_account import ACCOUNT_API, ADDRESS, ask_for, change, confirm, press_undo, signed_in
from tests.support import ROOMY, error_code, led_to

pytestmark = pytest.mark.anyio

ENTER_PATH = "/auth" + paths.ENTER_PATH
STEP_UP = "/auth/step/up?within=300&next=/in"
ADDRESS_API = f"{ACCOUNT_API}/address"
JO = Address("jo@acme.example")


async def test_a_domain_that_is_somebody_elses_by_now_takes_its_people_from_the_provider_before(
    acme: SSOSite, provider: OwnProvider
) -> None:
    """Who has sold a domain could else be its new owner's people for ever."""
    before = acme.site.browser()
    await acme.sign_in(before, provider)
    buyer, _ = await acme.add_organization("Buyer", "buyer.example", provider.config())
    await acme.floor.domains.remove(acme.organization.id, "acme.example")
    assert (await acme.sign_in(acme.site.browser(), provider)).status_code == 303  # nobody's yet
    await acme.own(buyer, "acme.example")
    browser = acme.site.browser()
    assert (await acme.sign_in(browser, provider)).status_code == 400
    assert acme.fault() == "address_foreign"
    assert browser.cookie() is None
    # Nor does it confirm who they are, in a session that is left.
    acme.site.clock.advance(600)
    answer = await before.post(STEP_UP, {"method": "sso"})
    now = acme.site.clock()
    provider.claims |= {"iat": now, "exp": now + 300, "auth_time": now}
    came = await acme.answer(before, provider, query_of(answer.headers["location"]))
    assert came.status_code == 400


async def test_nor_does_that_provider_let_anybody_in_who_has_waited_for_a_step(
    provider: OwnProvider, tmp_path: Path
) -> None:
    """The domain is sold between the provider's answer and the second factor."""
    acme = await SSOSite.make(tmp_path, provider.config(), features=(SecondFactors(),))
    app, browser = await enroll(acme.site, JO), acme.site.browser()
    assert led_to(await acme.sign_in(browser, provider)).startswith("/auth/step/")
    buyer, _ = await acme.add_organization("Buyer", "buyer.example", provider.config())
    await acme.floor.domains.remove(acme.organization.id, "acme.example")
    await acme.own(buyer, "acme.example")
    login_id = (await browser.get(STEP_API)).json()["login_id"]
    done = await do_step(browser, login_id, app.next_code())
    assert (done.status_code, error_code(done)) == (403, "LOGIN_DENIED")
    assert await browser.who() is None


async def test_nobody_made_by_a_provider_becomes_the_user_of_a_test_address(
    provider: OwnProvider, tmp_path: Path
) -> None:
    """Whoever knows its code would have their account (security rule 67)."""
    email = EmailLogin(send_limits=ROOMY, test_users=True)
    features = [email, Organizations(), SSO(unsafe_loopback=True)]
    acme = await SSOSite.make(tmp_path, provider.config(), all_features=features)
    addresses = acme.site.passwordless.verbs(EmailLogin).test_addresses
    made = await addresses.add(JO, expires_in=86_400)
    browser, tester = acme.site.browser(), acme.site.browser()
    assert (await acme.sign_in(browser, provider)).status_code == 403
    assert await browser.who() is None
    await tester.ask(JO)
    assert (await tester.type_code(made.code)).status_code == 400
    assert [one.user_id for one in await addresses.list()] == [None]


async def test_a_way_out_is_never_open_without_a_second_factor_of_ours(
    provider: OwnProvider, tmp_path: Path
) -> None:
    """What another company's provider says of a second factor is nothing here."""
    acme = await SSOSite.make(tmp_path, provider.config(), features=(SecondFactors(),))
    boss = Address("boss@agency.example")
    await enroll(acme.site, boss)
    await acme.floor.members.put(acme.organization.id, await id_of(acme.site, boss))
    await acme.floor.connections.mark_tested(acme.connection.id)
    await acme.set_policy(sso="required", break_glass=frozenset([boss]))
    config = provider.config(counts_mfa=True)
    agency, acme.connection = await acme.add_organization("Agency", "agency.example", config)
    provider.claims |= {"email": boss, "amr": ["mfa"]}
    browser = acme.site.browser()
    assert (await acme.sign_in(browser, provider)).status_code == 303
    acme.site.clock.advance(600)
    await browser.post(STEP_UP, {"method": "email"})
    page = await browser.get(STEP_UP)
    request_id = page.text.split('name="request_id" value="')[1].split('"')[0]
    code = acme.site.mail(boss).code or ""
    form = {"method": "email", "request_id": request_id, "code": code}
    assert led_to(await browser.post(STEP_UP, form)) == "/in"
    switch = await browser.post(ENTER_PATH, {"organization": acme.organization.id})
    assert led_to(switch).startswith("/auth/step/")
    await browser.who()
    assert acme.site.inner.scope["state"]["organization"].id == agency.id


async def test_an_undone_change_of_address_takes_what_was_linked_by_it(
    acme: SSOSite, provider: OwnProvider
) -> None:
    """Whoever holds an account for a while could come back by a company login of their own."""
    victim, site = "kim@elsewhere.example", acme.site
    thief = site.browser()
    await thief.sign_in(victim)
    user_id = await id_of(site, victim)
    await change(thief, JO)
    site.clock.advance(60)
    assert (await acme.sign_in(thief, provider)).status_code == 303
    assert [one.user_id for one in await acme.floor.identities.list_of(acme.connection.id)] == [
        user_id
    ]
    assert (await press_undo(site.browser(), site.mail(victim).link)).status_code == 200
    assert await acme.floor.identities.of_user(user_id) == []
    assert len(acme.events("identity.removed")) == 1
    again = site.browser()
    await acme.sign_in(again, provider)
    await again.who()
    assert site.inner.scope["state"]["user"].id != user_id


async def test_a_connection_at_another_provider_knows_nobody_and_sends_it_no_secret(
    acme: SSOSite, provider: OwnProvider
) -> None:
    """Subjects are names that a provider gives, and another one may give them as it likes."""
    jo = acme.site.browser()
    await acme.sign_in(jo, provider)
    user_id = await id_of(acme.site, JO)
    await jo.sign_in(JO)
    await change(jo, "jo@elsewhere.example")
    async with own_oidc() as mallory:
        config = mallory.config()
        moved = await acme.floor.connections.change(acme.connection.id, config=config)
        assert not moved.has_secret
        mallory.claims["email"] = "jo@elsewhere.example"
        browser = acme.site.browser()
        assert (await acme.sign_in(browser, mallory)).status_code == 400
        assert acme.fault() == "address_foreign"
        (exchange,) = mallory.asked("/token")
        assert CLIENT_SECRET not in str(exchange)
        assert "authorization" not in exchange.headers
    assert await acme.floor.identities.of_user(user_id) == []


async def test_who_comes_from_a_provider_while_the_connection_goes_elsewhere_is_not_linked(
    acme: SSOSite, provider: OwnProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = acme.floor.identities.add

    async def add_late(identity: Identity) -> bool:
        config = {"issuer": "https://login.other.example", "client_id": "x"}
        await acme.floor.connections.change(acme.connection.id, config=config)
        return await add(identity)

    monkeypatch.setattr(acme.floor.identities, "add", add_late)
    browser = acme.site.browser()
    assert (await acme.sign_in(browser, provider)).status_code == 400
    assert browser.cookie() is None
    assert await acme.floor.identities.list_of(acme.connection.id) == []


async def test_nobody_moves_their_account_to_an_address_that_signs_in_by_its_company(
    provider: OwnProvider, tmp_path: Path
) -> None:
    """Its owner's first login would else be into somebody else's account, who can take it back."""
    acme = await SSOSite.make(tmp_path, provider.config(), features=(SecondFactors(),))
    await enroll(acme.site, "boss@acme.example")
    await acme.floor.connections.mark_tested(acme.connection.id)
    await acme.floor.members.put(acme.organization.id, await id_of(acme.site, "boss@acme.example"))
    stranger = await signed_in(acme.site, "eve@other.example")
    before = await ask_for(stranger, "mo@acme.example")
    code = acme.site.mail("mo@acme.example").code
    await acme.set_policy(sso="required", break_glass=frozenset([Address("boss@acme.example")]))
    acme.site.outbox.clear()
    page = await stranger.post(ADDRESS, {"email": JO})
    assert page.status_code == 400
    assert "Sign in with your company&#39;s login here." in page.text
    by_api = await stranger.request("POST", ADDRESS_API, json={"email": JO})
    assert (by_api.status_code, error_code(by_api)) == (400, "INVALID_ARGUMENT")
    assert list(acme.site.outbox.messages) == []
    assert (await confirm(stranger, before, code)).status_code == 400
    assert await stranger.who() == "eve@other.example"


async def test_an_identity_that_an_operator_forgets_ends_what_it_has_proven(
    provider: OwnProvider, tmp_path: Path
) -> None:
    """The address was given to somebody else, and its former owner is still signed in."""
    features = (Dashboard(operators=["ops@other.example"]),)
    acme = await SSOSite.make(tmp_path, provider.config(), features=features)
    former = acme.site.browser()
    await acme.sign_in(former, provider)
    assert await former.who() == JO
    by_mail = await signed_in(acme.site, JO)
    id = await id_of(acme.site, JO)
    (identity,) = await acme.floor.identities.of_user(id)
    ops = await signed_in(acme.site, "ops@other.example")
    form = {"connection": identity.connection, "subject": identity.subject}
    done = await ops.post(f"/auth/dashboard/people/{id}/identities/remove", form)
    assert led_to(done).endswith("?done=identity")
    assert await former.who() is None
    assert await by_mail.who() == JO


async def test_who_signs_in_by_passkeys_alone_may_ask_for_an_address_of_their_domain(
    provider: OwnProvider, tmp_path: Path
) -> None:
    """No login elsewhere leads into the account, whose owner may well be a member."""
    acme = await SSOSite.make(tmp_path, provider.config(), features=(Passkeys(),))
    jo = await signed_in(acme.site, "jo@other.example")
    await acme.set_policy(methods=frozenset(["passkey"]))
    assert await ask_for(jo, JO)
    assert acme.site.mail(JO).code
