"""The address of a set-up link, and the mail that takes it to an administrator."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.core.organizations.organization import SetupLink, new_id
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.kit import Kit, Mounted
from pwless_middleware.web.parts.setup_links import ID_PREFIX, read_setup_token, setup_url
from pwless_middleware.web.parts.setup_mails import SetupMails
from tests.support import BASE, START, Site, make_site

pytestmark = pytest.mark.anyio

IT = "it@acme.example"


class Links:
    """A feature that has one set-up link."""

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        self.link: SetupLink | None = SetupLink(
            id=new_id(ID_PREFIX),
            organization="org_a",
            created_at=START,
            expires_at=START + 7 * 86_400,
            by="python",
        )
        self.mails = SetupMails(kit, self.find)
        return Mounted(jobs=self.mails.readers)

    async def find(self, id: str) -> SetupLink | None:
        return self.link if self.link is not None and self.link.id == id else None


def make_links() -> tuple[Site, Links, SetupLink]:
    links = Links()
    site = make_site(features=[EmailLogin(), links])
    assert links.link is not None
    return site, links, links.link


def test_only_the_address_leads_to_the_link() -> None:
    """Neither the database nor an event holds what opens it."""
    _, links, link = make_links()
    url = setup_url(links.kit, link)
    assert url.startswith(f"{BASE}/auth/sso/setup?setup_token=")
    (token,) = parse_qs(urlsplit(url).query)["setup_token"]
    assert read_setup_token(links.kit, token) == link.id
    assert link.id.removeprefix(ID_PREFIX) not in url
    wrong = token[:-1] + ("B" if token[-1] == "A" else "A")
    for other in (link.id, token[:-1], wrong, token + "A", "", "é", "\x00", "x" * 500):
        assert read_setup_token(links.kit, other) is None


def test_a_link_of_another_site_is_none() -> None:
    _, links, link = make_links()
    _, others, _ = make_links()
    make_site(features=[EmailLogin(), others], base_url="https://other.example.com")
    (token,) = parse_qs(urlsplit(setup_url(links.kit, link)).query)["setup_token"]
    assert read_setup_token(others.kit, token) is None


async def test_the_administrator_is_sent_the_link() -> None:
    site, links, link = make_links()
    assert await links.mails.queue(link, " IT@Acme.Example", language="de") == IT
    await site.passwordless.deliveries.run_due()
    mail = site.mail(IT)
    assert mail.subject == "Richten Sie Ihr Firmen-Login bei app.example.com ein"
    url = setup_url(links.kit, link)
    assert f"\n{url}\n" in mail.text
    assert f'href="{url}"' in mail.html


async def test_what_cannot_be_opened_any_more_is_not_sent() -> None:
    site, links, link = make_links()
    for gone in (None, replace(link, opened_at=START), replace(link, expires_at=START)):
        links.link = gone
        await links.mails.queue(link, IT)
        await site.passwordless.deliveries.run_due()
    assert site.outbox.messages == []


async def test_what_is_no_address_is_refused() -> None:
    _, links, link = make_links()
    with pytest.raises(InvalidArgument, match="one email address"):
        await links.mails.queue(link, "it@acme.example, eve@evil.example")
