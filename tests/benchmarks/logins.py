"""Logins: sends and verifies per second, in process, each from another client address.

A send counts when its mail was handed over: to nobody, or to a real SMTP server. After each round
every one of its sessions is asked who it is: a fast wrong answer cannot win.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count
from typing import TypeVar

from tests.benchmarks.asgi import ask, scope
from tests.benchmarks.figures import Options, Samples, Table
from tests.benchmarks.smtp_sink import SinkProcess
from tests.benchmarks.targets import Place, Target, build

_OURS = ("ours, memory", "ours, SQLite", "ours, Redis", "ours, PostgreSQL")
_TO_NOBODY = ("floor, memory", "floor, Redis", *_OURS, "django-allauth")
_TO_SMTP = (*_OURS, "django-allauth")
_AT_ONCE = 16
_numbers = count()

T = TypeVar("T")


class Round:
    """Hold what one round of one target took.

    Attributes:
        sends, verifies: per second.
        send_cpu, verify_cpu: CPU microseconds of this process for each.
    """

    def __init__(self) -> None:
        self.sends = Samples()
        self.verifies = Samples()
        self.send_cpu = Samples()
        self.verify_cpu = Samples()


async def side_by_side(works: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Do these, 16 at a time, as a busy server has them."""
    done: list[T | None] = [None] * len(works)
    numbers = iter(range(len(works)))

    async def work() -> None:
        for number in numbers:
            done[number] = await works[number]()

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
    return [each for each in done if each is not None]


def people(number: int) -> list[tuple[str, str]]:
    """Return so many addresses that were never used, each with a client of its own."""
    found = []
    for _ in range(number):
        n = next(_numbers)
        found.append((f"jo.doe{n}@example.com", f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"))
    return found


async def turn(target: Target, logins: int, into: Round) -> None:
    """Sign so many people in, and check that each is who they are."""
    login, catch = target.login, target.catch
    assert login is not None
    assert catch is not None
    who = people(logins)
    emails = [email for email, _ in who]
    if target.prepare is not None:
        await target.prepare(emails)
    catch.texts.clear()

    wall, cpu = time.perf_counter(), time.process_time()
    brought = await side_by_side([lambda e=e, c=c: login.send(e, c) for e, c in who])  # type: ignore[misc]
    while len(catch.texts) < logins:  # noqa: ASYNC110  # the worker has no event for this
        await asyncio.sleep(0.001)
    into.sends.add(logins / (time.perf_counter() - wall))
    into.send_cpu.add((time.process_time() - cpu) / logins * 1e6)

    codes = [catch.code(email) for email in emails]
    works = zip(brought, codes, who, strict=True)
    wall, cpu = time.perf_counter(), time.process_time()
    cookies = await side_by_side(
        [lambda b=b, k=k, c=c: login.verify(b, k, c) for b, k, (_, c) in works]  # type: ignore[misc]
    )
    into.verifies.add(logins / (time.perf_counter() - wall))
    into.verify_cpu.add((time.process_time() - cpu) / logins * 1e6)

    for email, cookie in zip(emails, cookies, strict=True):
        answer = await ask(target.app, scope(cookie=cookie))
        assert (answer.status, answer.body) == (200, email.encode()), answer


async def rounds(
    names: Sequence[str], place: Place, options: Options, title: str
) -> dict[str, Round]:
    """Give every target its turn, several times."""
    targets = {name: build(name, place) for name in names}
    found = {name: Round() for name in names}
    for number in range(-1, options.rounds):
        options.say(f"{title}, round {number + 1} of {options.rounds}")
        for name, target in targets.items():
            fewer = 4 if "allauth" in name else 1
            await turn(target, options.logins // fewer, found[name] if number >= 0 else Round())
    for target in targets.values():
        await target.aclose()
    return found


async def measure(options: Options) -> list[Table]:
    """Measure both: mails to nobody, and to a real SMTP server."""
    nobody = await rounds(_TO_NOBODY, options.place, options, "logins, no mail server")
    with closing(SinkProcess()) as sink:
        place = replace(options.place, smtp_port=sink.port, prefix="bench-smtp")
        smtp = await rounds(_TO_SMTP, place, options, "logins, SMTP")
    return [
        _table(nobody, "Logins per second, mails to a no-op mailer", "django-allauth"),
        _table(smtp, "Logins per second, mails to a real SMTP server", "django-allauth"),
    ]


def _table(found: dict[str, Round], title: str, beside: str) -> Table:
    table = Table(
        title,
        ("", "sends/s", "CPU µs", "verifies/s", "CPU µs", "sends × allauth", "verifies × allauth")
        + (("sends of floor", "verifies of floor") if "floor, Redis" in found else ()),
        f"In process, {_AT_ONCE} at once; a send counts when its mail was handed over. The floor "
        "is one HMAC and one store operation: no limits, no rendered mail, no queue.",
    )
    other = found[beside]
    for name, r in found.items():
        cells = [
            name,
            r.sends.told(0),
            r.send_cpu.told(0),
            r.verifies.told(0),
            r.verify_cpu.told(0),
            r.sends.times(other.sends).told(1),
            r.verifies.times(other.verifies).told(1),
        ]
        floor = found.get(name.replace("ours", "floor")) if "ours" in name else None
        if "floor, Redis" in found:
            cells += [
                r.sends.times(floor.sends).told(2) if floor else "",
                r.verifies.times(floor.verifies).told(2) if floor else "",
            ]
        table.add(*cells)
    return table
