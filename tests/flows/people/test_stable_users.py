"""Ids without a table: derived from addresses, the same for ever."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.people.stable_users import StableUsers
from tests.support import OTHER_KEY, make_site

pytestmark = pytest.mark.anyio

SALT = "q7Zk3vQ8sLw2Yt6Rb9Xn"


async def test_without_a_table_there_is_nothing_to_load() -> None:
    users = StableUsers()
    found = await users.find("jo@example.com")
    assert found == await users.create("jo@example.com")
    assert found is not None
    assert await users.load(found.id) is None


async def test_without_a_table_an_address_has_one_id_for_ever() -> None:
    """The same in every process, after every restart and key rotation."""
    ids = set()
    for key in ("x1" * 3 + "Q7wErTyUiOpAsDfGhJkLzXcVbNm", "y2" * 3 + "Q7wErTyUiOpAsDfGhJkLzXcVbNm"):
        site = make_site(secret_key=key)
        jo = site.browser()
        await jo.sign_in("jo@example.com")
        await jo.who()
        ids.add(site.inner.scope["user"].id)
    assert len(ids) == 1


async def id_of(**options: Any) -> str:
    site = make_site(**options)
    jo = site.browser()
    await jo.sign_in("Jo@example.com")
    return str((await jo.get("/private")).json()["id"])


async def test_default_ids_are_the_same_under_every_key_realm_and_version() -> None:
    """Apps keep them in their own tables: this value must never change."""
    plain = "Rf-EcZvW1K_abohaZQpGMw"
    assert await id_of() == plain
    assert await id_of(secret_key=OTHER_KEY, base_url="https://other.example") == plain


async def test_a_salt_makes_ids_that_nobody_without_it_can_compute() -> None:
    salted = await id_of(id_salt=SALT)
    assert salted == "RXXljqR1GA916k136TXMeQ", "it must never change either"
    assert await id_of(id_salt=SALT, secret_key=OTHER_KEY) == salted
    assert len({salted, await id_of(), await id_of(id_salt=SALT + "x")}) == 3


@pytest.mark.parametrize("salt", ["", "short", "x" * 15, 5, b"x" * 32, True])
def test_a_salt_that_is_short_or_no_text_is_refused(salt: object) -> None:
    with pytest.raises(ConfigError, match="id_salt"):
        make_site(id_salt=salt)


async def test_after_the_salt_has_changed_sessions_go_on_as_who_they_were() -> None:
    before = make_site(roomy=True)
    jo = before.browser()
    await jo.sign_in("jo@example.com")
    after = make_site(store=before.store, clock=before.clock, outbox=before.outbox, id_salt=SALT)
    there = after.browser(cookies=jo.cookies)
    old = (await jo.get("/private")).json()["id"]
    assert (await there.get("/private")).json()["id"] == old
    await there.sign_in("jo@example.com")
    assert (await there.get("/private")).json()["id"] != old
    assert await jo.who() is None, "a login ends what was there, under either id"
