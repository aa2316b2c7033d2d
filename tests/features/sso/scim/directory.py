"""A site whose organization is kept by a directory, and that directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.features.sso.options import SSO
from pwless_middleware.features.sso.scim.schemas import USER
from tests.features.organizations.scene import make_organization, make_scene
from tests.organizations import floor_of
from tests.support import Site

DOMAIN = "acme.example"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
JO = "jo@acme.example"


class Directory:
    """A customer's directory, which has a token."""

    def __init__(self, site: Site, connection: Connection, token: str) -> None:
        self.site = site
        self.connection = connection
        self.base = f"/auth/scim/v2/{connection.id}"
        self.token = token

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        browser = self.site.browser(
            headers={
                "authorization": f"Bearer {self.token}",
                "content-type": "application/scim+json",
            }
        )
        return await browser.request(method, self.base + path, json=body)

    async def create(self, user_name: str = JO, **more: Any) -> httpx.Response:
        return await self.ask("POST", "/Users", {"schemas": [USER], "userName": user_name, **more})

    async def patch(self, id: str, *operations: dict[str, Any]) -> httpx.Response:
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return await self.ask("PATCH", f"/Users/{id}", body)

    async def find(self, filter: str) -> list[dict[str, Any]]:
        answer = await self.ask("GET", f"/Users?filter={filter}")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["Resources"])


async def make_directory(site: Site, organization: str) -> Directory:
    """Return a directory of an organization, which has a connection with a token."""
    connections = floor_of(site).connections
    made = await connections.create(organization, kind="oidc", name="Acme")
    return Directory(site, made, await connections.create_scim_token(made.id))


async def make_directory_site(folder: Path, **options: Any) -> Directory:
    """Return the directory of an organization that owns `acme.example`."""
    site = make_scene(folder, SSO(), **options)
    organization = await make_organization(site, "Acme", domain=DOMAIN)
    return await make_directory(site, organization.id)
