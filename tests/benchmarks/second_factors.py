"""Second factors: the CPU of a login by mail and app, beside one by mail alone in the same turn.

People and their factors are in a SQLite file; sessions and challenges are in memory, or in that
file. Everybody has a browser and a client address of their own; 16 logins are under way at a time.
The codes of the app are made beforehand, by an authenticator of another author; what is measured is
the verify of the mailed code, and the step after it. The clock is the tests', so that each login
has a code that was never used.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from secrets import token_bytes

import mintotp

from pwless_middleware import Database, EmailLogin, MemoryStore, PasswordlessMiddleware, SQLStore
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.features.second_factors import SecondFactors
from pwless_middleware.features.second_factors.totp.codes import (
    PERIOD,
    find_counter,
    make_secret,
    write_secret,
)
from pwless_middleware.pytest_plugin.clock import Clock
from pwless_middleware.stores.base import Store
from tests.benchmarks.apps.ours import wrap
from tests.benchmarks.asgi import Answer, jar, post
from tests.benchmarks.figures import Options, Samples, Table
from tests.benchmarks.logins import people, side_by_side
from tests.benchmarks.targets import Place, Target

_VERIFY, _STEP = "/auth/api/v1/passwordless/email/verify", "/auth/api/v1/step"
_JSON = b"application/json"
_STORES = ("memory", "SQLite")
Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Bench:
    """One deployment, and its clock."""

    target: Target
    clock: Clock

    @property
    def app(self) -> PasswordlessMiddleware:
        app = self.target.app
        assert isinstance(app, PasswordlessMiddleware)
        return app


@dataclass(frozen=True)
class Person:
    """Somebody who has asked for a mail, with the code of it, and the secret of their app."""

    client: str
    request_id: str
    cookie: bytes
    code: str
    secret: str = ""


@dataclass
class Turns:
    """CPU microseconds of each thing, one number a round."""

    alone: Samples = field(default_factory=Samples)
    both: Samples = field(default_factory=Samples)
    compared: Samples = field(default_factory=Samples)


def make_bench(name: str, place: Place) -> Bench:
    """Return ours, with mails and second factors."""
    database = Database(f"sqlite:///{place.folder}/factors-{name}.db")
    store: Store = MemoryStore(max_entries=10_000_000, max_jobs=1_000_000)
    if name == "SQLite":
        store = SQLStore(database, max_jobs=10_000_000)
    clock = Clock()
    features = [EmailLogin(), SecondFactors()]
    return Bench(wrap(store, place, database=database, features=features, clock=clock), clock)


async def measure(options: Options) -> list[Table]:
    """Measure each store."""
    benches = {name: make_bench(name, options.place) for name in _STORES}
    found = {name: Turns() for name in _STORES}
    for number in range(-1, options.rounds):
        options.say(f"second factors, round {number + 1} of {options.rounds}")
        for name, bench in benches.items():
            await turn(bench, options.logins, found[name] if number >= 0 else Turns())
    for bench in benches.values():
        await bench.target.aclose()
    return [_table(found)]


async def turn(bench: Bench, logins: int, into: Turns) -> None:
    """Sign people in by mail, and as many by mail and app."""
    without, who = people(logins), people(logins)
    secrets = [await enroll(bench, email) for email, _ in who]
    bench.clock.advance(4 * PERIOD)
    alone = await ask(bench, without, [""] * logins)
    both = await ask(bench, who, secrets)
    gc.collect()
    into.alone.add(await _cpu(lambda: _sign_all_in(bench, alone), logins))
    into.both.add(await _cpu(lambda: _sign_all_in(bench, both), logins))
    secret, now = make_secret(), bench.clock.now

    async def compare() -> None:
        for _ in range(logins):
            find_counter(secret, "000000", now=now)

    into.compared.add(await _cpu(compare, logins))


async def enroll(bench: Bench, email: str) -> str:
    """Make a person with an authenticator app, without a mail that tells; return its secret."""
    passwordless = bench.app.passwordless
    person = await passwordless.people.create(email, by="python")
    stored = passwordless.verbs(SecondFactors)._flow.stored
    repositories = passwordless._kit.repositories
    assert repositories is not None
    id, secret = b64(token_bytes(16)), make_secret()
    kept = stored.encrypt(id, person.id, secret)
    factor = Factor(id=id, user_id=person.id, kind="totp", secret=kept, created_at=bench.clock.now)
    assert await repositories.factors.add(factor, most=10, may_be_alone=True) == "added"
    return write_secret(secret)


async def ask(bench: Bench, who: Sequence[tuple[str, str]], secrets: Sequence[str]) -> list[Person]:
    """Send each of them a mail, and read it."""
    login, catch = bench.target.login, bench.target.catch
    assert login is not None
    assert catch is not None
    catch.texts.clear()
    brought = [json.loads(await login.send(email, client)) for email, client in who]
    while len(catch.texts) < len(who):  # noqa: ASYNC110  # the worker has no event for this
        await asyncio.sleep(0.001)
    return [
        Person(client, id, cookie.encode(), catch.code(email), secret)
        for (id, cookie), (email, client), secret in zip(brought, who, secrets, strict=True)
    ]


async def _sign_all_in(bench: Bench, persons: Sequence[Person]) -> None:
    codes = {
        person: mintotp.hotp(person.secret, bench.clock.now // PERIOD)
        for person in persons
        if person.secret
    }

    def work(person: Person) -> Work:
        return lambda: _sign_in(bench, person, codes.get(person))

    await side_by_side([work(person) for person in persons])


async def _sign_in(bench: Bench, person: Person, code: str | None) -> None:
    body = {"auth_request_id": person.request_id, "code": person.code}
    answer = await _post(bench, _VERIFY, body, person, person.cookie)
    if code is None:
        assert answer.status == 200, answer
        return
    assert answer.status == 403, answer
    login_id = json.loads(answer.body)["details"][0]["login_id"]
    step = {"login_id": login_id, "method": "totp", "code": code}
    done = await _post(bench, _STEP, step, person, jar(answer.cookies()))
    assert done.status == 200, done


async def _post(
    bench: Bench, path: str, body: dict[str, str], person: Person, cookie: bytes
) -> Answer:
    text = json.dumps(body).encode()
    return await post(bench.app, path, text, kind=_JSON, cookie=cookie, client=person.client)


async def _cpu(work: Work, times: int) -> float:
    """Return the CPU microseconds of one of so many; what was begun before is let end first."""
    await asyncio.sleep(0.05)
    started = time.process_time()
    await work()
    return (time.process_time() - started) / times * 1e6


def _table(found: dict[str, Turns]) -> Table:
    table = Table(
        "Second factors, CPU in process",
        (
            "",
            "mail alone, µs",
            "mail and app, µs",
            "mail and app × mail alone",
            "of it comparing a code, µs",
        ),
        "Median (quartiles) over the rounds, of the verify of the mailed code and the step after "
        "it; all threads of the process are counted.",
    )
    for name, turns in found.items():
        table.add(
            f"ours, {name}",
            turns.alone.told(0),
            turns.both.told(0),
            turns.both.times(turns.alone).told(2),
            turns.compared.told(1),
        )
    return table
