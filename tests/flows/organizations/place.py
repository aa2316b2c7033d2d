"""A site whose logins are held to what organizations ask, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from pwless_middleware import EmailLogin, Organizations
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.flows.organizations.policies import OrganizationPolicies
from pwless_middleware.web.kit import Kit, Mounted
from tests.features.second_factors.people import id_of
from tests.organizations import (
    add_app,
    add_connection,
    floor_of,
    make_organization_site,
    set_policy,
)
from tests.support import ROOMY, Browser, Site

JO, KIM, BOSS = "jo@acme.example", "kim@other.example", "boss@acme.example"


class Provider:
    """Prove who somebody is by their company's login, as far as the rules can see."""

    name = "provider"

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(proves=("sso",))


class Place:
    """A site, its rules, and Acme, which owns acme.example."""

    def __init__(self, site: Site, rules: OrganizationPolicies, acme: Organization) -> None:
        self.site, self.rules, self.acme = site, rules, acme
        self.floor = floor_of(site)

    async def sign_in(self, email: str = JO, *, browser: Browser | None = None) -> httpx.Response:
        """Sign in by a mail; return the answer that ends it, whichever that is."""
        found = browser or self.site.browser()
        sent = await found.call("send", {"email": email})
        if sent.status_code != 200:
            return sent
        id, code = sent.json()["auth_request_id"], self.site.mail(email).code
        return await found.call("verify", {"auth_request_id": id, "code": code})

    async def is_let_into(self, organization: Organization, email: str = JO) -> bool:
        """Whether a mail lets a member into an organization, who has named it."""
        await self.floor.members.put(organization.id, await id_of(self.site, email))
        browser = self.site.browser()
        form = {"email": email, "organization": organization.id}
        if (await browser.post("/auth/login", form)).status_code == 303:
            await browser.type_code(self.site.mail(email).code)
        return await browser.who() == email

    async def bank(self, **fields: Any) -> Organization:
        """Make another organization, which owns no domain."""
        made = await self.floor.organizations.create("Bank")
        return await set_policy(self.floor, made.id, **fields) if fields else made

    async def require_sso(self, organization: Organization) -> str:
        """Have an organization require its login; return the id of its connection."""
        connection = await add_connection(self.floor, organization.id)
        if await self.site.passwordless.people.find(BOSS) is None:
            await add_app(self.site, await id_of(self.site, BOSS))
        await self.floor.members.put(organization.id, await id_of(self.site, BOSS))
        await set_policy(
            self.floor, organization.id, sso="required", break_glass=frozenset([Address(BOSS)])
        )
        return connection.id


async def make_place(
    folder: Path, *features: Any, is_second: bool = False, **options: Any
) -> Place:
    """Return the place.

    Args:
        folder: of its database.
        features: besides mails and organizations.
        is_second: whether another one has made Acme in the same file.
        options: of the site.
    """
    of_site = [EmailLogin(send_limits=ROOMY), Organizations(), *features]
    site = make_organization_site(folder, features=of_site, **options)
    floor = floor_of(site)
    if is_second:
        (acme,) = await floor.organizations.list(search="Acme")
        return Place(site, floor.policies, acme)
    acme = await floor.organizations.create("Acme")
    await floor.domains.claim(acme.id, "acme.example")
    await floor.domains.mark_verified(acme.id, "acme.example")
    return Place(site, floor.policies, acme)
