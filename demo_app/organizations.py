"""Two customers of the demo, each with rules of its own.

Alder asks everybody for a second factor and for a new login each day. Birch signs in with its
company's login: `python -m demo_app.provider` starts that.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from demo_app.provider import CLIENT_ID, CLIENT_SECRET, ISSUER
from pwless_middleware import Passwordless
from pwless_middleware.errors import InvalidArgument

ALDER, BIRCH = "alder", "birch"
"""What the demo calls them itself (`external_id`): `/auth/login?organization=alder`."""
HOUR = 3600
POLICIES: Mapping[str, Mapping[str, object]] = {
    ALDER: {
        "methods": ["email", "passkey"],
        "mfa": "required",
        "trusted_days": 0,
        "idle": 8 * HOUR,
        "absolute": 24 * HOUR,
        "join": "domain",
    },
    BIRCH: {"sso": "allowed", "join": "sso"},
}


async def make_organizations(passwordless: Passwordless) -> None:
    """Make those that there are not yet."""
    with suppress(InvalidArgument):  # another worker makes it in this moment
        await _make_alder(passwordless)
    with suppress(InvalidArgument):
        await _make_birch(passwordless)


async def _make_alder(passwordless: Passwordless) -> None:
    if await passwordless.organizations.find(ALDER) is None:
        await _make(passwordless, "Alder", ALDER, "#7a3b1f")


async def _make_birch(passwordless: Passwordless) -> None:
    organizations = passwordless.organizations
    if await organizations.find(BIRCH) is not None:
        return
    id = await _make(passwordless, "Birch", BIRCH, "#2f5d8a")
    provider = await organizations.connections.create(
        id,
        "oidc",
        "Birch’s login",
        config={"issuer": ISSUER, "client_id": CLIENT_ID},
        secret=CLIENT_SECRET.encode(),
        by="demo",
    )
    await organizations.connections.enable(provider.id, by="demo")


async def _make(passwordless: Passwordless, name: str, key: str, color: str) -> str:
    """Make one, with the domain that it has in this world of examples; return its id."""
    organizations = passwordless.organizations
    made = await organizations.create(name, external_id=key, color=color, by="demo")
    domain = await organizations.domains.claim(made.id, f"{key}.example", by="demo")
    # A real one is verified by a DNS record: `organizations.verify_domain(key, domain)`.
    await organizations.domains.mark_verified(made.id, domain.name, by="demo")
    await organizations.change_policy(key, POLICIES[key], by="demo")
    return made.id
