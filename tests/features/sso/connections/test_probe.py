"""What a provider can say is wrong with a connection, before anybody signs in by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.features.sso.sites import SSOSite
from tests.identity_providers.own_oidc import OwnProvider
from tests.identity_providers.saml import SAMLProvider
from tests.support import API_KEY

pytestmark = pytest.mark.anyio


async def faults_of(acme: SSOSite) -> list[str]:
    """Return what a server is told by the JSON API."""
    path = f"/{acme.organization.id}/connections/{acme.connection.id}/test"
    backend = acme.site.browser(headers={"authorization": f"Bearer {API_KEY}"})
    answer = await backend.request("POST", f"/auth/api/v1/organizations{path}", json={})
    assert answer.status_code == 200, answer.text
    return [fault["code"] for fault in answer.json()["faults"]]


async def test_a_provider_of_openid_connect_is_asked_for_its_configuration_and_keys(
    acme: SSOSite, provider: OwnProvider
) -> None:
    assert await faults_of(acme) == []
    provider.metadata["issuer"] = "https://other.example"
    assert await faults_of(acme) == ["discovery_issuer"]


async def test_what_is_not_set_is_named(acme: SSOSite) -> None:
    await acme.floor.connections.change(acme.connection.id, config={})
    assert await faults_of(acme) == ["connection_incomplete"]


async def test_the_certificates_of_a_saml_provider_are_looked_at(tmp_path: Path) -> None:
    acme = await SSOSite.make(tmp_path, SAMLProvider().config(), kind="saml")
    assert await faults_of(acme) == []
    acme.site.clock.advance(3 * 365 * 86_400)
    assert await faults_of(acme) == ["certificate_ended"]
