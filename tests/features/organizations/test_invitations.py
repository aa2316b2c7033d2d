"""Invitations: for one address, once, until their end; nothing is done by opening the link."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pwless_middleware import Brand, EmailLogin
from pwless_middleware.core.organizations.organization import Invitation, Organization
from pwless_middleware.delivery.queue.outcomes import Outcome
from pwless_middleware.features.organizations import Organizations
from pwless_middleware.features.organizations.invitation_mails import InvitationMails
from pwless_middleware.flows.capabilities.topics import QueuedJob
from tests.features.organizations.scene import (
    BO,
    JO,
    PATH,
    add_member,
    make_organization,
    make_scene,
    place_of,
    sign_in_to,
)
from tests.features.test_step_up import fields_of
from tests.organizations import floor_of
from tests.own_account import make_kept_site
from tests.support import ROOMY, Browser, Site, holds, led_to, said, token_of

pytestmark = pytest.mark.anyio

PAGE = "/auth/organizations/invitation"
DAY = 86400


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_scene(tmp_path, brand=Brand("Example"))


@pytest.fixture
async def acme(site: Site) -> Organization:
    return await floor_of(site).organizations.create("Acme", language="de", color="#b00020")


async def invite(site: Site, acme: Organization, email: str = JO, **more: str | int) -> str:
    """Invite somebody, and return the path of the link that they were mailed."""
    await floor_of(site).invitations.create(acme.id, email, **more)  # type: ignore[arg-type]
    await site.passwordless.deliveries.run_due()
    link = site.mail(email).link
    assert link is not None
    return link.removeprefix(site.base_url)


async def press(browser: Browser, page: str) -> str:
    """Press the button of an invitation's page, and return where it leads; `` for nowhere."""
    answer = await browser.post(PAGE, {"link_token": token_of(page)})
    return led_to(answer) if answer.status_code == 303 else ""


async def members_of(site: Site, acme: Organization) -> list[str]:
    return [one.role for one in await floor_of(site).members.list(acme.id)]


async def test_the_mail_is_the_organizations_and_says_who_invites_where(
    site: Site, acme: Organization
) -> None:
    link = await invite(site, acme)
    mail = site.mail(JO)
    assert mail.subject == "Sie sind eingeladen, Acme beizutreten"
    assert "Acme bei Example" in mail.text.replace("\n", " ")
    assert urlsplit(link).path == PAGE
    assert mail.code is None
    assert JO not in link


async def test_a_name_of_an_organization_makes_no_link_in_the_mail(site: Site) -> None:
    evil = await floor_of(site).organizations.create("evil.example")
    await invite(site, evil)
    mail = site.mail(JO)
    assert "evil.example" not in mail.text + mail.html


async def test_to_open_the_link_changes_nothing(site: Site, acme: Organization) -> None:
    link = await invite(site, acme)
    jo = await sign_in_to(site, JO)
    for browser in (site.browser(), jo, await sign_in_to(site, BO)):
        for method in ("GET", "HEAD"):
            answer = await browser.request(method, link)
            assert answer.status_code == 200
    assert await members_of(site, acme) == []
    assert await place_of(site, jo) is None


async def test_who_is_invited_signs_in_from_the_page_and_is_a_member(
    site: Site, acme: Organization
) -> None:
    link = await invite(site, acme, role="editor")
    jo = site.browser()
    page = await jo.get(link)
    assert "· Acme</title>" in page.text
    action, fields = fields_of(page, "Annehmen und anmelden")
    assert (await jo.post(action, fields)).status_code == 303
    assert led_to(await jo.type_code(site.mail(JO).code)) == "/"
    assert await place_of(site, jo) == "Acme"
    assert site.inner.scope["state"]["user"].role == "editor"
    assert "Sie sind Mitglied" in (await jo.get(link)).text
    [member] = await floor_of(site).members.list(acme.id)
    assert member.origin == "invitation"


async def test_who_is_signed_in_accepts_by_one_button(site: Site, acme: Organization) -> None:
    link = await invite(site, acme)
    jo = await sign_in_to(site, JO)
    assert await press(jo, link) == "/"
    assert await place_of(site, jo) == "Acme"


async def test_another_address_accepts_nothing(site: Site, acme: Organization) -> None:
    link = await invite(site, acme)
    bo = await sign_in_to(site, BO)
    page = await bo.get(link)
    assert JO in page.text
    assert f'{PAGE}"' not in page.text  # there is no button that would accept
    assert await press(bo, link) == ""
    answer = await bo.post(f"{PATH}/enter", {"organization": acme.id})
    assert answer.status_code == 403
    await bo.post("/auth/login", {"email": BO, "organization": acme.id})
    assert (await bo.type_code(site.mail(BO).code)).status_code == 403
    assert await members_of(site, acme) == []


async def test_nobody_accepts_without_being_signed_in(site: Site, acme: Organization) -> None:
    link = await invite(site, acme)
    assert await press(site.browser(), link) == ""
    assert await members_of(site, acme) == []


async def test_an_invitation_is_accepted_once(site: Site, acme: Organization) -> None:
    link = await invite(site, acme)
    jo = await sign_in_to(site, JO)
    await press(jo, link)
    await floor_of(site).members.remove(acme.id, (await member_id(site)))
    jo = await sign_in_to(site, JO)
    assert (await jo.get(link)).status_code == 410
    assert await press(jo, link) == ""
    assert await place_of(site, jo) is None


async def member_id(site: Site) -> str:
    person = await site.passwordless.people.find(JO)
    assert person is not None
    return person.id


async def test_of_many_presses_at_once_one_accepts(site: Site, acme: Organization) -> None:
    link = await invite(site, acme)
    browsers = [await sign_in_to(site, JO) for _ in range(4)]
    await asyncio.gather(*(press(one, link) for one in browsers))
    assert await members_of(site, acme) == [""]
    kinds = [one.kind for one in site.passwordless.events.recent()]
    assert kinds.count("member.joined") == 1


async def test_one_that_is_over_or_taken_back_is_none(site: Site, acme: Organization) -> None:
    link = await invite(site, acme, expires_in=DAY)
    jo = await sign_in_to(site, JO)
    site.clock.advance(DAY)
    assert (await jo.get(link)).status_code == 410
    assert await press(jo, link) == ""
    second = await floor_of(site).invitations.create(acme.id, JO)
    await floor_of(site).invitations.revoke(acme.id, second.id)
    answer = await jo.post(f"{PATH}/enter", {"organization": acme.id})
    assert answer.status_code == 403
    assert await members_of(site, acme) == []


async def test_a_link_that_is_none_of_ours_tells_nothing(site: Site, acme: Organization) -> None:
    link = await invite(site, acme)
    jo = site.browser()
    right = token_of(link)
    wrong = right[:-1] + ("B" if right[-1] == "A" else "A")
    for token in ("", "x", wrong, "A" * 200, acme.id):
        page = await jo.get(f"{PAGE}?link_token={token}")
        assert page.status_code == 410, token
        assert JO not in page.text
        assert not holds(page.text, "Acme")


async def test_a_new_invitation_of_the_same_address_is_the_only_one(
    site: Site, acme: Organization
) -> None:
    old = await invite(site, acme, role="admin")
    new = await invite(site, acme, role="reader")
    jo = await sign_in_to(site, JO)
    assert (await jo.get(old)).status_code == 410
    assert await press(jo, new) == "/"
    assert await members_of(site, acme) == ["reader"]


async def test_an_invitation_does_not_switch_on_who_was_switched_off(
    site: Site, acme: Organization
) -> None:
    user_id = await add_member(site, acme.id, JO)
    link = await invite(site, acme)
    await floor_of(site).members.deactivate(acme.id, user_id)
    jo = await sign_in_to(site, JO)
    assert await press(jo, link) == ""
    [member] = await floor_of(site).members.list(acme.id)
    assert not member.is_active


async def test_what_the_organization_asks_for_comes_before_the_membership(
    site: Site,
) -> None:
    strict = await make_organization(site, "Strict", methods=frozenset({"passkey"}))
    link = await invite(site, strict)
    jo = await sign_in_to(site, JO)
    assert await press(jo, link) == ""
    assert await members_of(site, strict) == []


async def test_who_is_invited_signs_up_where_nobody_else_can(tmp_path: Path) -> None:
    features = [EmailLogin(signup=False, send_limits=ROOMY), Organizations()]
    site = make_kept_site(tmp_path, features=features)
    acme = await make_organization(site, "Acme")
    await site.browser().ask(JO)
    assert site.outbox.messages == []
    link = await invite(site, acme)
    jo = site.browser()
    action, fields = fields_of(await jo.get(link), "Accept and sign in")
    await jo.post(action, fields)
    await jo.type_code(site.mail(JO).code)
    assert await place_of(site, jo) == "Acme"
    await site.browser().ask(BO)
    assert site.outbox.latest(BO) is None


async def test_the_account_page_and_the_choice_after_a_login_offer_it(
    site: Site, acme: Organization
) -> None:
    await invite(site, acme)
    jo = site.browser()
    await jo.ask(JO)
    answer = await jo.type_code(site.mail(JO).code)
    assert led_to(answer) == "/auth/organizations/choose?next=%2F"
    assert "Acme" in (await jo.get(led_to(answer))).text
    assert "Acme You are invited" in said(await jo.get(PATH))
    await jo.post(f"{PATH}/enter", {"organization": acme.id})
    assert await place_of(site, jo) == "Acme"


@pytest.mark.parametrize("what", ["revoked", "accepted", "over", "deleted"])
async def test_no_mail_goes_out_for_one_that_is_none_by_then(
    site: Site, acme: Organization, what: str
) -> None:
    floor = floor_of(site)
    made: Invitation = await floor.invitations.create(acme.id, JO, expires_in=3600, mail=False)
    if what == "revoked":
        await floor.invitations.revoke(acme.id, made.id)
    elif what == "accepted":
        jo = await sign_in_to(site, JO, acme.id)
        assert await place_of(site, jo) == "Acme"
    elif what == "over":
        site.clock.advance(3600)
    else:
        await floor.organizations.delete(acme.id)
    kit = site.passwordless._kit
    mails = InvitationMails(kit, floor, kit.looks.of)
    job = QueuedJob(made.id.encode(), until=site.clock.now + 9999, key_id="")
    assert await mails.read(job) is (Outcome.EXPIRED if what == "over" else Outcome.DROPPED)
