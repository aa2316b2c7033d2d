"""What a host may ask about sessions, by the ids of its own table."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from pwless_middleware import User
from pwless_middleware.errors import InvalidArgument
from tests.support import make_site

pytestmark = pytest.mark.anyio

KEY = UUID("018f0000-0000-7000-8000-000000000001")


class Table:
    """A table of one person, whose primary key is no text."""

    def __init__(self, key: Any) -> None:
        self.key = key

    async def find(self, email: str) -> User | None:
        return User(id=self.key, email=email)

    async def create(self, email: str) -> User | None:
        return await self.find(email)

    async def load(self, user_id: str) -> User | None:
        return User(id=self.key, email="jo@example.com")


@pytest.mark.parametrize("key", [7, KEY], ids=["number", "uuid"])
async def test_a_host_ends_sessions_by_its_own_primary_key(key: int | UUID) -> None:
    site = make_site(users=Table(key))
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    sessions = site.passwordless.sessions
    [session] = await sessions.list(key)
    assert session.user_id == str(key)
    assert await sessions.revoke_others(key, session.id) == 0
    assert not await sessions.revoke(key, "another")
    assert await sessions.revoke_all(key) == 1
    assert await jo.who() is None
    await jo.sign_in("jo@example.com")
    assert await site.passwordless.sign_out(key) == 1  # type: ignore[arg-type]  # as hosts do


@pytest.mark.parametrize("given", [None, True, b"7", 7.0, ["7"]])
async def test_what_is_no_id_is_refused_by_name(given: Any) -> None:
    sessions = make_site().passwordless.sessions
    for ask in (sessions.list, sessions.revoke_all):
        with pytest.raises(InvalidArgument) as refused:
            await ask(given)
        assert refused.value.violations[0].field == "user_id"
