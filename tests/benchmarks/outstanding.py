"""The store: round trips for each step, bytes for each login, and logins beside many others."""

from __future__ import annotations

import gc
from contextlib import ExitStack, closing

from tests.benchmarks import redis_memory, seeds
from tests.benchmarks.figures import Options, Table
from tests.benchmarks.logins import Round, turn
from tests.benchmarks.round_trips import of_steps
from tests.benchmarks.targets import Place, Target, build
from tests.redis_server import Server

_BYTES = {
    "challenge": {},
    "and the address's budgets": {"address": True},
    "and the queue entry (until its mail is out)": {"address": True, "job": True},
    "and the budgets of a client of its own": {"address": True, "job": True, "client": True},
}


async def measure(options: Options) -> list[Table]:
    """Measure all three."""
    return [await _trips(options), await _bytes(options), await _throughput(options)]


async def _trips(options: Options) -> Table:
    table = Table("Store round trips", ("step", "Redis round trips"), "As the server counts them.")
    for step, number in (await of_steps(options.place.redis_url)).items():
        table.add(step, str(number))
    return table


async def _bytes(options: Options) -> Table:
    options.say("bytes of an outstanding login")
    table = Table("Redis memory of one outstanding login", ("", "bytes"), "All keys counted.")
    number = min(20_000, options.outstanding)
    for name, parts in _BYTES.items():
        server = Server()
        try:
            asked = {"address": False, "job": False, "client": False, **parts}
            used = await redis_memory.measure(server.url, number, **asked)
        finally:
            server.close()
        table.add(name, f"{used:,.0f}")
    return table


def sizes(options: Options) -> list[int]:
    """Return the sizes to compare: a thousand, a hundred thousand, and what was asked for."""
    return sorted({n for n in (1_000, 100_000, options.outstanding) if n <= options.outstanding})


async def _throughput(options: Options) -> Table:
    found: dict[tuple[str, int], Round] = {}
    with ExitStack() as stack:
        targets: dict[tuple[str, int], Target] = {}
        for size in sizes(options):
            server = stack.enter_context(closing(Server()))
            for name in ("ours, memory", "ours, Redis"):
                options.say(f"{name}: {size:,} challenges outstanding")
                target = targets[name, size] = build(name, Place(server.url))
                await seeds.outstanding(seeds.make_site(target).passwordless.store, size)
                found[name, size] = Round()
        gc.collect()
        gc.freeze()
        for number in range(-1, options.rounds):
            options.say(f"logins beside others, round {number + 1} of {options.rounds}")
            for key, target in targets.items():
                await turn(target, options.logins, found[key] if number >= 0 else Round())
        for target in targets.values():
            await target.aclose()
        gc.unfreeze()
    return _table(found)


def _table(found: dict[tuple[str, int], Round]) -> Table:
    table = Table(
        "Logins beside other people's outstanding ones",
        ("", "sends/s", "× at 1,000", "CPU × at 1,000", "verifies/s", "× at 1,000", "CPU × 1,000"),
        "Ratios are taken round by round, in one run.",
    )
    for (name, size), r in found.items():
        first = found[name, 1_000]
        table.add(
            f"{name}, {size:,} outstanding",
            r.sends.told(0),
            r.sends.times(first.sends).told(2),
            r.send_cpu.times(first.send_cpu).told(2),
            r.verifies.told(0),
            r.verifies.times(first.verifies).told(2),
            r.verify_cpu.times(first.verify_cpu).told(2),
        )
    return table
