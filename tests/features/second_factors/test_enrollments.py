"""Factors that are not confirmed: bound, counted, and void by the next one (security rule 43)."""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware import MemoryStore
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.errors import RequestExpired, TooManyAttempts
from pwless_middleware.features.second_factors.enrollments import LIFETIME, Enrollments
from pwless_middleware.flows.capabilities.records import Records
from tests.support import KEY, Clock, Slow

pytestmark = pytest.mark.anyio
ID, OTHER = "A" * 21 + "Q", "B" * 21 + "Q"
JO, SESSION = "u-1", "session:s-1"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def enrollments(clock: Clock) -> Enrollments:
    keyring = Keyring(KEY, realm="test")
    records = Records(MemoryStore(), keyring, clock, feature="SecondFactors", name="totp")
    return Enrollments(records, clock)


async def test_it_is_found_by_its_holder_alone(enrollments: Enrollments) -> None:
    begun = await enrollments.begin(ID, JO, SESSION, b"seed")
    assert await enrollments.find(ID, JO, SESSION) == begun
    for id, user_id, holder in (
        (ID, JO, "session:s-2"),
        (ID, "u-2", SESSION),
        (OTHER, JO, SESSION),
        ("", JO, SESSION),
        ("ä", JO, SESSION),
    ):
        assert await enrollments.find(id, user_id, holder) is None
        with pytest.raises(RequestExpired):
            await enrollments.attempt(id, user_id, holder)


async def test_a_second_one_voids_the_first(enrollments: Enrollments) -> None:
    await enrollments.begin(ID, JO, SESSION, b"seed")
    await enrollments.begin(OTHER, JO, SESSION, b"another")
    with pytest.raises(RequestExpired):
        await enrollments.attempt(ID, JO, SESSION)
    assert (await enrollments.attempt(OTHER, JO, SESSION)).content == b"another"


async def test_it_ends_after_a_quarter_of_an_hour_however_often_it_is_tried(
    enrollments: Enrollments, clock: Clock
) -> None:
    begun = await enrollments.begin(ID, JO, SESSION, b"seed")
    clock.advance(LIFETIME - 1)
    assert (await enrollments.attempt(ID, JO, SESSION)).expires_at == begun.expires_at
    clock.advance(1)
    with pytest.raises(RequestExpired):
        await enrollments.attempt(ID, JO, SESSION)


async def test_of_any_number_of_tries_at_once_five_are_taken(enrollments: Enrollments) -> None:
    await enrollments.begin(ID, JO, SESSION, b"seed")
    tries = (enrollments.attempt(ID, JO, SESSION) for _ in range(20))
    done = await asyncio.gather(*tries, return_exceptions=True)
    left = sorted(one.tries_left for one in done if not isinstance(one, BaseException))
    assert left == [0, 1, 2, 3, 4]
    refused = [one for one in done if isinstance(one, BaseException)]
    assert all(isinstance(one, TooManyAttempts) for one in refused)
    assert refused[0].retry_after == LIFETIME  # type: ignore[attr-defined]


async def test_a_try_that_comes_in_between_is_counted_as_well(clock: Clock) -> None:
    store = Slow(MemoryStore())
    keyring = Keyring(KEY, realm="test")
    records = Records(store, keyring, clock, feature="SecondFactors", name="totp")
    enrollments = Enrollments(records, clock)
    await enrollments.begin(ID, JO, SESSION, b"seed")

    async def try_as_well() -> None:
        del store.before["swap"]
        await enrollments.attempt(ID, JO, SESSION)

    store.before["swap"] = try_as_well
    assert (await enrollments.attempt(ID, JO, SESSION)).tries_left == 3


async def test_what_was_confirmed_is_over(enrollments: Enrollments) -> None:
    begun = await enrollments.begin(ID, JO, SESSION, b"seed")
    await enrollments.end(begun)
    assert await enrollments.find(ID, JO, SESSION) is None
