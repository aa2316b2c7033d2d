"""Second factors that go, and what goes with them: over every kind and the double in memory."""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.people.factor import Factor, FactorState, TrustedBrowser
from pwless_middleware.database.repositories import Repositories
from tests.factors import MADE_AT, make_browser, make_factor, make_phone

pytestmark = pytest.mark.anyio


async def fill(repositories: Repositories, *made: Factor) -> None:
    """Keep these, and for each of their users two recovery codes and a browser."""
    for one in made:
        assert await repositories.factors.add(one, most=10, may_be_alone=True) == "added"
    for user_id in sorted({one.user_id for one in made}):
        await repositories.recovery_codes.set(user_id, [b"1", b"2"], at=MADE_AT)
        await trust(repositories, make_browser(user_id, id=first_browser(user_id)))


def first_browser(user_id: str) -> bytes:
    """Return the id of the browser that a user has from `fill`."""
    return user_id.encode().ljust(16)


async def trust(repositories: Repositories, browser: TrustedBrowser) -> None:
    state = await repositories.factors.state(browser.user_id)
    assert await repositories.trusted_browsers.trust(browser, generation=state.generation)


async def count(repositories: Repositories, user_id: str = "jo") -> tuple[int, int, int]:
    """Return how many factors, recovery codes and trusted browsers a user has."""
    state = await repositories.factors.state(user_id)
    browsers = await repositories.trusted_browsers.list(user_id, now=MADE_AT)
    return len(state.factors), state.recovery_codes, len(browsers)


async def remove(
    repositories: Repositories, id: str, *, keeps_last: bool = False, has_passkey: bool = False
) -> str:
    return await repositories.factors.remove(
        "jo", id, keeps_last=keeps_last, has_passkey=has_passkey
    )


async def test_a_user_removes_their_own_alone(repositories: Repositories) -> None:
    one, other = make_factor(), make_factor("kim", 2)
    await fill(repositories, one, make_factor(number=3), other)
    assert await remove(repositories, other.id) == "absent"
    assert await remove(repositories, "unknown") == "absent"
    assert await count(repositories) == (2, 2, 1)
    assert await remove(repositories, one.id) == "removed"
    assert await remove(repositories, one.id) == "absent"
    assert await count(repositories, "kim") == (1, 2, 1)
    assert (await repositories.factors.state("kim")).generation == 0


async def test_no_browser_is_trusted_after_a_removal(repositories: Repositories) -> None:
    """Not those that were, nor one whose login began before (security rule 45)."""
    await fill(repositories, make_factor(), make_factor(number=2))
    generation = (await repositories.factors.state("jo")).generation
    assert await remove(repositories, make_factor().id) == "removed"
    assert await repositories.trusted_browsers.find(first_browser("jo")) is None
    browsers = repositories.trusted_browsers
    assert not await browsers.trust(make_browser(number=7), generation=generation)
    assert await count(repositories) == (1, 2, 0)
    await trust(repositories, make_browser(number=8))


async def test_recovery_codes_go_with_the_last_factor(repositories: Repositories) -> None:
    """Else those of years ago open whatever the person enrolls next (security rule 44)."""
    await fill(repositories, make_factor(), make_factor(number=2))
    assert await remove(repositories, make_factor().id) == "removed"
    assert await count(repositories) == (1, 2, 0)
    assert await remove(repositories, make_factor(number=2).id) == "removed"
    assert await count(repositories) == (0, 0, 0)


async def test_a_passkey_keeps_the_recovery_codes(repositories: Repositories) -> None:
    await fill(repositories, make_factor())
    assert await remove(repositories, make_factor().id, has_passkey=True) == "removed"
    assert await count(repositories) == (0, 2, 0)
    await repositories.factors.raise_generation("jo")
    assert await count(repositories) == (0, 2, 0)
    await repositories.factors.raise_generation("jo", has_passkey=False)
    assert await count(repositories) == (0, 0, 0)


async def test_a_passkey_that_goes_takes_the_trust_and_no_factor(
    repositories: Repositories,
) -> None:
    await fill(repositories, make_factor(), make_factor("kim", 2))
    await repositories.factors.raise_generation("jo", has_passkey=False)
    assert await count(repositories) == (1, 2, 0)
    assert await count(repositories, "kim") == (1, 2, 1)


async def test_the_last_factor_stays_where_one_is_required(repositories: Repositories) -> None:
    one, other = make_factor(), make_factor(number=2)
    await fill(repositories, one, other, make_factor("kim", 3))
    assert await remove(repositories, one.id, keeps_last=True) == "removed"
    assert await remove(repositories, other.id, keeps_last=True) == "last"
    assert await count(repositories) == (1, 2, 0)
    assert await remove(repositories, other.id, keeps_last=True, has_passkey=True) == "removed"


async def test_phone_numbers_are_not_left_alone(repositories: Repositories) -> None:
    """An SMS is never the only second factor (security rule 47)."""
    app, second = make_factor(), make_factor(number=2)
    await fill(repositories, app, second, make_phone(number=3), make_phone(number=4))
    assert await remove(repositories, app.id) == "removed"
    assert await remove(repositories, second.id) == "alone"
    assert await count(repositories) == (3, 2, 0)
    assert await remove(repositories, second.id, has_passkey=True) == "removed"
    # They are alone by now; without one of them the other is no more alone than before.
    assert await remove(repositories, make_phone(number=3).id) == "removed"
    assert await remove(repositories, make_phone(number=4).id) == "removed"
    assert await count(repositories) == (0, 0, 0)


async def test_a_reset_removes_all_of_one_user(repositories: Repositories) -> None:
    await fill(repositories, make_factor(), make_phone(number=2), make_factor("kim", 3))
    assert await repositories.factors.remove_all("jo") == 2
    assert await count(repositories) == (0, 0, 0)
    assert await repositories.factors.remove_all("jo") == 0
    assert await count(repositories, "kim") == (1, 2, 1)
    browsers = repositories.trusted_browsers
    assert not await browsers.trust(make_browser(number=7), generation=0)


async def test_what_was_made_since_a_second_is_removed_and_that_second_counts(
    repositories: Repositories,
) -> None:
    """Whoever changes the address and adds a factor at once has no way in after the undo."""
    factors, since = repositories.factors, MADE_AT + 60
    before, same, after = (
        make_factor(number=number, created_at=since + at)
        for number, at in ((1, -1), (2, 0), (3, 1))
    )
    await fill(repositories, before, same, after, make_factor("kim", 4, created_at=since))
    await repositories.recovery_codes.set("jo", [b"3"], at=since)
    assert await factors.remove_since("jo", since) == 2
    assert (await factors.state("jo")) == FactorState(factors=(before,), generation=1)
    assert await count(repositories) == (1, 0, 0)
    assert await count(repositories, "kim") == (1, 2, 1)
    assert await factors.remove_since("jo", since) == 0


async def test_what_was_made_before_stays(repositories: Repositories) -> None:
    """As the owner had it; but no browser is trusted that was not before."""
    await fill(repositories, make_factor())
    await trust(repositories, make_browser(number=2))
    since = make_browser(number=2).created_at
    assert await repositories.factors.remove_since("jo", since) == 0
    assert await count(repositories) == (1, 2, 1)
    assert await repositories.trusted_browsers.find(first_browser("jo")) is not None


async def test_the_event_of_a_change_stands_and_falls_with_it(repositories: Repositories) -> None:
    factors = repositories.factors
    ids = iter(range(100))
    is_told: dict[str, bool] = {}

    def audit(*, is_written: bool) -> Event:
        id = format_event_id(MADE_AT, next(ids))
        is_told[id] = is_written
        return Event(at=MADE_AT, kind="factor.changed", id=id)

    one = make_factor()
    for is_written in (True, False):
        told = audit(is_written=is_written)
        await factors.add(one, most=1, may_be_alone=True, audit=told)
        await factors.rename(
            "jo", one.id if is_written else "x", "A", audit=audit(is_written=is_written)
        )
    for keeps_last, is_written in ((True, False), (False, True), (False, False)):
        told = audit(is_written=is_written)
        await factors.remove("jo", one.id, keeps_last=keeps_last, has_passkey=False, audit=told)
    for is_written in (True, False):
        if is_written:
            await fill(repositories, one)
        await factors.remove_all("jo", audit=audit(is_written=is_written))
    for is_written in (True, False):
        if is_written:
            await fill(repositories, one)
        await factors.remove_since("jo", MADE_AT, audit=audit(is_written=is_written))
    # Where there is no factor, what else goes is told too.
    for verb in (
        factors.remove_all,
        lambda user, audit: factors.remove_since(user, 0, audit=audit),
    ):
        await repositories.recovery_codes.set("jo", [b"1"], at=MADE_AT)
        await verb("jo", audit=audit(is_written=True))
        await trust(repositories, make_browser(number=9))
        await verb("jo", audit=audit(is_written=True))
    found = await repositories.events.find(EventFilter())
    assert {stored.event.id for stored in found} == {id for id, told in is_told.items() if told}


# --- at once -------------------------------------------------------------------------------------


async def test_the_last_two_are_not_both_removed(parallel: list[Repositories]) -> None:
    for place, user in enumerate(("ann", "jo", "kim"), 1):
        two = [make_factor(user, 10 * place + number) for number in range(2)]
        await fill(parallel[0], *two)
        tries = (
            each.factors.remove(user, one.id, keeps_last=True, has_passkey=False)
            for each, one in zip(parallel, two * 2, strict=True)
        )
        outcomes = await asyncio.gather(*tries)
        assert outcomes.count("removed") == 1, outcomes
        assert await count(parallel[0], user) == (1, 2, 0)


async def test_no_phone_number_slips_in_while_the_last_app_goes(
    parallel: list[Repositories],
) -> None:
    """Whatever comes first, an SMS is not the only second factor afterwards."""
    for place in range(5):
        user = f"user-{place}"
        app, phone = make_factor(user, 10 * place), make_phone(user, 10 * place + 1)
        await fill(parallel[0], app)
        added, removed = await asyncio.gather(
            parallel[1].factors.add(phone, most=10, may_be_alone=False),
            parallel[2].factors.remove(user, app.id, keeps_last=False, has_passkey=False),
        )
        assert (added, removed) in [("added", "alone"), ("alone", "removed")]


async def test_no_browser_is_trusted_behind_the_back_of_a_removal(
    parallel: list[Repositories],
) -> None:
    """A login that has proven a factor asks to be trusted while the owner removes that factor."""
    for place in range(5):
        user = f"user-{place}"
        app = make_factor(user, 1 + 2 * place)
        await fill(parallel[0], app)
        number = 10 * place
        trusting = [
            each.trusted_browsers.trust(make_browser(user, number + n), generation=0)
            for n, each in enumerate(parallel[1:], 1)
        ]
        await asyncio.gather(
            *trusting[:2],
            parallel[0].factors.remove(user, app.id, keeps_last=False, has_passkey=True),
            trusting[2],
        )
        assert await count(parallel[0], user) == (0, 2, 0)


async def test_two_sets_of_recovery_codes_at_once_do_not_mix(
    parallel: list[Repositories],
) -> None:
    await fill(parallel[0], make_factor())
    await asyncio.gather(
        parallel[1].recovery_codes.set("jo", [b"a", b"b", b"c"], at=MADE_AT),
        parallel[2].recovery_codes.set("jo", [b"d", b"e", b"f"], at=MADE_AT),
        parallel[3].factors.remove_all("jo"),
    )
    factors, codes, browsers = await count(parallel[0])
    assert (factors, browsers) == (0, 0)
    assert codes in (0, 3)
