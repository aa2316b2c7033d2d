"""People in the database: the contract, over every kind and the double (security rule 70)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.people.person import Person, Place
from pwless_middleware.database.database import Database
from pwless_middleware.database.people.people import PersonRepository, SQLPeople
from pwless_middleware.database.repositories import Repositories
from pwless_middleware.database.statement import Statement

pytestmark = pytest.mark.anyio

JO = Address("jo@example.com")
KIM = Address("kim@example.com")
NOW = 1_767_225_600


@pytest.fixture
def people(repositories: Repositories) -> PersonRepository:
    return repositories.people


def person(email: str = JO, id: str = "id-of-jo") -> Person:
    return Person(id, email, created_at=NOW)


def emails(found: Sequence[Person]) -> list[str]:
    return [one.email for one in found]


async def test_who_was_added_is_found_by_id_and_by_address(people: PersonRepository) -> None:
    jo = Person("id-of-jo", JO, name="Jo Ü", language="de", created_at=NOW, seen_at=NOW)
    assert await people.add(jo) == (jo, True)
    assert await people.find("id-of-jo") == await people.find_by_email(JO) == jo
    assert await people.find(JO) is await people.find_by_email(KIM) is None


async def test_several_are_found_at_once_as_far_as_they_are_there(
    people: PersonRepository,
) -> None:
    jo, kim = person(), person(KIM, "id-of-kim'\"")
    for one in (jo, kim, person("a@example.com", "other")):
        await people.add(one)
    assert await people.find_several([jo.id, "nobody", kim.id]) == {jo.id: jo, kim.id: kim}
    assert await people.find_several([]) == {}


async def test_an_address_is_one_person_s_however_often_it_is_added(
    people: PersonRepository,
) -> None:
    tries = (people.add(person(id=f"id-{number}")) for number in range(8))
    added = await asyncio.gather(*tries)
    assert len({one.id for one, _ in added}) == 1
    assert [is_new for _, is_new in added].count(True) == 1, "one of them is new"
    assert emails(await people.list()) == [JO]


async def test_an_id_that_is_another_s_is_not_given_twice(people: PersonRepository) -> None:
    """Its owner has moved to another address; whoever has the old one now is somebody else."""
    await people.add(person(KIM))
    new, _ = await people.add(person())
    assert new.id != "id-of-jo"
    assert len(new.id) == 22
    assert await people.find_by_email(JO) == new


async def test_name_and_language_are_set_left_and_taken_away(people: PersonRepository) -> None:
    await people.add(person())
    named = await people.set_profile("id-of-jo", name="Jo", language="de")
    assert named is not None
    assert (named.name, named.language) == ("Jo", "de")
    left = await people.set_profile("id-of-jo", language="")
    assert left is not None
    assert (left.name, left.language) == ("Jo", "")
    assert await people.find("id-of-jo") == left
    assert await people.set_profile("nobody", name="x") is None


async def test_disabled_since_the_first_time_until_enabled(people: PersonRepository) -> None:
    await people.add(person())
    for at in (NOW, NOW + 5):
        disabled = await people.disable("id-of-jo", at=at)
        assert disabled is not None
        assert disabled.disabled_at == NOW
        assert disabled.is_disabled
    assert await people.find("id-of-jo") == disabled
    assert await people.enable("id-of-jo") == person()
    assert await people.disable("nobody", at=NOW) is await people.enable("nobody") is None


async def test_who_was_deleted_is_gone_and_their_id_is_nobody_s_again(
    people: PersonRepository,
) -> None:
    await people.add(person())
    assert not await people.was_deleted("id-of-jo")
    assert await people.delete("id-of-jo", retired=["derived"])
    assert await people.find("id-of-jo") is await people.find_by_email(JO) is None
    assert await people.was_deleted("id-of-jo")
    assert await people.was_deleted("derived")
    assert not await people.was_deleted("another")
    assert not await people.delete("id-of-jo")
    for id in ("id-of-jo", "derived"):
        back, _ = await people.add(person(id=id))
        assert back.id not in ("id-of-jo", "derived")
        assert await people.find_by_email(JO) == await people.find(back.id) == back
        await people.delete(back.id)


async def test_who_has_no_row_can_be_deleted_before_they_are_met(
    people: PersonRepository,
) -> None:
    assert not await people.delete("id-of-jo")
    back, _ = await people.add(person())
    assert back.id != "id-of-jo"


async def test_people_are_listed_by_address_page_by_page(people: PersonRepository) -> None:
    names = ["a_b", "ab", "a-b", "abc", "b", "a%b", "a"]
    for name in names:
        await people.add(person(f"{name}@example.com", f"id-{name}"))
    everybody = sorted(f"{name}@example.com" for name in names)
    assert emails(await people.list()) == everybody
    first = await people.list(limit=3)
    assert emails(first) == everybody[:3]
    assert emails(await people.list(after=first[-1].email, limit=3)) == everybody[3:6]
    with_ab = [email for email in everybody if email.startswith("ab")]
    assert emails(await people.list(prefix="ab")) == with_ab
    assert emails(await people.list(prefix="ab", after=with_ab[0])) == with_ab[1:]
    assert emails(await people.list(prefix="a_")) == ["a_b@example.com"]
    assert emails(await people.list(prefix="A")) == []


async def test_a_page_back_ends_where_the_other_began(people: PersonRepository) -> None:
    for name in "abcdef":
        await people.add(person(f"{name}@example.com", f"id-{name}"))
        if name in "bdf":
            await people.disable(f"id-{name}", at=NOW)

    async def initials(**asked: Any) -> str:
        return "".join(email[0] for email in emails(await people.list(**asked)))

    assert await initials(before="e@example.com", limit=2) == "cd"
    assert await initials(before="b@example.com", limit=2) == "a"
    assert await initials(before="e@example.com", prefix="b") == "b"
    assert await initials(disabled=True) == "bdf"
    assert await initials(disabled=True, after="b@example.com", limit=1) == "d"
    assert await initials(disabled=True, before="f@example.com", limit=1) == "d"
    assert await initials(disabled=True, prefix="d") == "d"


async def test_people_are_listed_as_they_came_also_within_a_second(
    people: PersonRepository,
) -> None:
    for number, name in enumerate("abcdef"):
        new = Person(f"id-{name}", f"{name}@example.com", created_at=NOW + number // 2)
        await people.add(new)

    async def initials(**asked: Any) -> str:
        return "".join(email[0] for email in emails(await people.newest(**asked)))

    assert await initials() == "fedcba"
    first = await people.newest(limit=3)
    assert await initials(after=first[-1].place, limit=2) == "cb"
    assert await initials(before=first[-1].place, limit=1) == "e"
    assert await initials(before=first[0].place) == ""
    assert await initials(after=Place(NOW, "")) == ""


async def test_being_seen_never_goes_back_in_time(people: PersonRepository) -> None:
    await people.add(person())
    for at, seen in ((NOW, NOW), (NOW + 9, NOW + 9), (NOW + 5, NOW + 9)):
        await people.touch({"id-of-jo": at, "nobody": at})
        found = await people.find("id-of-jo")
        assert found is not None
        assert found.seen_at == seen


# --- from several processes ----------------------------------------------------------------------


@pytest.fixture
async def several(database_url: str) -> AsyncIterator[list[SQLPeople]]:
    """Four repositories over one database, each with connections of its own."""
    databases = [Database(database_url) for _ in range(4)]
    for one in databases:
        await one.open()
    yield [SQLPeople(one) for one in databases]
    for one in databases:
        await one.aclose()


async def test_processes_that_add_one_address_make_one_person(several: list[SQLPeople]) -> None:
    for number in range(5):
        email = f"{number}@example.com"
        tries = [people.add(person(email, f"{number}-{n}")) for n, people in enumerate(several * 2)]
        added = await asyncio.gather(*tries)
        assert len({one.id for one, _ in added}) == 1
        assert [is_new for _, is_new in added].count(True) == 1


async def test_an_id_that_is_deleted_as_it_is_added_is_not_given_again(
    several: list[SQLPeople],
) -> None:
    """Of what happens together, each comes before the other or after it."""
    first, *others = several
    for number in range(5):
        id, email = f"id-{number}", f"{number}@example.com"
        await asyncio.gather(first.delete(id), *(one.add(person(email, id)) for one in others))
        assert await first.was_deleted(id)
        assert await first.find(id) is None
        back, _ = await first.add(person(email, id))
        assert back.id != id


# --- with their events ---------------------------------------------------------------------------


async def test_each_change_is_written_with_its_event_and_no_change_with_none(
    repositories: Repositories,
) -> None:
    people = repositories.people
    changes: list[tuple[str, Callable[[Event], Awaitable[object]]]] = [
        ("added", lambda audit: people.add(person(), audit=audit)),
        ("", lambda audit: people.add(person(), audit=audit)),
        ("named", lambda audit: people.set_profile("id-of-jo", name="Jo", audit=audit)),
        ("", lambda audit: people.set_profile("nobody", name="Jo", audit=audit)),
        ("disabled", lambda audit: people.disable("id-of-jo", at=NOW, audit=audit)),
        ("", lambda audit: people.disable("nobody", at=NOW, audit=audit)),
        ("enabled", lambda audit: people.enable("id-of-jo", audit=audit)),
        ("deleted", lambda audit: people.delete("id-of-jo", audit=audit)),
    ]
    for number, (name, change) in enumerate(changes):
        id = format_event_id(NOW, number)
        await change(Event(at=NOW, kind=f"test.{name or 'nothing'}", id=id, by="python"))
    written = await repositories.events.find(EventFilter(), after=-1)
    kinds = [stored.event.kind.removeprefix("test.") for stored in written]
    assert kinds == [name for name, _ in changes if name]
    assert written[0].event.user_id == "id-of-jo", "who was added may have got another id"


# --- what stays ----------------------------------------------------------------------------------

ALL_DELETED = Statement("SELECT digest FROM pwless_deleted_people")


async def test_what_stays_of_somebody_deleted_is_of_no_use_in_another_database(
    database: Database, tmp_path: object
) -> None:
    people = SQLPeople(database)
    await people.delete("id-of-jo")
    [(digest,)] = await database.fetch(ALL_DELETED())
    other = Database(f"sqlite:///{tmp_path}/other.db")
    await SQLPeople(other).delete("id-of-jo")
    [(other_digest,)] = await other.fetch(ALL_DELETED())
    await other.aclose()
    assert digest != other_digest
