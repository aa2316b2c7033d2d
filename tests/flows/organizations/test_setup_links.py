"""Set-up links and identities: each opened, linked and taken back once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware.core.organizations.connection import Identity
from pwless_middleware.errors import LoginDenied, NotFound
from tests.organizations import floor_of, make_organization_site, newest_event, refusal_of

pytestmark = pytest.mark.anyio


async def test_a_link_is_opened_once_and_taken_back(tmp_path: Path) -> None:
    site = make_organization_site(tmp_path)
    floor = floor_of(site)
    acme = await floor.organizations.create("Acme")
    links = floor.setup_links
    made = await links.create(acme.id, expires_in=3600, by="operator:jo")
    assert made.expires_at == site.clock.now + 3600
    opened = await links.open(made)
    assert opened is not None
    assert opened.opened_at == site.clock.now
    assert await links.open(made) is None
    assert newest_event(site, "setup_link.opened").by == f"setup_link:{made.id}"
    for _ in range(2):
        await links.finish(opened)
    assert len(site.passwordless.events.recent(kind="setup_link.finished")) == 1
    await links.revoke(acme.id, made.id)
    with pytest.raises(NotFound):
        await links.revoke(acme.id, made.id)
    with pytest.raises(NotFound):
        await links.revoke(acme.id, "\0")
    with pytest.raises(NotFound):
        await links.create("org_gone")
    assert await refusal_of(links.create(acme.id, expires_in=1)) == ("expires_in", "range")


async def test_an_identity_is_linked_once_and_forgotten(tmp_path: Path) -> None:
    site = make_organization_site(tmp_path)
    identities = floor_of(site).identities
    jo = await site.passwordless.people.create("jo@acme.example")
    identity = Identity(connection="google", subject="s", user_id=jo.id, created_at=1, seen_at=1)
    assert await identities.add(identity)
    assert not await identities.add(identity)
    await identities.note_seen(identity, email="jo@acme.example")
    (found,) = await identities.of_user(jo.id)
    assert (found.email, found.seen_at) == ("jo@acme.example", site.clock.now)
    assert await identities.find("google", "s\0") is None
    await identities.remove(found, by="operator:al")
    assert newest_event(site, "identity.removed").user_id == jo.id
    with pytest.raises(NotFound):
        await identities.remove(found)
    await site.passwordless.people.disable(jo.id)
    with pytest.raises(LoginDenied):
        await identities.add(identity)
