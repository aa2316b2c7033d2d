"""A connection whose provider wants requests signed has a key for it, without anybody's doing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware.core.connection import Connection
from pwless_middleware.features.sso.saml.requests import make_request
from pwless_middleware.features.sso.saml.settings import read_saml_settings
from pwless_middleware.features.sso.saml.signed_requests import (
    give_signing_key,
    renew_signing_key,
)
from pwless_middleware.flows.organizations.connections import Connections
from tests.identity_providers.saml import NOW, SERVICE, SAMLProvider
from tests.organizations import floor_of, make_organization_site

pytestmark = pytest.mark.anyio


async def connect(tmp_path: Path, **more: object) -> tuple[Connections, Connection]:
    floor = floor_of(make_organization_site(tmp_path))
    organization = await floor.organizations.create("Acme")
    config = {**SAMLProvider().config(), **more}
    made = await floor.connections.create(organization.id, "saml", "Acme's login", config=config)
    return floor.connections, made


async def give(connections: Connections, connection: Connection) -> Connection:
    return await give_signing_key(connections, connection, host="app.example", now=NOW, by="python")


async def test_a_key_is_made_once_and_signs_until_another_takes_its_place(tmp_path: Path) -> None:
    connections, connection = await connect(tmp_path, sign_requests=True)
    first = await give(connections, connection)
    assert first.has_secret
    settings = read_saml_settings(first.config)
    assert "BEGIN CERTIFICATE" in settings.signing_certificate
    secret = await connections.secret_of(connection.id)
    assert secret is not None
    assert "&Signature=" in make_request(settings, SERVICE, now=NOW, signing_key=secret).url
    assert await give(connections, first) == first
    second = await renew_signing_key(connections, first, host="app.example", now=NOW, by="python")
    assert second.config["signing_certificate"] != first.config["signing_certificate"]
    assert await connections.find(connection.id) == second


async def test_none_is_made_where_nothing_is_signed(tmp_path: Path) -> None:
    connections, connection = await connect(tmp_path)
    assert await give(connections, connection) == connection
