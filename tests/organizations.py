"""Organizations of a site, for tests."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.stores.memory import MemoryStore
from tests.sqlite_file import sqlite_url
from tests.support import ROOMY, Site, make_site


def make_organization_site(folder: Path, **options: Any) -> Site:
    """Make a site with a database in a file, and all else in memory but where `store` says not."""
    options.setdefault("features", [EmailLogin(send_limits=ROOMY)])
    options.setdefault("store", MemoryStore())
    return make_site(database=sqlite_url(folder), **options)


def floor_of(site: Site) -> OrganizationFloor:
    """Return what finds and changes the organizations of a site."""
    return site.passwordless._kit.organizations()


async def add_connection(
    floor: OrganizationFloor, organization: str, *, is_tested: bool = True
) -> Connection:
    """Make an enabled connection by which somebody has signed in."""
    connection = await floor.connections.create(organization, "oidc", "Okta")
    connection = await floor.connections.enable(connection.id)
    if is_tested:
        await floor.connections.mark_tested(connection.id)
    return connection


async def set_policy(floor: OrganizationFloor, organization: str, **fields: Any) -> Organization:
    """Give an organization a policy of these fields."""
    there = await floor.organizations.require(organization)
    return await floor.organizations.set_policy(organization, Policy(**fields), seen=there.version)


async def add_app(site: Site, user_id: str) -> None:
    """Give somebody an authenticator app, as if they had confirmed it."""
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    app = Factor(id="a" * 22, user_id=user_id, kind="totp", secret=b"x", created_at=1)
    assert await repositories.factors.add(app, most=10, may_be_alone=True) == "added"


def newest_event(site: Site, kind: str) -> Event:
    """Return the newest event of a kind."""
    return site.passwordless.events.recent(kind=kind)[0]


async def refusal_of(work: Awaitable[object]) -> tuple[str, str]:
    """Return the field and the constraint by which something is refused."""
    with pytest.raises(InvalidArgument) as error:
        await work
    (violation,) = error.value.violations
    return violation.field, violation.constraint
