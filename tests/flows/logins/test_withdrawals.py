"""What a removed factor had proven counts no more in any session (security rule 46)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from secrets import token_hex
from typing import Any

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.errors import RequestExpired, StepRequired, StoreError, Unauthenticated
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.kit import (
    Authentication,
    Caller,
    Kit,
    Login,
    Mounted,
    Proof,
    Session,
    Step,
    StepProof,
    parse_address,
)
from pwless_middleware.stores.base import Store
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.stores.redis import RedisStore
from pwless_middleware.stores.sql import SQLStore
from tests.support import KEY, OTHER_KEY, Browser, Clock, Site, Slow, make_site

pytestmark = pytest.mark.anyio
CALLER = Caller()
ADDRESS = "jo@example.com"


class Keys:
    """Sign in whoever says so, by a method of a name; ask for a step where that is set."""

    def __init__(self, method: str, factors: tuple[str, ...] = ()) -> None:
        self.name = f"Keys_{method}"
        self.method = method
        self.factors = factors
        self.steps: tuple[str, ...] = ()

    def mount(self, kit: Kit) -> Mounted:
        self.kit = kit
        return Mounted(proves=(self.method,), before_session=(self._rule,))

    async def _rule(self, login: Login) -> Step | None:
        return Step(self.steps, "/step") if self.steps else None

    def _proven(self) -> Authentication:
        return Authentication(self.method, self.kit.clock(), self.factors, bool(self.factors))

    def _proof(self, email: str) -> Proof:
        address = parse_address(email)
        assert address is not None
        return Proof(
            subject=address,
            authentication=self._proven(),
            takes=None,
            refusal=Unauthenticated(),
            may_create=True,
        )

    async def sign_in(self, email: str = ADDRESS) -> LoginResult:
        return await self.kit.logins.finish(self._proof(email), CALLER)

    async def step_up(self, session: Session) -> LoginResult:
        return await self.kit.logins.step_up(self._proof(session.email), CALLER, session)

    async def do_step(self, login_id: str) -> LoginResult:
        async def check(_: Login) -> StepProof:
            return StepProof(self._proven())

        caller = Caller(pending=login_id)
        return await self.kit.logins.do_step(login_id, self.method, caller, check)


class Process:
    """One process of the site: a cache and a connection of its own, the store of all."""

    def __init__(self, store: Any, clock: Clock, **options: Any) -> None:
        self.key = Keys("key", ("key", "pin"))
        self.word = Keys("word")
        options = {"features": [self.key, self.word], **options}
        self.site: Site = make_site(store=store, clock=clock, **options)
        self.sessions = self.site.passwordless.sessions

    def browser(self, result: LoginResult) -> Browser:
        browser = self.site.browser()
        browser.cookies[browser.cookie_name()] = result.cookie
        return browser

    async def seen(self, browser: Browser) -> tuple[str, tuple[str, ...]] | None:
        """Return what a session is worth to the app, and its methods; `None` where it is over."""
        if await browser.who() is None:
            return None
        session: Session = self.site.inner.scope["state"]["session"]
        return session.strength, session.methods

    async def both(self) -> LoginResult:
        """Return a session that both methods have proven."""
        return await self.word.step_up((await self.key.sign_in()).session)


@pytest.fixture(params=["memory", "sqlite", "postgresql", "redis"])
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[Sequence[Store]]:
    """Two stores that keep the same data, as two processes have them."""
    if request.param == "memory":
        yield [MemoryStore()] * 2
        return
    made: list[Store]
    if request.param == "redis":
        url, prefix = request.getfixturevalue("redis_url"), f"test-{token_hex(8)}"
        made = [RedisStore(url, prefix=prefix) for _ in range(2)]
    else:
        url = request.getfixturevalue("make_database_url")(request.param)
        made = [SQLStore(Database(url)) for _ in range(2)]
    for store in made:
        await store.open()
    yield made
    for store in made:
        await store.aclose()


@pytest.fixture
def pair(stores: Sequence[Store]) -> list[Process]:
    """Two processes."""
    clock = Clock()
    return [Process(store, clock) for store in stores]


async def soon(process: Process, browser: Browser, wanted: object) -> None:
    """Wait until another process sees a session so; for 100 ms, and what a busy machine adds."""
    for _ in range(100):
        if await process.seen(browser) == wanted:
            return
        await asyncio.sleep(0.02)
    assert await process.seen(browser) == wanted


async def test_every_session_loses_the_proof_here_at_once_and_elsewhere_soon(
    pair: list[Process],
) -> None:
    here, there = pair
    alone, both = await here.key.sign_in(), await here.both()
    other = await here.word.sign_in()
    kim = await here.key.sign_in("kim@example.com")
    visitors = [
        (process.browser(alone), process.browser(both), process.browser(other))
        for process in (here, there)
    ]
    for process, browsers in zip(pair, visitors, strict=True):
        assert [await process.seen(browser) for browser in browsers] == [
            ("phishing_resistant", ("key",)),
            ("phishing_resistant", ("key", "word")),
            ("any", ("word",)),
        ]
    await here.sessions.withdraw(alone.user.id, "key")
    wanted = [None, ("any", ("word",)), ("any", ("word",))]
    assert [await here.seen(browser) for browser in visitors[0]] == wanted
    for browser, then in zip(visitors[1], wanted, strict=True):
        await soon(there, browser, then)
    assert await here.seen(here.browser(kim)) == ("phishing_resistant", ("key",))
    await here.sessions.withdraw(alone.user.id, "key")
    assert await here.seen(visitors[0][1]) == ("any", ("word",)), "called again"


async def test_the_own_session_goes_on_and_is_worth_nothing_more(pair: list[Process]) -> None:
    here, _ = pair
    own, other = await here.key.sign_in(), await here.key.sign_in()
    await here.sessions.withdraw(own.user.id, "key", but=own.session)
    browser = here.browser(own)
    assert await here.seen(browser) == ("any", ("withdrawn",))
    assert await here.seen(here.browser(other)) is None
    live = here.site.inner.scope["state"]["session"]
    assert live.authenticated_at == own.session.authenticated_at
    renewed = await here.word.step_up(live)
    assert renewed.session.methods == ("word",)
    assert renewed.session.strength == "any"


async def test_while_another_factor_of_the_kind_is_left_the_own_session_keeps_its_worth(
    pair: list[Process],
) -> None:
    here, _ = pair
    own, both = await here.key.sign_in(), await here.both()
    await here.sessions.withdraw(own.user.id, "key", but=own.session, is_last=False)
    assert await here.seen(here.browser(own)) == ("phishing_resistant", ("key",))
    assert await here.seen(here.browser(both)) == ("any", ("word",))


async def test_an_own_session_that_more_had_proven_loses_only_the_one(pair: list[Process]) -> None:
    here, _ = pair
    both = await here.both()
    await here.sessions.withdraw(both.user.id, "key", but=both.session)
    assert await here.seen(here.browser(both)) == ("any", ("word",))


async def test_a_login_that_waits_for_a_step_with_the_proof_never_becomes_a_session(
    pair: list[Process],
) -> None:
    here, there = pair
    user_id = (await here.word.sign_in()).user.id
    here.key.steps = ("word",)
    with pytest.raises(StepRequired) as by_key:
        await here.key.sign_in()
    here.key.steps = ("key",)
    with pytest.raises(StepRequired) as by_word:
        await here.word.sign_in()
    here.key.steps = ()
    await there.sessions.withdraw(user_id, "key")
    with pytest.raises(RequestExpired):
        await here.word.do_step(by_key.value.login_id)
    await here.key.do_step(by_word.value.login_id)  # what is proven from now on counts


async def test_a_session_may_be_used_at_the_same_time(pair: list[Process]) -> None:
    """A read that finds it due writes it: none of the two brings back the other's."""
    here, there = pair
    results = [await here.both() for _ in range(4)]
    here.site.clock.advance(86400)
    browsers = [process.browser(result) for result in results for process in pair]
    await asyncio.gather(
        *(browser.who() for browser in browsers), there.sessions.withdraw(results[0].user.id, "key")
    )
    left = await here.sessions.list(results[0].user.id)
    assert [one.methods for one in left] == [("word",)] * 4


async def test_no_renewal_at_the_same_time_carries_the_proof_on(pair: list[Process]) -> None:
    here, there = pair
    sessions = [(await here.both()).session for _ in range(6)]
    outcomes = await asyncio.gather(
        *(pair[n % 2].word.step_up(session) for n, session in enumerate(sessions)),
        there.sessions.withdraw(sessions[0].user_id, "key"),
        return_exceptions=True,
    )
    unexpected = [
        one
        for one in outcomes
        if isinstance(one, BaseException) and not isinstance(one, Unauthenticated)
    ]
    assert not unexpected
    left = await here.sessions.list(sessions[0].user_id)
    assert {one.methods for one in left} <= {("word",)}


# --- the races, one by one -----------------------------------------------------------------------


def slow_process() -> tuple[Process, Process, Slow]:
    """Return a process whose store can be stopped, another beside it, and that store."""
    store, clock = Slow(MemoryStore()), Clock()
    return Process(store, clock), Process(store.store, clock), store


async def paused(store: Slow, when: str, verb: str, work: Any, then: Any) -> Any:
    """Stop a task before or after a verb of the store, do something else, and let it go on."""
    reached, goes_on = asyncio.Event(), asyncio.Event()
    hooks = getattr(store, when)

    async def pause() -> None:
        del hooks[verb]
        reached.set()
        await goes_on.wait()

    hooks[verb] = pause
    task = asyncio.create_task(work)
    await reached.wait()
    await then
    goes_on.set()
    return await asyncio.gather(task, return_exceptions=True)


async def test_a_renewal_that_has_read_the_session_before_is_undone() -> None:
    here, there, store = slow_process()
    session = (await here.both()).session
    withdrawal = there.sessions.withdraw(session.user_id, "key")
    (outcome,) = await paused(store, "before", "take", here.word.step_up(session), withdrawal)
    assert isinstance(outcome, Unauthenticated)
    assert await there.sessions.list(session.user_id) == []


async def test_a_renewal_that_waits_for_a_step_and_has_read_the_session_before_is_undone() -> None:
    here, there, store = slow_process()
    session = (await here.both()).session
    here.key.steps = ("other",)
    withdrawal = there.sessions.withdraw(session.user_id, "key")
    (outcome,) = await paused(store, "before", "write", here.word.step_up(session), withdrawal)
    assert isinstance(outcome, Unauthenticated)
    assert not _keys(store.store, "p", 16)
    assert [one.methods for one in await there.sessions.list(session.user_id)] == [("word",)]


async def test_a_renewal_that_was_written_first_loses_the_proof() -> None:
    here, there, store = slow_process()
    session = (await here.both()).session
    withdrawal = there.sessions.withdraw(session.user_id, "key")
    (outcome,) = await paused(store, "after", "take", here.word.step_up(session), withdrawal)
    assert isinstance(outcome, LoginResult)
    assert [one.methods for one in await there.sessions.list(session.user_id)] == [("word",)]


async def test_a_fresh_proof_by_a_new_factor_of_the_kind_renews_the_own_session() -> None:
    """At the same second as the old one: what counts is which was withdrawn."""
    here, _, _ = slow_process()
    own = await here.both()
    await here.sessions.withdraw(own.user.id, "key", but=own.session)
    live = (await here.sessions.list(own.user.id))[0]
    renewed = await here.key.step_up(live)
    assert renewed.session.methods == ("word", "key")


class Distant:
    """A feed that is live and from which nothing has arrived yet."""

    epoch = 0

    def is_live(self) -> bool:
        return True

    def subscribe(self, on_drop: Any) -> None:
        pass


def process_at_a_distance() -> tuple[Process, Slow]:
    store = Slow(MemoryStore())
    store.feed = Distant()
    return Process(store, Clock()), store


async def test_here_it_counts_no_more_before_the_store_has_told_so() -> None:
    here, _ = process_at_a_distance()
    result = await here.both()
    browser = here.browser(result)
    assert await here.seen(browser) == ("phishing_resistant", ("key", "word"))
    await here.sessions.withdraw(result.user.id, "key")
    assert await here.seen(browser) == ("any", ("word",))


async def test_a_read_in_flight_is_not_kept() -> None:
    here, store = process_at_a_distance()
    result = await here.both()
    browser = here.browser(result)
    withdrawal = here.sessions.withdraw(result.user.id, "key")
    await paused(store, "after", "read", here.seen(browser), withdrawal)
    assert await here.seen(browser) == ("any", ("word",))


async def test_a_withdrawal_that_fails_midway_is_asked_about_again_and_can_be_repeated() -> None:
    here, _, store = slow_process()
    first, second = await here.both(), await here.both()
    browsers = [here.browser(first), here.browser(second)]
    for browser in browsers:
        await here.seen(browser)

    async def fail() -> None:
        raise StoreError("no connection")

    store.after["swap"] = fail  # the first is written, and the answer lost
    with pytest.raises(StoreError):
        await here.sessions.withdraw(first.user.id, "key")
    store.after.clear()
    found = [await here.seen(browser) for browser in browsers]
    assert ("any", ("word",)) in found, "what was rewritten is not held any more"
    await here.sessions.withdraw(first.user.id, "key")
    assert [await here.seen(browser) for browser in browsers] == [("any", ("word",))] * 2


async def test_a_session_of_an_older_key_is_rewritten_under_that_key() -> None:
    store, clock = MemoryStore(), Clock()
    result = await Process(store, clock, secret_key=[KEY]).both()
    rolled = Process(store, clock, secret_key=[KEY, OTHER_KEY])
    await rolled.sessions.withdraw(result.user.id, "key")
    assert await rolled.seen(rolled.browser(result)) == ("any", ("word",))


async def test_a_session_whose_record_cannot_be_read_ends() -> None:
    """Another process may have the key that this one lacks: what it reads may be the proof."""
    store, clock = MemoryStore(), Clock()
    ahead = Process(store, clock, secret_key=[KEY, OTHER_KEY])
    result = await ahead.both()
    await Process(store, clock, secret_key=[KEY]).sessions.withdraw(result.user.id, "key")
    assert await ahead.seen(ahead.browser(result)) is None


async def test_it_is_told_which_sessions_ended_by_it() -> None:
    events: list[Any] = []
    process = Process(MemoryStore(), Clock(), on_event=events.append)
    alone = await process.key.sign_in()
    await process.both()
    await process.sessions.withdraw(alone.user.id, "key")
    await asyncio.sleep(0)
    ended = [event for event in events if event.kind == "session.ended"]
    assert [(event.session, event.reason) for event in ended[-1:]] == [
        (alone.session.id, "withdrawn")
    ]


def _keys(store: Store, letter: str, size: int) -> list[str]:
    assert isinstance(store, MemoryStore)
    return [key for key in store._records if key[24:25] == letter and len(key) == 25 + size]
