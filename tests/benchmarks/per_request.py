"""In process: the server's CPU time for one ordinary request, over the bare app's."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Sequence

from starlette.types import Message, Receive, Scope

from tests.benchmarks.asgi import ask, scope
from tests.benchmarks.figures import Options, Samples, Table
from tests.benchmarks.targets import BARE, SESSION, WHO, Target, build

TARGETS = (
    BARE,
    SESSION,
    "AuthenticationMiddleware, signed cookie",
    "fastapi-users, JWT cookie",
    "fastapi-users, database",
    "django-allauth",
    "ours, memory",
    "ours, Redis",
    "ours, SQLite",
    "ours, PostgreSQL",
    "ours, every feature",
)
_BATCH = 20
"""Requests between two turns of the event loop: the feed and the threads must live, too."""


def _inbox() -> Receive:
    """Return what a server hands in for a request without a body: that, and then nothing."""
    is_read = False

    async def receive() -> Message:
        nonlocal is_read
        if is_read:
            await asyncio.get_running_loop().create_future()
        is_read = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


async def _take(message: Message) -> None:
    pass


async def cpu_of(target: Target, scopes: Sequence[Scope]) -> float:
    """Return the CPU microseconds of each request; all threads of this process are counted."""
    app = target.app
    inboxes = [_inbox() for _ in scopes]
    started = time.process_time()
    for number, each in enumerate(scopes):
        await app(each, inboxes[number], _take)
        if number % _BATCH == 0:
            await asyncio.sleep(0)
    return (time.process_time() - started) / len(scopes) * 1e6


async def _checked(target: Target, cookie: bytes) -> None:
    for sent, expected in ((cookie, WHO), (b"", "nobody")):
        answer = await ask(target.app, scope(cookie=sent))
        assert (answer.status, answer.body) == (200, expected.encode()), answer


async def measure(options: Options) -> list[Table]:
    """Measure every target, signed in and anonymous."""
    targets = {name: build(name, options.place) for name in TARGETS}
    cookies = {name: await target.sign_in(WHO) for name, target in targets.items()}
    gc.collect()
    gc.freeze()  # the libraries' own objects must not be looked through during others' turns
    lengths = {}
    for name, target in targets.items():
        cost = await cpu_of(target, [scope(cookie=cookies[name]) for _ in range(100)])
        lengths[name] = max(50, min(5000, int(options.turn * 1e6 / cost)))
    signed = {name: Samples() for name in targets}
    anonymous = {name: Samples() for name in targets}
    for number in range(options.rounds):
        options.say(f"in process, round {number + 1} of {options.rounds}")
        for name, target in targets.items():
            await _checked(target, cookies[name])
            for samples, cookie in ((signed, cookies[name]), (anonymous, b"")):
                scopes = [scope(cookie=cookie) for _ in range(lengths[name])]
                samples[name].add(await cpu_of(target, scopes))
                del scopes
    for target in targets.values():
        await target.aclose()
    gc.unfreeze()
    return [_table(signed, anonymous)]


def _table(signed: dict[str, Samples], anonymous: dict[str, Samples]) -> Table:
    table = Table(
        "CPU per request, in process",
        ("", "signed in, µs", "over bare, µs", "× SessionMiddleware's", "anonymous, over bare, µs"),
        "Median (quartiles) over the rounds. fastapi-users and django-allauth contain the cost of "
        "FastAPI and Django.",
    )
    session = signed[SESSION].over(signed[BARE])
    for name, samples in signed.items():
        over = samples.over(signed[BARE])
        without = anonymous[name].over(anonymous[BARE])
        is_bare = name == BARE
        table.add(
            name,
            samples.told(),
            "" if is_bare else over.told(),
            "" if is_bare else over.times(session).told(2),
            f"({anonymous[name].told()})" if is_bare else without.told(),
        )
    return table
