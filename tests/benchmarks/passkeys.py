"""Passkeys: the CPU of a login, beside a mailed code's and the bare library's in the same turn.

People are in a SQLite file, as a deployment on one machine has it; sessions and challenges are in
memory, or in that file. Credentials are made beforehand by the tests' authenticator, whose time is
not counted. Each login comes from another client address; 16 are under way at a time, as on a busy
server, whose commits they share.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from webauthn import verify_authentication_response

from pwless_middleware import Database, EmailLogin, MemoryStore, Passkeys, SQLStore, Store
from tests.benchmarks.apps.ours import wrap
from tests.benchmarks.asgi import ORIGIN, Answer, jar, post
from tests.benchmarks.figures import Options, Samples, Table
from tests.benchmarks.logins import people, side_by_side
from tests.benchmarks.targets import Place, Target
from tests.features.passkeys.authenticator import Authenticator, unb64

_API = "/auth/api/v1/passkeys"
_JSON = b"application/json"
_STORES = ("memory", "SQLite")
Work = Callable[[], Awaitable[object]]
_PEOPLE = 50
"""Who have a passkey; they sign in again and again."""


@dataclass(frozen=True)
class Person:
    """Somebody with a passkey, and the browser that they use."""

    authenticator: Authenticator
    cookie: bytes


@dataclass
class Turns:
    """CPU microseconds of each thing, one number a round."""

    library: Samples = field(default_factory=Samples)
    options: Samples = field(default_factory=Samples)
    login: Samples = field(default_factory=Samples)
    mailed: Samples = field(default_factory=Samples)


def make_target(name: str, place: Place) -> Target:
    """Return ours, with mails and passkeys."""
    database = Database(f"sqlite:///{place.folder}/passkeys-{name}.db")
    store: Store = MemoryStore(max_entries=10_000_000, max_jobs=1_000_000)
    if name == "SQLite":
        store = SQLStore(database, max_jobs=10_000_000)
    return wrap(store, place, database=database, features=[EmailLogin(), Passkeys()])


async def measure(options: Options) -> list[Table]:
    """Measure each store."""
    targets = {name: make_target(name, options.place) for name in _STORES}
    enrolled = {
        name: [await enroll(target, *who) for who in people(_PEOPLE)]
        for name, target in targets.items()
    }
    gc.collect()
    gc.freeze()  # what the libraries have made must not be looked through in each turn
    found = {name: Turns() for name in _STORES}
    for number in range(-1, options.rounds):
        options.say(f"passkeys, round {number + 1} of {options.rounds}")
        for name, target in targets.items():
            into = found[name] if number >= 0 else Turns()
            await turn(target, enrolled[name], options.logins, into)
    for target in targets.values():
        await target.aclose()
    gc.unfreeze()
    return [_table(found)]


async def enroll(target: Target, email: str, client: str) -> Person:
    """Sign somebody in by mail, and make a passkey."""
    session = await _sign_in_by_mail(target, email, client)
    asked = await _post(target, "/options", {}, client, session)
    authenticator = Authenticator()
    credential = authenticator.create(asked["options"], origin=ORIGIN.decode())
    body = {"ceremony_id": asked["ceremony_id"], "credential": credential}
    await _post(target, "", body, client, session, status=201)
    answer = await _send(target, "/login/options", {}, client)
    return Person(authenticator, jar(answer.cookies()))


async def turn(target: Target, enrolled: Sequence[Person], logins: int, into: Turns) -> None:
    """Sign people in by passkey and as many by mail, and verify the same answers by library."""
    who = people(logins)
    persons = [enrolled[number % len(enrolled)] for number in range(logins)]
    asked: list[dict[str, Any]] = []

    async def ask() -> None:
        for person, (_, client) in zip(persons, who, strict=True):
            asked.append(await _post(target, "/login/options", {}, client, person.cookie))

    into.options.add(await _cpu(ask, logins))
    bodies = []
    for person, prompt in zip(persons, asked, strict=True):
        credential = person.authenticator.get(prompt["options"], origin=ORIGIN.decode())
        bodies.append({"ceremony_id": prompt["ceremony_id"], "credential": credential})

    def sign_in(person: Person, body: dict[str, Any], client: str) -> Work:
        return lambda: _post(target, "/login/verify", body, client, person.cookie)

    works = [
        sign_in(person, body, client)
        for person, body, (_, client) in zip(persons, bodies, who, strict=True)
    ]
    into.login.add(await _cpu(lambda: side_by_side(works), logins))

    async def verify() -> None:
        for person, body, prompt in zip(persons, bodies, asked, strict=True):
            _verify_by_library(person, body["credential"], prompt["options"])

    into.library.add(await _cpu(verify, logins))
    into.mailed.add(await _mailed(target, logins))


async def _mailed(target: Target, logins: int) -> float:
    """Return the CPU microseconds of a mailed code's verify, for people who were there before."""
    login, catch = target.login, target.catch
    assert login is not None
    assert catch is not None
    who = people(logins)
    for email, client in who:
        await _sign_in_by_mail(target, email, client)
    catch.texts.clear()
    brought = [await login.send(email, client) for email, client in who]
    while len(catch.texts) < logins:  # noqa: ASYNC110  # the worker has no event for this
        await asyncio.sleep(0.001)
    codes = [catch.code(email) for email, _ in who]

    def verify(one: bytes, code: str, client: str) -> Work:
        return lambda: login.verify(one, code, client)

    works = [
        verify(one, code, client)
        for one, code, (_, client) in zip(brought, codes, who, strict=True)
    ]
    return await _cpu(lambda: side_by_side(works), logins)


async def _sign_in_by_mail(target: Target, email: str, client: str) -> bytes:
    login, catch = target.login, target.catch
    assert login is not None
    assert catch is not None
    brought = await login.send(email, client)
    while email not in catch.texts:  # noqa: ASYNC110  # the worker has no event for this
        await asyncio.sleep(0.001)
    return await login.verify(brought, catch.code(email), client)


async def _cpu(work: Work, times: int) -> float:
    """Return the CPU microseconds of one of so many; what was begun before is let end first."""
    await asyncio.sleep(0.05)
    started = time.process_time()
    await work()
    return (time.process_time() - started) / times * 1e6


def _verify_by_library(person: Person, credential: dict[str, Any], options: dict[str, Any]) -> None:
    verify_authentication_response(
        credential=credential,
        expected_challenge=unb64(options["challenge"]),
        expected_rp_id=options["rpId"],
        expected_origin=ORIGIN.decode(),
        credential_public_key=person.authenticator.passkeys[0].public_key,
        credential_current_sign_count=0,
        require_user_verification=True,
    )


async def _post(
    target: Target,
    path: str,
    body: dict[str, Any],
    client: str,
    cookie: bytes,
    *,
    status: int = 200,
) -> dict[str, Any]:
    answer = await _send(target, path, body, client, cookie)
    assert answer.status == status, answer
    return dict(json.loads(answer.body))


async def _send(
    target: Target, path: str, body: dict[str, Any], client: str, cookie: bytes = b""
) -> Answer:
    text = json.dumps(body).encode()
    return await post(target.app, _API + path, text, kind=_JSON, cookie=cookie, client=client)


def _table(found: dict[str, Turns]) -> Table:
    table = Table(
        "Passkeys, CPU in process",
        (
            "",
            "options, µs",
            "login, µs",
            "the library alone, µs",
            "login × library",
            "a mailed code's verify, µs",
            "login × mailed",
        ),
        "Median (quartiles) over the rounds; all threads of the process are counted. Of the "
        "library's time most is the signature (ES256).",
    )
    for name, turns in found.items():
        table.add(
            f"ours, {name}",
            turns.options.told(0),
            turns.login.told(0),
            turns.library.told(0),
            turns.login.times(turns.library).told(2),
            turns.mailed.told(0),
            turns.login.times(turns.mailed).told(2),
        )
    return table
