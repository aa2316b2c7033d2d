"""How the guide says to set Redis up for several processes: what it says is enough."""

from __future__ import annotations

from typing import Any

import pytest
import redis.asyncio

from tests.failures.scene import scene
from tests.redis_server import Server

pytestmark = pytest.mark.anyio

GRANTS = (
    "~scene*:* &scene*:* "
    "+@read +@write +@connection +eval +evalsha +subscribe +publish -@dangerous +info"
)
"""As in the guide, section "Several processes"; the prefix is the tests'."""


async def test_an_acl_user_with_these_rules_can_do_everything(server: Server) -> None:
    """With every mail, try, login, list and revocation, and the feed live."""
    admin: Any = redis.asyncio.Redis.from_url(server.url)
    rules = ("reset", "on", ">secret", "-@all", *GRANTS.split())
    await admin.execute_command("ACL", "SETUSER", "pwless", *rules)
    try:
        async with scene(server.url.replace("redis://", "redis://pwless:secret@")) as at:
            assert at.site.store.feed.is_live()
            assert await at.health() == (200, [])
            answers = {**await at.readers(), **await at.writers(), **await at.enders()}
            assert all(answer.status_code < 500 for answer in answers.values())
            await at.assert_a_login_works()
            denied = await admin.execute_command("ACL", "LOG")
            assert denied == []
    finally:
        await admin.execute_command("ACL", "DELUSER", "pwless")
        await admin.connection_pool.disconnect()
