"""A connection whose provider wants requests signed has a key for it, without anybody's doing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.features.sso.saml.requests import make_request
from pwless_middleware.features.sso.saml.settings import read_saml_settings
from tests.features.sso.sites import SSOSite
from tests.identity_providers.saml import NOW, SERVICE, SAMLProvider, make_key

pytestmark = pytest.mark.anyio

IDP = SAMLProvider()


@pytest.fixture
async def acme(tmp_path: Path) -> SSOSite:
    return await SSOSite.make(tmp_path, IDP.config(), kind="saml")


async def sign_by(acme: SSOSite, **config: object) -> Connection:
    return await acme.floor.connections.change(
        acme.connection.id, config={**IDP.config(), "sign_requests": True, **config}
    )


async def request_of(acme: SSOSite, connection: Connection) -> str:
    secret = await acme.floor.connection_secrets.of(connection.id)
    settings = read_saml_settings(connection.config)
    return make_request(settings, SERVICE, now=NOW, signing_key=secret).url


async def certificate_in_metadata(acme: SSOSite) -> str | None:
    answer = await acme.site.browser().get(f"{acme.path}/metadata")
    found = etree.fromstring(answer.content).find(".//{*}X509Certificate")
    return None if found is None else str(found.text)


def body_of(pem: object) -> str:
    return "".join(str(pem).strip().split("\n")[1:-1])


async def test_a_key_is_made_once_and_our_metadata_have_its_certificate(acme: SSOSite) -> None:
    assert await certificate_in_metadata(acme) is None
    saved = await sign_by(acme)
    assert saved == await acme.floor.connections.find(saved.id)
    assert saved.has_secret
    assert "&Signature=" in await request_of(acme, saved)
    certificate = saved.config["signing_certificate"]
    assert await certificate_in_metadata(acme) == body_of(certificate)
    again = await sign_by(acme, signing_certificate=certificate, email_attribute="mail")
    assert again.config["signing_certificate"] == certificate
    assert again.version == saved.version + 1
    lost = await sign_by(acme)  # whoever saves it does not send what it never typed
    assert lost.config["signing_certificate"] != certificate
    assert await request_of(acme, lost)


async def test_a_key_of_ones_own_is_certified(acme: SSOSite) -> None:
    pem = make_key("own", "rsa")[0]
    await acme.floor.connections.set_secret(acme.connection.id, pem)
    saved = await sign_by(acme)
    assert await acme.floor.connection_secrets.of(saved.id) == pem
    assert "&Signature=" in await request_of(acme, saved)
    assert await certificate_in_metadata(acme) == body_of(saved.config["signing_certificate"])


@pytest.mark.parametrize("config", [{}, {"sign_requests": False}])
async def test_none_is_made_where_nothing_is_signed(acme: SSOSite, config: Any) -> None:
    given = {**IDP.config(), "email_attribute": "mail", **config}
    saved = await acme.floor.connections.change(acme.connection.id, config=given)
    assert not saved.has_secret
    assert saved.version == acme.connection.version + 1
