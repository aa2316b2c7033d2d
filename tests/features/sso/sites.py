"""A site with an organization, its domain and its company login, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit, urlunsplit

import httpx

from pwless_middleware import EmailLogin
from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.features.organizations.options import Organizations
from pwless_middleware.features.sso.options import SSO
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.stores.memory import MemoryStore
from tests.identity_providers.own_oidc import OwnProvider
from tests.identity_providers.provider import CLIENT_SECRET
from tests.sqlite_file import sqlite_url
from tests.support import ROOMY, Browser, Site, make_site

DOMAIN: Final = "acme.example"
NAVIGATION: Final = {"sec-fetch-mode": "navigate", "accept": "text/html"}


def below(url: str) -> str:
    """Return the path and query of a URL."""
    parts = urlsplit(url)
    return urlunsplit(("", "", parts.path, parts.query, ""))


def query_of(url: str) -> dict[str, str]:
    """Return the query of a URL; no field twice."""
    found = parse_qs(urlsplit(url).query, keep_blank_values=True)
    return {name: value for name, (value,) in found.items()}


@dataclass
class SSOSite:
    """A site whose organization Acme has the domain `acme.example`, and a connection."""

    site: Site
    floor: OrganizationFloor
    organization: Organization
    connection: Connection

    @classmethod
    async def make(
        cls,
        folder: Path,
        config: Mapping[str, Any],
        *,
        kind: Any = "oidc",
        features: tuple[Any, ...] = (),
        join: Any = "sso",
        all_features: Any = None,
        **options: Any,
    ) -> SSOSite:
        """Make it."""
        email = EmailLogin(send_limits=ROOMY)
        sso = SSO(unsafe_loopback=True)
        site = make_site(
            database=sqlite_url(folder),
            store=MemoryStore(),
            features=all_features or [email, *features, Organizations(), sso],
            **options,
        )
        floor = site.passwordless._kit.organizations()
        organization = await floor.organizations.create("Acme", policy=Policy(join=join))
        connection = await cls._connect(floor, organization, config, kind)
        self = cls(site, floor, organization, connection)
        await self.own(organization, DOMAIN)
        return self

    @staticmethod
    async def _connect(
        floor: OrganizationFloor, organization: Organization, config: Mapping[str, Any], kind: Any
    ) -> Connection:
        made = await floor.connections.create(
            organization.id, kind, f"{organization.name} login", config=config
        )
        if kind == "oidc":
            await floor.connections.set_secret(made.id, CLIENT_SECRET.encode())
        return await floor.connections.enable(made.id)

    async def own(self, organization: Organization, domain: str) -> None:
        """Give an organization a verified domain."""
        await self.floor.domains.claim(organization.id, domain)
        await self.floor.domains.mark_verified(organization.id, domain)

    async def add_organization(
        self, name: str, domain: str, config: Mapping[str, Any], kind: Any = "oidc"
    ) -> tuple[Organization, Connection]:
        """Add another organization, with a domain and a connection."""
        made = await self.floor.organizations.create(name, policy=Policy(join="sso"))
        await self.own(made, domain)
        return made, await self._connect(self.floor, made, config, kind)

    async def set_policy(self, **fields: Any) -> None:
        """Give the organization a policy of these fields."""
        there = await self.floor.organizations.require(self.organization.id)
        fields = {"join": "sso", **fields}
        self.organization = await self.floor.organizations.set_policy(
            there.id, Policy(**fields), seen=there.version
        )

    @property
    def path(self) -> str:
        """Below which the connection's own paths are."""
        return f"/auth/sso/{self.connection.id}"

    async def start(
        self, browser: Browser, *, next: str = "", connection: str = "", **more: str
    ) -> httpx.Response:
        """Open the start page."""
        query = {"connection": connection or self.connection.id, **more}
        if next:
            query["next"] = next
        return await browser.get(f"/auth/sso/start?{httpx.QueryParams(query)}", headers=NAVIGATION)

    async def begin(self, browser: Browser, **more: str) -> dict[str, str]:
        """Begin a login, and return the query that the provider is asked with."""
        answer = await self.start(browser, **more)
        assert answer.status_code == 303, answer.text
        return query_of(answer.headers["location"])

    async def answer(
        self, browser: Browser, provider: OwnProvider, asked: Mapping[str, str], **more: Any
    ) -> httpx.Response:
        """Come back from the tests' own OpenID provider."""
        provider.nonce, now = asked["nonce"], self.site.clock()
        provider.claims = {"iat": now, "exp": now + 300, **provider.claims}
        query = {"state": asked["state"], "code": "a-code", **more}
        return await browser.get(
            f"{self.path}/callback?{httpx.QueryParams(query)}", headers=NAVIGATION
        )

    async def sign_in(self, browser: Browser, provider: OwnProvider, **more: str) -> httpx.Response:
        """Sign in by the tests' own OpenID provider."""
        return await self.answer(browser, provider, await self.begin(browser, **more))

    def fault(self) -> str | None:
        """Return the reason of the newest login that did not work; `None` for none."""
        found = self.events("sso.failed")
        return str(found[-1].reason) if found else None

    def events(self, kind: str) -> list[Any]:
        """Return the events of a kind, oldest first."""
        found = [one for one in self.site.passwordless._kit.events.newest() if one.kind == kind]
        return found[::-1]
