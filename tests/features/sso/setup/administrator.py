"""A site whose customers set up their login themselves, and an administrator who does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from pwless_middleware import EmailLogin
from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.core.organizations.organization import Organization, SetupLink
from pwless_middleware.features.organizations import Organizations
from pwless_middleware.features.sso.options import SSO
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.web.parts.setup_links import setup_url
from tests.dns_zone import Zone
from tests.organizations import floor_of, make_organization_site
from tests.support import Browser, Site

SETUP = "/auth/sso/setup"


@dataclass
class SetupSite:
    """A site, an organization of it, and the link that it was given.

    Attributes:
        site: whole.
        floor: what finds and changes its organizations.
        zone: all of DNS.
        acme: the organization.
        link: its link.
    """

    site: Site
    floor: OrganizationFloor
    zone: Zone
    acme: Organization
    link: SetupLink

    def url(self, link: SetupLink | None = None) -> str:
        """Return the address that opens a link, without the origin."""
        url = setup_url(self.site.passwordless._kit, link or self.link)
        return url.removeprefix(self.site.base_url)

    async def open(self, link: SetupLink | None = None, browser: Browser | None = None) -> Browser:
        """Open a link in a browser, and return the browser."""
        browser = browser or self.site.browser()
        opened = await press(browser, self.url(link))
        assert opened.status_code == 303, opened.text
        return browser

    async def begin(self, browser: Browser, provider: str) -> str:
        """Choose a provider, and return the id of the connection."""
        chosen = await browser.post(f"{SETUP}/provider", {"provider": provider})
        assert chosen.status_code == 303, chosen.text
        return chosen.headers["location"].rpartition("/")[2]

    async def connection(self, id: str) -> Connection:
        """Return a connection as it stands."""
        found = await self.floor.connections.find(id)
        assert found is not None
        return found

    async def enter(self, browser: Browser, id: str, **form: str) -> httpx.Response:
        """Send the form of a connection, as its page has it."""
        version = (await self.connection(id)).version
        return await browser.post(f"{SETUP}/connections/{id}", {"version": str(version), **form})


async def press(browser: Browser, url: str) -> httpx.Response:
    """Press the button of the page that a link leads to."""
    token = parse_qs(urlsplit(url).query)["setup_token"][0]
    return await browser.post(SETUP, {"setup_token": token})


async def make_setup_site(folder: Path, **options: Any) -> SetupSite:
    """Make a site with one organization, which was given a link."""
    options.setdefault("features", [EmailLogin(), Organizations(), SSO(unsafe_loopback=True)])
    site = make_organization_site(folder, **options)
    floor = floor_of(site)
    acme = await floor.organizations.create("Acme")
    link = await floor.setup_links.create(acme.id, by="operator:jo")
    return SetupSite(site, floor, Zone(floor), acme, link)
