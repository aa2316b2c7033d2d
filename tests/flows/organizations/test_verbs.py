"""Organizations for the host's own code: `passwordless.organizations`."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.errors import ConfigError, NotFound
from pwless_middleware.features.organizations import Organizations
from pwless_middleware.flows.organizations.txt_records import TXTRecords
from tests.organizations import floor_of, make_organization_site, newest_event, refusal_of
from tests.support import ROOMY, make_site

pytestmark = pytest.mark.anyio


async def test_they_are_found_and_changed_by_the_hosts_own_key(tmp_path: Path) -> None:
    features = [EmailLogin(send_limits=ROOMY), Organizations()]
    site = make_organization_site(tmp_path, features=features)
    verbs = site.passwordless.organizations
    made = await verbs.create("Acme", external_id="7")
    assert await verbs.find("7") == made
    assert await verbs.list(search="acm") == [made]
    await verbs.change("7", name="Acme AG", by="operator:jo")
    assert newest_event(site, "organization.changed").by == "operator:jo"
    changed = await verbs.change_policy("7", {"mfa": "optional", "idle": 600})
    assert changed.policy == Policy(mfa="optional", idle=600)
    changed = await verbs.change_policy("7", {"mfa": None})
    assert changed.policy == Policy(idle=600)
    assert await refusal_of(verbs.change_policy("7", {"mfa": "x"})) == ("policy.mfa", "enum")
    assert await refusal_of(verbs.set_policy("7", Policy(), seen=1)) == ("version", "version")
    assert (await verbs.set_policy("7", Policy())).policy == Policy()
    assert (await verbs.apply_now("7")).enforced_at == site.clock.now

    domain = await verbs.domains.claim(made.id, "acme.example")

    async def look_up(name: str) -> TXTRecords:
        return TXTRecords((f"pwless-verification={domain.token}",))

    floor_of(site).verification.look_up_by(look_up)
    assert (await verbs.verify_domain("7", "acme.example")).is_good
    await verbs.members.put(made.id, "jo", role="admin")
    assert [one.role for one in await verbs.members.list(made.id)] == ["admin"]
    await verbs.delete("7")
    with pytest.raises(NotFound):
        await verbs.delete("7")


async def test_without_the_feature_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="add Organizations"):
        _ = make_site().passwordless.organizations
