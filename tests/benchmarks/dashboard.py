"""The dashboard among a million events and a hundred thousand people.

Every page that its links and forms lead to, how deep pages take, the export, the live tail, and a
storm of logins while it is open; on SQLite and on PostgreSQL. The goals: a page within 50 ms at the
server, a live tail at most 1 s behind, an export in constant memory, no audit event dropped.
"""

from __future__ import annotations

import asyncio
import re
import resource
import time
from collections.abc import Mapping
from contextlib import aclosing
from typing import Final
from urllib.parse import urlsplit

import asyncpg

from pwless_middleware import EmailLogin, Passkeys, SecondFactors
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.client import Client
from pwless_middleware.features.dashboard import Dashboard
from tests.benchmarks.dashboard_data import NOW, address_of, fill
from tests.benchmarks.dashboard_stream import Stream
from tests.benchmarks.figures import Options, Samples, Table
from tests.features.dashboard.crawl import Page, crawl
from tests.support import ROOMY, Browser, Clock, Site, make_site

_OPS: Final = "ops@acme.example"
_GOAL: Final = 50.0
_DEEP: Final = 30
"""Pages that are gone back in each list."""
_ALIKE: Final = 8
"""Pages that are timed of one parent, such as those of people."""
_PEOPLE: Final = 100_000
_STORM: Final = 20_000
_AUDITS: Final = 200
_MORE: Final = (
    "/auth/dashboard/overview?range=day",
    "/auth/dashboard/overview?range=quarter",
    f"/auth/dashboard/log?q={address_of(77)}",
    "/auth/dashboard/log?outcome=refused&span=quarter",
    "/auth/dashboard/log?method=totp",
    "/auth/dashboard/log?country=DE",
    "/auth/dashboard/log?until=2026-11-01T00:00",
    "/auth/dashboard/log?view=events&kind=mail.failed",
    "/auth/dashboard/log?view=events&country=DE",
    f"/auth/dashboard/log?view=events&q={address_of(77)}",
    f"/auth/dashboard/people?q={address_of(77)[:5]}",
    "/auth/dashboard/people?q=zzz",
    "/auth/dashboard/people/u-77",
)
"""What is asked for besides what the links lead to; what is not mounted is left out."""


async def measure(options: Options) -> list[Table]:
    """Fill each kind of database, and use the dashboard on it."""
    count = options.outstanding * 10
    people = min(_PEOPLE, options.outstanding)
    columns: list[Mapping[str, Samples]] = []
    cpu: list[Mapping[str, Samples]] = []
    for url in (
        f"sqlite:///{options.place.folder}/dashboard.db",
        await _make_database(options.place.postgres_url),
    ):
        kind = url.partition(":")[0]
        options.say(f"the dashboard on {kind}: writing {count:,} events of {people:,} people")
        wall, own = await _measure(url, options, people=people, count=count)
        columns.append(wall)
        cpu.append(own)
    table = Table(
        f"The dashboard, {count:,} events, {people:,} people",
        ("", "SQLite", "its CPU", "PostgreSQL", "the app's CPU"),
        "Milliseconds by the wall clock unless it says so, median (quartiles), in process, and of "
        f"CPU the median of our own process; the goal for a page is {_GOAL:.0f}.",
    )
    for name in dict.fromkeys(name for column in columns for name in column):
        cells = []
        for column, own in zip(columns, cpu, strict=True):
            cells.append(column[name].told(1) if name in column else "–")
            cells.append(f"{own[name].median:,.1f}" if name in own else "–")
        table.add(name, *cells)
    return [table]


async def _make_database(url: str) -> str:
    """Return the URL of a database of this part's own."""
    connection = await asyncpg.connect(url)
    await connection.execute("DROP DATABASE IF EXISTS dashboard WITH (FORCE)")
    await connection.execute("CREATE DATABASE dashboard")
    await connection.close()
    return urlsplit(url)._replace(path="/dashboard").geturl()


def _make_site(url: str) -> Site:
    clock = Clock()
    clock.now = NOW
    return make_site(
        database=url,
        clock=clock,
        features=[
            EmailLogin(send_limits=ROOMY),
            Passkeys(),
            SecondFactors(),
            Dashboard(operators=[_OPS]),
        ],
    )


async def _measure(
    url: str, options: Options, *, people: int, count: int
) -> tuple[Mapping[str, Samples], Mapping[str, Samples]]:
    site = _make_site(url)
    database = site.passwordless.database
    assert database is not None
    began = time.perf_counter()
    await fill(database, site.passwordless._kit.events, people=people, count=count)
    options.say(f"written in {time.perf_counter() - began:.0f} s")
    await _settle(url)
    ops = site.browser()
    await ops.sign_in(_OPS)
    timer = Timer(ops)
    for _ in range(options.rounds):
        await timer.get("/auth/dashboard/no-such-page", "(a path that is not there)", status=404)
    await _pages(timer, options)
    await _deep(timer)
    found = timer.wall
    found |= await _export(site, ops)
    found |= await _tail(url, site, ops, options)
    found |= await _storm(site)
    await site.passwordless.lifetime.close()
    await database.aclose()
    return found, timer.cpu


async def _settle(url: str) -> None:
    """Let PostgreSQL know its tables, as it does by itself within a minute."""
    if url.startswith("postgres"):
        connection = await asyncpg.connect(url)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()


class Timer:
    """Ask for pages, and keep how long each takes.

    Attributes:
        wall: milliseconds, by the name of what was asked for.
        cpu: those of this process.
    """

    def __init__(self, ops: Browser) -> None:
        self.ops = ops
        self.wall: dict[str, Samples] = {}
        self.cpu: dict[str, Samples] = {}

    async def get(self, path: str, name: str, *, status: int = 200) -> str:
        """Return a page."""
        began, own = time.perf_counter(), time.process_time()
        answer = await self.ops.get(path)
        wall, cpu = time.perf_counter() - began, time.process_time() - own
        assert answer.status_code == status, (path, answer.status_code)
        self.wall.setdefault(name, Samples()).add(wall * 1000)
        self.cpu.setdefault(name, Samples()).add(cpu * 1000)
        return answer.text


async def _pages(timer: Timer, options: Options) -> None:
    """Time every page, in turns, so that each is asked for after all others."""
    made = await crawl(timer.ops, skip=("/live", ".csv", ".ndjson", "/export"))
    paths: list[str] = []
    for path, answer in made.pages.items():
        parent = path.partition("?")[0].rsplit("/", 1)[0] + "/"
        alike = sum(one.startswith(parent) for one in paths) if parent.count("/") > 3 else 0
        if answer.status_code == 200 and alike < _ALIKE:
            paths.append(path)
    for path in _MORE:
        if path not in paths and (await timer.ops.get(path)).status_code == 200:
            paths.append(path)
    for number in range(options.rounds):
        options.say(f"{len(paths)} pages, round {number + 1} of {options.rounds}")
        for path in sorted(paths):
            await timer.get(path, path.removeprefix("/auth/dashboard"))


async def _deep(timer: Timer) -> None:
    """Go back page by page in each list."""
    for start in ("/auth/dashboard/log", "/auth/dashboard/people"):
        path = start
        if (await timer.ops.get(path)).status_code != 200:
            continue
        for _ in range(_DEEP):
            html = await timer.get(path, f"{start.removeprefix('/auth/dashboard')}, pages back")
            next_one = [one["href"] for one in Page(html).all("a") if one.get("rel") == "next"]
            if not next_one:
                break
            path = next_one[0]


async def _export(site: Site, ops: Browser) -> dict[str, Samples]:
    """Take everything away, and see what that takes."""
    found: dict[str, Samples] = {}
    for kind in ("csv", "ndjson"):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        size = 0
        async with aclosing(Stream(site, ops, f"/auth/dashboard/log/export?format={kind}")) as all_:
            async for chunk in all_:
                size += len(chunk)
        if all_.status != 200:
            return found
        seconds = time.perf_counter() - began
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        found[f"export as {kind}: seconds"] = Samples([seconds])
        found[f"export as {kind}: MB"] = Samples([size / 1e6])
        found[f"export as {kind}: MB of memory more"] = Samples([grown / 1024])
    return found


async def _tail(url: str, site: Site, ops: Browser, options: Options) -> dict[str, Samples]:
    """Watch the log while another process, as it were, records events."""
    other = _make_site(url)
    other.clock.now = site.clock.now + 1
    samples = Samples()
    stream = Stream(site, ops, "/auth/dashboard/log/live?view=live")
    reading = asyncio.create_task(anext(stream, None))
    await asyncio.sleep(1)
    if stream.status != 200:
        reading.cancel()
        await stream.aclose()
        return {}
    for number in range(options.rounds):
        stranger = other.browser(ip=f"198.51.100.{number + 1}")
        began = time.perf_counter()
        await stranger.ask(f"tail-{number}@example.com")
        while True:
            chunk = await asyncio.wait_for(reading, 10)
            reading = asyncio.create_task(anext(stream, None))
            if chunk is None or re.search(rb"send.requested|tail-", chunk):
                break
        samples.add((time.perf_counter() - began) * 1000)
    reading.cancel()
    await stream.aclose()
    await other.passwordless.lifetime.close()
    return {"live tail: behind another process": samples}


async def _storm(site: Site) -> dict[str, Samples]:
    """Record as fast as the path of requests can, with changes of people between."""
    events, people = site.passwordless._kit.events, site.passwordless.people
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    caller = Caller(client=Client("203.0.113.7"), device="Firefox on Linux")
    recording, audits = Samples(), Samples()
    for number in range(_AUDITS):
        address = Address(address_of(number))
        began = time.perf_counter()
        for other in range(_STORM // _AUDITS):
            attempt = (number * 1_000 + other // 5).to_bytes(8, "big")
            events.record("code.wrong", caller, attempt=attempt, address=address, tries_left=4)
        recording.add((time.perf_counter() - began) * 1e6 / (_STORM // _AUDITS))
        began = time.perf_counter()
        await people.set_profile(address_of(number), name=f"Storm {number}")
        audits.add((time.perf_counter() - began) * 1000)
    page = await site.passwordless.events.find(kind="person.profile_changed", limit=1000)
    lost = _AUDITS - len(page.events)
    return {
        "a storm: recording an event, µs": recording,
        "a storm: a change with its audit event": audits,
        "a storm: audit events lost": Samples([lost]),
    }
