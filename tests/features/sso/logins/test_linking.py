"""Whose account somebody at a provider gets: never by an address alone (security rules 50, 54)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.organizations.connection import Identity
from tests.features.sso.sites import SSOSite
from tests.identity_providers.own_oidc import OwnProvider

pytestmark = pytest.mark.anyio

JO = Address("jo@acme.example")


async def user_of(acme: SSOSite, email: str) -> Any:
    return await acme.site.passwordless._kit.users.find(Address(email))


async def test_who_is_known_by_subject_stays_who_they_are_whatever_address_comes(
    acme: SSOSite, provider: OwnProvider
) -> None:
    await acme.sign_in(acme.site.browser(), provider)
    jo = await user_of(acme, JO)
    for email in ("boss@acme.example", "jo@elsewhere.example", None):
        provider.claims["email"] = email
        browser = acme.site.browser()
        assert (await acme.sign_in(browser, provider)).status_code == 303
        assert await browser.who() == JO
    assert await user_of(acme, "boss@acme.example") is None
    (identity,) = await acme.floor.identities.of_user(jo.id)
    assert identity.email == "jo@elsewhere.example"
    assert len(acme.events("identity.address_changed")) == 2


async def test_who_had_an_account_is_linked_by_an_address_of_the_verified_domain(
    acme: SSOSite, provider: OwnProvider
) -> None:
    await acme.site.browser().sign_in(JO)
    known = await user_of(acme, JO)
    browser = acme.site.browser()
    await acme.sign_in(browser, provider)
    await browser.who()
    assert acme.site.inner.scope["state"]["user"].id == known.id
    assert acme.events("user.created")[1:] == []


@pytest.mark.parametrize(
    ("claims", "fault"),
    [
        ({"email": "jo@elsewhere.example"}, "address_foreign"),
        ({"email": "jo@sub.acme.example"}, "address_foreign"),
        ({"email": None}, "address_missing"),
        ({"email": "jo@acme.example, boss@acme.example"}, "address_missing"),
        ({"email_verified": False}, "address_unverified"),
        ({"email_verified": "false"}, "address_unverified"),
    ],
)
async def test_an_address_that_proves_nothing_leads_to_nobody(
    acme: SSOSite, provider: OwnProvider, claims: dict[str, Any], fault: str
) -> None:
    await acme.site.browser().sign_in("jo@elsewhere.example")
    await acme.site.browser().sign_in(JO)
    before = acme.site.sessions
    provider.claims |= claims
    browser = acme.site.browser()
    assert (await acme.sign_in(browser, provider)).status_code == 400
    assert acme.fault() == fault
    assert (acme.site.sessions, browser.cookie()) == (before, None)
    assert await acme.floor.identities.list_of(acme.connection.id) == []


async def test_another_customers_provider_says_an_address_of_acme(
    acme: SSOSite, provider: OwnProvider
) -> None:
    """Whoever can set a connection up could else be anybody."""
    await acme.sign_in(acme.site.browser(), provider)
    _, theirs = await acme.add_organization("Other", "other.example", provider.config())
    browser = acme.site.browser()
    asked = await acme.begin(browser, connection=theirs.id)
    acme.connection = theirs
    assert (await acme.answer(browser, provider, asked)).status_code == 400
    assert acme.fault() == "address_foreign"


async def test_a_domain_that_is_only_claimed_proves_nothing(
    acme: SSOSite, provider: OwnProvider
) -> None:
    other, theirs = await acme.add_organization("Other", "other.example", provider.config())
    await acme.floor.domains.claim(other.id, "third.example")
    provider.claims["email"] = "jo@third.example"
    acme.connection = theirs
    assert (await acme.sign_in(acme.site.browser(), provider)).status_code == 400
    assert acme.fault() == "address_foreign"


async def test_one_subject_at_two_connections_is_two_people(
    acme: SSOSite, provider: OwnProvider
) -> None:
    await acme.sign_in(acme.site.browser(), provider)
    _, theirs = await acme.add_organization("Other", "other.example", provider.config())
    provider.claims["email"] = "jo@other.example"
    acme.connection = theirs
    browser = acme.site.browser()
    await acme.sign_in(browser, provider)
    assert await browser.who() == "jo@other.example"


async def test_an_address_that_was_given_to_somebody_else_does_not_take_the_account_along(
    acme: SSOSite, provider: OwnProvider
) -> None:
    await acme.sign_in(acme.site.browser(), provider)
    provider.claims["sub"] = provider.userinfo["sub"] = "another-person"
    assert (await acme.sign_in(acme.site.browser(), provider)).status_code == 400
    assert acme.fault() == "subject_changed"
    jo = await user_of(acme, JO)
    (identity,) = await acme.floor.identities.of_user(jo.id)
    await acme.floor.identities.remove(identity)  # once an operator has said so, it does
    assert (await acme.sign_in(acme.site.browser(), provider)).status_code == 303


async def test_of_two_who_come_with_one_address_at_once_not_both_get_the_account(
    acme: SSOSite, provider: OwnProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = acme.floor.identities.add

    async def add_late(identity: Identity) -> bool:
        await add(replace(identity, subject="another-person"))
        return await add(identity)

    await acme.site.browser().sign_in(JO)
    with monkeypatch.context() as patch:
        patch.setattr(acme.floor.identities, "add", add_late)
        browser = acme.site.browser()
        assert (await acme.sign_in(browser, provider)).status_code == 400
    assert acme.fault() == "subject_changed"
    assert browser.cookie() is None
    (identity,) = await acme.floor.identities.list_of(acme.connection.id)
    assert identity.subject == "another-person"


async def test_who_was_not_invited_leaves_nothing_behind(
    acme: SSOSite, provider: OwnProvider
) -> None:
    await acme.set_policy(join="invitation")
    assert (await acme.sign_in(acme.site.browser(), provider)).status_code == 400
    assert acme.fault() == "not_a_member"
    assert await user_of(acme, JO) is None
    await acme.floor.invitations.create(acme.organization.id, JO, role="editor")
    browser = acme.site.browser()
    assert (await acme.sign_in(browser, provider)).status_code == 303
    (member,) = await acme.floor.members.list(acme.organization.id)
    assert (member.origin, member.role) == ("invitation", "editor")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_disabled_stay_out(acme: SSOSite, provider: OwnProvider, when: str) -> None:
    people = acme.site.passwordless.people
    if when == "after":
        await acme.sign_in(acme.site.browser(), provider)
    else:
        await acme.site.browser().sign_in(JO)
    await people.disable(JO)
    assert (await acme.sign_in(acme.site.browser(), provider)).status_code == 400
    assert acme.fault() == "disabled"


async def test_a_deactivated_member_stays_out(acme: SSOSite, provider: OwnProvider) -> None:
    await acme.sign_in(acme.site.browser(), provider)
    jo = await user_of(acme, JO)
    await acme.floor.members.deactivate(acme.organization.id, jo.id)
    browser = acme.site.browser()
    assert (await acme.sign_in(browser, provider)).status_code == 403
    assert browser.cookie() is None


async def test_groups_give_the_role_with_every_login(acme: SSOSite, provider: OwnProvider) -> None:
    await acme.floor.connections.change(
        acme.connection.id,
        config=provider.config(roles=[["admins", "owner"]], default_role="reader"),
        seen=acme.connection.version,
    )
    for groups, role in ((["admins"], "owner"), ([], "reader"), (["x", "admins"], "owner")):
        provider.claims["groups"] = groups
        browser = acme.site.browser()
        assert (await acme.sign_in(browser, provider)).status_code == 303
        await browser.who()
        assert acme.site.inner.scope["state"]["user"].role == role
