"""Changes of address in the database: the contract, over every kind and the double in memory.

Security rule 26: who takes an account shuts nobody out.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.addresses.address_change import UNDO_SECONDS, AddressChange
from pwless_middleware.core.people.person import Person
from pwless_middleware.database.database import Database
from pwless_middleware.database.repositories import Repositories, make_repositories

pytestmark = pytest.mark.anyio

A, B, C = (Address(f"{name}@example.com") for name in "abc")
NOW = 1_767_225_600
FIRST = AddressChange(b"1" * 16, "jo", A, B, NOW, device="Firefox on Linux", language="de")
SECOND = AddressChange(b"2" * 16, "jo", B, C, NOW + 60)


@pytest.fixture
async def kept(repositories: Repositories) -> Repositories:
    """Repositories in which Jo has the address A."""
    await repositories.people.add(Person("jo", A, created_at=NOW))
    return repositories


async def email_of(kept: Repositories, user_id: str = "jo") -> str | None:
    person = await kept.people.find(user_id)
    return None if person is None else person.email


async def undo(kept: Repositories, change: AddressChange, now: int = NOW + 100) -> bool:
    return await kept.address_changes.undo(change.id, now=now, restores=True)


async def test_a_change_gives_the_new_address_and_is_kept(kept: Repositories) -> None:
    assert await kept.address_changes.change(FIRST)
    assert await email_of(kept) == B
    assert await kept.address_changes.find(FIRST.id) == FIRST
    assert await kept.address_changes.list("jo") == [FIRST]
    assert await kept.address_changes.find(SECOND.id) is None


@pytest.mark.parametrize(
    "change",
    [replace(FIRST, old=C, new=B), replace(FIRST, user_id="kim"), replace(FIRST, new=C)],
    ids=["not-theirs-any-more", "nobody", "somebody-else-s"],
)
async def test_what_does_not_hold_changes_nothing(
    kept: Repositories, change: AddressChange
) -> None:
    await kept.people.add(Person("ann", C, created_at=NOW))
    assert not await kept.address_changes.change(change)
    assert await email_of(kept) == A
    assert await kept.address_changes.find(change.id) is None


async def test_who_is_disabled_or_being_deleted_moves_no_more(kept: Repositories) -> None:
    """Else a change that is under way leaves two addresses behind a deletion."""
    await kept.people.disable("jo", at=NOW)
    assert not await kept.address_changes.change(FIRST)
    assert (await email_of(kept), await kept.address_changes.list("jo")) == (A, [])


async def test_of_two_who_want_one_address_one_gets_it(kept: Repositories) -> None:
    await kept.people.add(Person("ann", C, created_at=NOW))
    other = AddressChange(b"3" * 16, "ann", C, B, NOW)
    changes = kept.address_changes
    assert sorted(await asyncio.gather(changes.change(FIRST), changes.change(other))) == [
        False,
        True,
    ]


async def test_the_old_address_is_nobody_else_s_until_its_time_is_over(kept: Repositories) -> None:
    await kept.address_changes.change(FIRST)
    await kept.people.add(Person("ann", C, created_at=NOW))
    changes, end = kept.address_changes, FIRST.undo_until
    assert await changes.is_reserved(A, user_id="", now=end - 1)
    assert not await changes.is_reserved(A, user_id="jo", now=end - 1), "it is in nobody's own way"
    assert not await changes.is_reserved(B, user_id="", now=end - 1)
    wants = AddressChange(b"3" * 16, "ann", C, A, end - 1)
    assert not await changes.change(wants)
    assert not await changes.is_reserved(A, user_id="", now=end)
    assert await changes.change(replace(wants, changed_at=end))
    assert await email_of(kept, "ann") == A


async def test_an_undo_works_once_and_in_time(kept: Repositories) -> None:
    await kept.address_changes.change(FIRST)
    assert not await undo(kept, FIRST, FIRST.undo_until)
    assert await undo(kept, FIRST, FIRST.undo_until - 1)
    assert await email_of(kept) == A
    assert not await undo(kept, FIRST, FIRST.undo_until - 1)
    found = await kept.address_changes.find(FIRST.id)
    assert found is not None
    assert found.undone_at == FIRST.undo_until - 1
    assert not await kept.address_changes.is_reserved(A, user_id="", now=NOW + 100)


async def test_the_first_link_leads_back_however_far_the_account_was_moved_on(
    kept: Repositories,
) -> None:
    """Whoever has taken it cannot shut out the owner by changing it twice; nor take it back."""
    await kept.address_changes.change(FIRST)
    await kept.address_changes.change(SECOND)
    assert await undo(kept, FIRST)
    assert await email_of(kept) == A
    assert [one.undone_at for one in await kept.address_changes.list("jo")] == [NOW + 100] * 2
    assert not await kept.address_changes.is_reserved(B, user_id="", now=NOW + 100)
    assert not await undo(kept, SECOND), "the later link is void"
    assert await email_of(kept) == A


async def test_a_change_that_was_under_way_as_the_one_before_was_undone_gives_no_link(
    kept: Repositories,
) -> None:
    """The host's own table has made it, and its row comes late."""
    changes = kept.address_changes
    await changes.add(FIRST)
    assert await changes.undo(FIRST.id, now=NOW + 100, restores=False)
    await changes.add(SECOND)
    assert not await changes.undo(SECOND.id, now=NOW + 200, restores=False)
    later = replace(SECOND, id=b"3" * 16, changed_at=NOW + 101)
    await changes.add(later)
    assert await changes.undo(later.id, now=NOW + 200, restores=False)


async def test_the_later_link_leads_back_one_step_and_leaves_the_first(kept: Repositories) -> None:
    await kept.address_changes.change(FIRST)
    await kept.address_changes.change(SECOND)
    assert await undo(kept, SECOND)
    assert await email_of(kept) == B
    assert await undo(kept, FIRST)
    assert await email_of(kept) == A


async def test_of_undos_and_changes_at_once_the_first_address_wins(kept: Repositories) -> None:
    await kept.address_changes.change(FIRST)
    changes = kept.address_changes
    tries = [undo(kept, FIRST), changes.change(SECOND), undo(kept, FIRST)]
    undone, _, again = await asyncio.gather(*tries)
    assert undone != again
    await undo(kept, SECOND)
    assert await email_of(kept) == A


async def test_who_is_gone_is_given_nothing_back(kept: Repositories) -> None:
    await kept.address_changes.change(FIRST)
    await kept.people.delete("jo")
    assert not await undo(kept, FIRST)
    assert await email_of(kept) is None


async def test_a_change_that_is_made_elsewhere_is_kept_undone_and_forgotten(
    kept: Repositories,
) -> None:
    changes = kept.address_changes
    await changes.add(FIRST)
    assert await email_of(kept) == A
    assert await changes.undo(FIRST.id, now=NOW + 1, restores=False)
    await changes.add(SECOND)
    await changes.forget(SECOND.id)
    assert await changes.find(SECOND.id) is None


async def test_what_is_long_over_goes_with_the_next_change_and_with_the_person(
    kept: Repositories,
) -> None:
    changes = kept.address_changes
    await changes.change(FIRST)
    await changes.change(replace(SECOND, changed_at=NOW + UNDO_SECONDS))
    assert [one.id for one in await changes.list("jo")] == [SECOND.id]
    await changes.erase("jo")
    assert await changes.list("jo") == []


async def test_among_several_connections_one_person_gets_an_address(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(3)]
    kept = [make_repositories(database) for database in databases]
    changes = []
    for number in range(len(kept)):
        old, id = Address(f"{number}@example.com"), f"id-{number}"
        await kept[0].people.add(Person(id, old, created_at=NOW))
        changes.append(AddressChange(bytes([number]) * 16, id, old, C, NOW))
    moves = (one.address_changes.change(change) for one, change in zip(kept, changes, strict=True))
    moved = await asyncio.gather(*moves)
    assert sorted(moved) == [False, False, True]
    owner = await kept[0].people.find_by_email(C)
    assert owner is not None
    assert owner.id == changes[moved.index(True)].user_id
    for database in databases:
        await database.aclose()


async def test_among_several_connections_one_undo_wins_and_the_owner_keeps_the_account(
    database_url: str,
) -> None:
    """As among processes: each has a connection, and SQLite's a writing thread, of its own."""
    databases = [Database(database_url) for _ in range(3)]
    kept = [make_repositories(database) for database in databases]
    await kept[0].people.add(Person("jo", A, created_at=NOW))
    assert await kept[0].address_changes.change(FIRST)
    moved, *undone = await asyncio.gather(
        kept[2].address_changes.change(SECOND), *(undo(one, FIRST) for one in kept)
    )
    assert sorted(undone) == [False, False, True]
    assert not (moved and await undo(kept[1], SECOND))
    assert [await email_of(one) for one in kept] == [A] * 3
    for database in databases:
        await database.aclose()
