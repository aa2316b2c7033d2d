"""Every day, what SAML providers say of themselves is read, and certificates that end are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.features.organizations.options import Organizations
from pwless_middleware.features.sso.options import SSO
from pwless_middleware.features.sso.saml.settings import read_saml_settings
from tests.delivery.texts.fake_server import FakeServer, reply, serving
from tests.identity_providers.saml import NOW, SAMLProvider, make_key
from tests.organizations import floor_of, make_organization_site
from tests.support import Clock, Site

pytestmark = pytest.mark.anyio

DAY: Final = 86_400
IDP = SAMLProvider()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    features = [EmailLogin(), Organizations(), SSO(unsafe_loopback=True)]
    return make_organization_site(tmp_path, clock=Clock(NOW), features=features)


@asynccontextmanager
async def publishing(metadata: dict[str, bytes]) -> AsyncIterator[FakeServer]:
    """Serve metadata by the last part of the path; what it has none for is not found."""

    def answer(seen: Any) -> bytes:
        found = metadata.get(seen.target.rpartition("/")[2])
        return reply(404) if found is None else reply(200, found)

    async with serving(answer) as server:
        yield server


async def connect(site: Site, provider: SAMLProvider, **more: object) -> Connection:
    """Make a tested connection to a provider."""
    floor = floor_of(site)
    organization = await floor.organizations.create(provider.entity_id)
    connection = await floor.connections.create(
        organization.id, "saml", "Acme's login", config={**provider.config(), **more}
    )
    await floor.connections.mark_tested(connection.id)
    return connection


async def run(site: Site, name: str) -> None:
    """Do what is due every day."""
    periodics = site.passwordless.lifetime._periodics
    assert periodics is not None
    (turn,) = [one for one in periodics._all if one.title == f"SSO.{name}"]
    await turn._periodic.run()


async def refresh(site: Site) -> None:
    await run(site, "saml_metadata")


async def findings(site: Site, *, may_ask: bool = True) -> list[str]:
    found = await site.passwordless._kit.findings.of_features(may_ask=may_ask)
    return [str(one.message) for one in found if one.check == "sso"]


def events(site: Site, kind: str) -> list[Event]:
    return list(site.passwordless.events.recent(kind=kind))


async def now_of(site: Site, connection: Connection) -> Connection:
    found = await floor_of(site).connections.find(connection.id)
    assert found is not None
    return found


# --- metadata -------------------------------------------------------------------------------------


async def test_a_new_certificate_is_taken_over_before_it_signs(site: Site) -> None:
    theirs = IDP.make_metadata()
    key = theirs[theirs.index(b"<md:KeyDescriptor") : theirs.index(b"<md:SingleSignOn")]
    old, new = (
        "".join(pem.strip().split("\n")[1:-1]) for pem in (IDP.certificate, make_key("next")[1])
    )
    both = theirs.replace(key, key + key.replace(old.encode(), new.encode()))
    async with publishing({"a": both}) as server:
        connection = await connect(site, IDP, metadata_url=f"{server.url}/a")
        await refresh(site)
    found = await now_of(site, connection)
    settings = read_saml_settings(found.config, allow_loopback=True)
    assert [one.subject for one in settings.certificates] == ["CN=idp", "CN=next"]
    assert settings.metadata_url == f"{server.url}/a"
    assert found.tested_at == NOW, "its test counts as before"
    (event,) = events(site, "connection.changed")
    assert (event.by, event.organization) == ("pwless", connection.organization)


async def test_what_is_as_it_was_changes_nothing(site: Site) -> None:
    async with publishing({"a": IDP.make_metadata()}) as server:
        connection = await connect(site, IDP, metadata_url=f"{server.url}/a")
        await refresh(site)
    assert (await now_of(site, connection)).version == connection.version
    assert events(site, "sso.metadata_failed") == []


async def test_metadata_of_another_provider_are_not_taken(site: Site) -> None:
    """Whoever takes the address over could else sign everybody in."""
    other = SAMLProvider("https://evil.example/saml", key="evil")
    async with publishing({"a": other.make_metadata()}) as server:
        connection = await connect(site, IDP, metadata_url=f"{server.url}/a")
        await refresh(site)
    assert (await now_of(site, connection)).config == connection.config
    (event,) = events(site, "sso.metadata_failed")
    assert event.reason == "metadata_changed"
    assert event.details == {"connection": connection.id}
    assert event.organization == connection.organization


async def test_one_that_cannot_be_read_holds_up_no_other(site: Site) -> None:
    broken = SAMLProvider("https://broken.example/saml")
    other = SAMLProvider("https://other.example/saml")
    new = SAMLProvider("https://other.example/saml", key="new")
    async with publishing({"page": b"<!doctype html>", "new": new.make_metadata()}) as server:
        await connect(site, broken, metadata_url=f"{server.url}/page")
        gone = SAMLProvider("https://gone.example/saml")
        await connect(site, gone, metadata_url=f"{server.url}/nothing")
        await connect(site, IDP)
        connection = await connect(site, other, metadata_url=f"{server.url}/new")
        floor = floor_of(site)
        await floor.connections.create(connection.organization, "saml", "Not complete")
        await floor.connections.create(connection.organization, "oidc", "Another protocol")
        await refresh(site)
    found = read_saml_settings((await now_of(site, connection)).config, allow_loopback=True)
    assert [one.pem for one in found.certificates] == [new.certificate]
    reasons = {event.reason for event in events(site, "sso.metadata_failed")}
    assert reasons == {"metadata_page", "metadata_status"}


async def test_metadata_that_are_too_large_are_not_read_in_part(site: Site) -> None:
    async with publishing({"a": IDP.make_metadata() + b" " * 1_100_000}) as server:
        await connect(site, IDP, metadata_url=f"{server.url}/a")
        await refresh(site)
    (event,) = events(site, "sso.metadata_failed")
    assert event.reason == "metadata_too_large"


# --- certificates ---------------------------------------------------------------------------------


async def test_a_certificate_is_told_thirty_days_ahead_and_once_each_time(site: Site) -> None:
    ends = SAMLProvider(key="ends", ends=31)
    connection = await connect(site, ends)
    told = []
    for day in range(34):
        site.clock.now = NOW + day * DAY + 60
        await run(site, "saml_certificates")
        await run(site, "saml_certificates")
        told.append(len(events(site, "sso.certificate_ends")))
    assert told[:2] == [0, 1]
    days = [day for day in range(1, 34) if told[day] > told[day - 1]]
    assert [31 - day for day in days] == [30, 14, 7, 1, 0]
    last, *_, first = events(site, "sso.certificate_ends")
    assert (first.reason, last.reason) == ("certificate_ends", "certificate_ended")
    assert first.details == {"connection": connection.id, "ends": "2027-02-15"}
    assert first.organization == connection.organization


async def test_findings_name_what_ends_and_what_has_ended(site: Site) -> None:
    soon = await connect(site, SAMLProvider("https://soon.example/saml", key="soon", ends=20))
    await connect(site, SAMLProvider("https://old.example/saml", key="old", ends=-10))
    await connect(site, IDP)
    found = await findings(site)
    assert len(found) == 2
    text = next(one for one in found if soon.id in one)
    assert text.startswith(f"Acme's login ({soon.id}), until 2027-02-04: The provider’s")
    assert await findings(site, may_ask=False) == []


async def test_many_findings_are_counted(site: Site) -> None:
    floor = floor_of(site)
    ends = SAMLProvider(key="soon", ends=20)
    for number in range(2):
        organization = await floor.organizations.create(f"Company {number}")
        for _ in range(12):
            await floor.connections.create(organization.id, "saml", "Login", config=ends.config())
    found = await findings(site)
    assert len(found) == 21
    assert found[-1] == "The certificates of 4 more connections end."
