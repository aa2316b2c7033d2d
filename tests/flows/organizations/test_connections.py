"""Connections and their secrets, which go in and never come out (security rule 56)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.errors import ConfigError, InvalidArgument, NotFound
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.flows.organizations.scim_tokens import matches
from tests.organizations import (
    add_connection,
    floor_of,
    make_organization_site,
    newest_event,
    refusal_of,
)
from tests.sqlite_file import sqlite_url
from tests.support import KEY, OTHER_KEY, Site, make_site

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_organization_site(tmp_path)


@pytest.fixture
def floor(site: Site) -> OrganizationFloor:
    return floor_of(site)


@pytest.fixture
async def acme(floor: OrganizationFloor) -> Organization:
    return await floor.organizations.create("Acme")


async def test_it_is_made_changed_and_switched(
    site: Site, floor: OrganizationFloor, acme: Organization
) -> None:
    connections = floor.connections
    made = await connections.create(acme.id, "oidc", "Okta", config={"issuer": "https://a.example"})
    assert made.id.startswith("conn_")
    assert not made.is_enabled
    assert newest_event(site, "connection.created").details == {
        "id": made.id,
        "kind": "oidc",
        "name": "Okta",
    }
    changed = await connections.change(
        made.id, config={"issuer": "https://b.example", "certificate": "x" * 999}, seen=1
    )
    details = newest_event(site, "connection.changed").details
    assert details is not None
    assert json.loads(str(details["from"]))["config.issuer"] == "https://a.example"
    assert len(str(details["to"])) < 300, "no whole certificate"
    enabled = await connections.enable(made.id)
    assert enabled.version == changed.version + 1
    assert await connections.enable(made.id) == enabled
    assert (await connections.disable(made.id)).is_enabled is False
    await connections.delete(made.id)
    assert await connections.find(made.id) is None
    with pytest.raises(NotFound):
        await connections.delete(made.id)


async def test_what_is_wrong_is_named(floor: OrganizationFloor, acme: Organization) -> None:
    create = floor.connections.create
    assert await refusal_of(create(acme.id, "ldap", "x")) == ("kind", "enum")
    assert await refusal_of(create(acme.id, "oidc", "")) == ("name", "name")
    assert await refusal_of(create(acme.id, "oidc", "x", config={"a": "\0"})) == (
        "config",
        "length",
    )
    assert await refusal_of(create(acme.id, "oidc", "x", secret=b"")) == ("secret", "length")
    with pytest.raises(NotFound):
        await create("org_gone", "oidc", "x")
    made = await create(acme.id, "oidc", "x")
    stale = floor.connections.change(made.id, name="y", seen=7)
    assert await refusal_of(stale) == ("version", "version")
    with pytest.raises(NotFound):
        await floor.connections.require("org_other", made.id)


async def test_a_protocol_says_what_its_configurations_hold(
    floor: OrganizationFloor, acme: Organization
) -> None:
    def check(kind: str, config: Mapping[str, object]) -> Mapping[str, object]:
        if "issuer" not in config:
            raise InvalidArgument.of("config.issuer", "No.", "required")
        return {"issuer": config["issuer"], "kind": kind}

    floor.connections.check_config_by(check)
    create = floor.connections.create
    assert await refusal_of(create(acme.id, "saml", "x")) == ("config.issuer", "required")
    made = await create(acme.id, "saml", "x", config={"issuer": "y", "more": 1})
    assert made.config == {"issuer": "y", "kind": "saml"}


async def test_another_configuration_has_to_be_tested_anew(
    floor: OrganizationFloor, acme: Organization
) -> None:
    made = await add_connection(floor, acme.id)
    named = await floor.connections.change(made.id, name="Other")
    assert named.tested_at is not None
    changed = await floor.connections.change(made.id, config={"issuer": "https://b.example"})
    assert changed.tested_at is None


async def test_a_secret_is_encrypted_and_in_no_answer(
    site: Site, floor: OrganizationFloor, acme: Organization, tmp_path: Path
) -> None:
    connections = floor.connections
    made = await connections.create(acme.id, "oidc", "Okta", secret=b"very-s3cret")
    assert made.has_secret
    found = await connections.find(made.id)
    assert found == made
    assert "s3cret" not in repr(found)
    assert await floor.connection_secrets.of(made.id) == b"very-s3cret"
    assert b"s3cret" not in (tmp_path / "pwless.db").read_bytes()
    assert b"s3cret" not in (tmp_path / "pwless.db-wal").read_bytes()
    # Moved to the row of another connection it is worth nothing.
    other = await connections.create(acme.id, "oidc", "Other", secret=b"x")
    kept = site.passwordless._kit.repositories
    assert kept is not None
    await kept.connections.set_secret(
        other.id, await kept.connections.secret_of(made.id), seen=other.version
    )
    assert await floor.connection_secrets.of(other.id) is None
    gone = await connections.set_secret(made.id, None)
    assert not gone.has_secret
    assert await floor.connection_secrets.of(made.id) is None


async def test_secrets_are_under_the_newest_key_after_a_rotation(tmp_path: Path) -> None:
    old = floor_of(make_organization_site(tmp_path))
    acme = await old.organizations.create("Acme")
    made = await old.connections.create(acme.id, "oidc", "Okta", secret=b"s")
    both = floor_of(make_site(database=sqlite_url(tmp_path), secret_key=[KEY, OTHER_KEY]))
    assert await both.rewrap() == 1
    assert await both.rewrap() == 0
    new = floor_of(make_site(database=sqlite_url(tmp_path), secret_key=OTHER_KEY))
    assert await new.connection_secrets.of(made.id) == b"s"
    with pytest.raises(ConfigError, match="no key of the list decrypts"):
        await old.rewrap()


async def test_a_token_for_scim_is_shown_once_and_replaced(
    site: Site, floor: OrganizationFloor, acme: Organization
) -> None:
    made = await floor.connections.create(acme.id, "oidc", "Okta")
    assert await floor.connections.scim_digest_of(made.id) is None
    first = await floor.connections.create_scim_token(made.id, by="operator:jo")
    assert newest_event(site, "connection.scim_token_created").by == "operator:jo"
    assert matches(await floor.connections.scim_digest_of(made.id), first)
    second = await floor.connections.create_scim_token(made.id)
    digest = await floor.connections.scim_digest_of(made.id)
    assert not matches(digest, first)
    assert matches(digest, second)
    assert not matches(digest, f"{second}\udc80")
    await floor.connections.revoke_scim_token(made.id)
    assert not matches(await floor.connections.scim_digest_of(made.id), second)
    assert not matches(None, "pwscim_")
