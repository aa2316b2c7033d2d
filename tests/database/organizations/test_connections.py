"""Connections in the database: the contract, over every kind and the double."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.organizations.connection import Connection, Identity
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.database.organizations.connections import MOST
from pwless_middleware.database.repositories import Repositories
from tests.database.organizations.scene import BETA, NOW, add_organizations, audit

pytestmark = pytest.mark.anyio


def connection(id: str = "conn_a", created_at: int = NOW) -> Connection:
    return Connection(
        id=id,
        organization="org_beta",
        kind="oidc",
        name="Zürich",
        is_enabled=True,
        config={"issuer": "https://idp.example/", "scopes": ["é"], "certificates": [{"a": 1}]},
        created_at=created_at,
    )


async def test_what_is_kept_is_found_and_listed_in_order(repositories: Repositories) -> None:
    await add_organizations(repositories)
    connections = repositories.connections
    first, second = connection("conn_b"), connection("conn_a", NOW + 1)
    for one in (second, first):
        assert await connections.put(one, seen=None) == "done"
    assert await connections.find("conn_b") == first
    assert await connections.find("conn_c") is None
    assert await connections.list("org_beta") == [first, second]
    assert await connections.list("org_acme") == []
    assert await connections.list_all(limit=1) == [second]
    assert await connections.list_all(after="conn_a") == [first]


@pytest.mark.parametrize("kind", ["oidc", "saml"])
async def test_at_another_provider_nobody_is_known_and_no_secret_is_sent(
    repositories: Repositories, kind: Literal["oidc", "saml"]
) -> None:
    await add_organizations(repositories)
    connections, identities = repositories.connections, repositories.identities
    key = "issuer" if kind == "oidc" else "entity_id"
    first = replace(connection(), kind=kind, config={key: "https://a.example"})
    await connections.put(first, seen=None)
    await connections.put(replace(first, id="conn_b"), seen=None)
    await connections.set_secret("conn_a", b"s", seen=1)
    for id in ("conn_a", "conn_b"):
        identity = Identity(
            connection=id, subject="jo", user_id="u_jo", email="", created_at=NOW, seen_at=NOW
        )
        assert await identities.add(identity) == "added"
    same = replace(first, config={key: "https://a.example", "scopes": []}, version=3)
    assert await connections.put(same, seen=2) == "done"
    assert await identities.find("conn_a", "jo") is not None
    assert await connections.secret_of("conn_a") == b"s"
    other = replace(first, config={key: "https://b.example"}, version=4)
    assert await connections.put(other, seen=2) == "stale"
    assert await identities.find("conn_a", "jo") is not None
    assert await connections.put(other, seen=3) == "done"
    assert await identities.find("conn_a", "jo") is None
    assert await identities.find("conn_b", "jo") is not None
    is_kept = kind == "saml"  # the key of our own, which goes to nobody
    assert await connections.secret_of("conn_a") == (b"s" if is_kept else None)
    assert await connections.find("conn_a") == replace(other, has_secret=is_kept)


async def test_a_change_leaves_what_it_does_not_say(repositories: Repositories) -> None:
    await add_organizations(repositories)
    connections = repositories.connections
    await connections.put(connection(), seen=None)
    assert await connections.set_secret("conn_a", b"\0s", seen=1, audit=audit()) == "done"
    assert await connections.set_secret("conn_a", b"\0t", seen=1, audit=audit(2)) == "stale"
    config = {"issuer": "https://idp.example/"}
    changed = replace(connection(), name="Okta", config=config, tested_at=NOW, version=3)
    assert await connections.put(changed, seen=2) == "done"
    assert await connections.put(replace(changed, name="Mine"), seen=2) == "stale"
    assert await connections.put(changed, seen=None) == "stale", "it is there"
    assert await connections.find("conn_a") == replace(changed, has_secret=True)
    assert await connections.secret_of("conn_a") == b"\0s"
    assert len(await repositories.events.find(EventFilter())) == 1
    assert await connections.set_secret("conn_a", None, seen=3) == "done"
    assert await connections.secret_of("conn_a") is None
    assert await connections.find("conn_a") == replace(changed, version=4)


async def test_secrets_are_encrypted_anew_unless_they_have_changed(
    repositories: Repositories,
) -> None:
    await add_organizations(repositories)
    connections = repositories.connections
    for id in ("conn_a", "conn_b", "conn_c"):
        await connections.put(connection(id), seen=None)
    for id in ("conn_a", "conn_c"):
        await connections.set_secret(id, id.encode(), seen=1)
    assert await connections.list_secrets() == [("conn_a", b"conn_a"), ("conn_c", b"conn_c")]
    assert await connections.list_secrets(after="conn_a", limit=1) == [("conn_c", b"conn_c")]
    assert await connections.replace_secret("conn_a", b"conn_a", b"new")
    assert not await connections.replace_secret("conn_a", b"conn_a", b"newer")
    assert await connections.secret_of("conn_a") == b"new"


async def test_the_first_login_that_works_is_told_once(repositories: Repositories) -> None:
    await add_organizations(repositories)
    connections = repositories.connections
    await connections.put(connection(), seen=None)
    assert await connections.mark_tested("conn_a", at=NOW, audit=audit())
    assert await connections.mark_tested("conn_a", at=NOW + 1, audit=audit(2))
    assert not await connections.mark_tested("conn_b", at=NOW)
    assert await connections.find("conn_a") == replace(connection(), tested_at=NOW + 1)
    assert len(await repositories.events.find(EventFilter())) == 1


async def test_a_token_for_scim_is_kept_as_its_digest(repositories: Repositories) -> None:
    await add_organizations(repositories)
    connections = repositories.connections
    await connections.put(connection(), seen=None)
    assert await connections.scim_digest_of("conn_a") is None
    assert await connections.set_scim_digest("conn_a", b"\1d", audit=audit())
    assert await connections.scim_digest_of("conn_a") == b"\1d"
    assert await connections.set_scim_digest("conn_a", None)
    assert await connections.scim_digest_of("conn_a") is None
    assert not await connections.set_scim_digest("conn_b", b"\1d", audit=audit(2))


async def test_the_last_way_in_stays_while_it_is_required(repositories: Repositories) -> None:
    await add_organizations(repositories)
    connections = repositories.connections
    for id in ("conn_a", "conn_b"):
        await connections.put(connection(id), seen=None)
    await connections.mark_tested("conn_a", at=NOW)
    required = replace(BETA, policy=Policy(sso="required"), version=2)
    assert await repositories.organizations.put(required, seen=1) == "done"
    off = replace(connection("conn_b"), is_enabled=False, version=2)
    assert await connections.put(off, seen=1) == "done", "there is another one"
    last = replace(connection(), is_enabled=False, version=2)
    assert await connections.put(last, seen=1, audit=audit()) == "required"
    assert await connections.delete("conn_a", audit=audit(2)) == "required"
    assert await connections.delete("conn_b") == "done", "nobody signs in by it"
    free = replace(required, policy=Policy(), version=3)
    assert await repositories.organizations.put(free, seen=2) == "done"
    assert await connections.delete("conn_a", audit=audit(3)) == "done"
    assert len(await repositories.events.find(EventFilter())) == 1


async def test_who_people_are_at_a_connection_goes_with_it(repositories: Repositories) -> None:
    await add_organizations(repositories)
    for id in ("conn_a", "conn_b"):
        await repositories.connections.put(connection(id), seen=None)
        identity = Identity(connection=id, subject="s", user_id="jo", created_at=NOW, seen_at=NOW)
        await repositories.identities.add(identity)
    assert await repositories.connections.delete("conn_a") == "done"
    assert await repositories.connections.delete("conn_a") == "stale"
    assert await repositories.identities.find("conn_a", "s") is None
    assert await repositories.identities.find("conn_b", "s") is not None


async def test_an_organization_has_no_more_than_a_page_shows(repositories: Repositories) -> None:
    await add_organizations(repositories)
    for number in range(MOST):
        assert await repositories.connections.put(connection(f"conn_{number}"), seen=None) == "done"
    assert await repositories.connections.put(connection("conn_x"), seen=None) == "full"
