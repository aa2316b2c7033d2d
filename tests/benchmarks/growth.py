"""Growth: what an ordinary request costs beside many sessions, one thousand in use or all of them.

A process holds the records of 10,000 sessions; whoever comes back after that is read from the store
once more, which is one round trip on Redis.
"""

from __future__ import annotations

import gc
import random
from contextlib import ExitStack, closing

from tests.benchmarks import seeds
from tests.benchmarks.asgi import scope
from tests.benchmarks.figures import Options, Samples, Table
from tests.benchmarks.outstanding import sizes
from tests.benchmarks.per_request import cpu_of
from tests.benchmarks.targets import BARE, Place, Target, build
from tests.redis_server import Server

_IN_USE = 1_000
_HELD = 10_000


async def measure(options: Options) -> list[Table]:
    """Measure both stores at every size."""
    dice = random.Random(1)
    found: dict[tuple[str, int, str], Samples] = {}
    length = max(200, int(options.turn * 2e4))
    with ExitStack() as stack:
        targets: dict[tuple[str, int], Target] = {}
        cookies: dict[tuple[str, int], list[bytes]] = {}
        for size in sizes(options):
            server = stack.enter_context(closing(Server()))
            for name in ("ours, memory", "ours, Redis"):
                options.say(f"{name}: {size:,} sessions")
                target = targets[name, size] = build(name, Place(server.url))
                kept = cookies[name, size] = await seeds.sessions(target, size)
                await cpu_of(target, [scope(cookie=c) for c in kept[:_HELD]])
        bare = build(BARE, Place())
        base = Samples()
        gc.collect()
        gc.freeze()
        for number in range(-1, options.rounds):
            options.say(f"growth, round {number + 1} of {options.rounds}")
            base.add(await cpu_of(bare, [scope(cookie=b"who=jo") for _ in range(4 * length)]))
            for (name, size), target in targets.items():
                kept = cookies[name, size]
                for case, drawn in (("1,000 in use", kept[:_IN_USE]), ("all in use", kept)):
                    if case == "1,000 in use":  # they have all been here a moment ago
                        await cpu_of(target, [scope(cookie=c) for c in drawn])
                    scopes = [scope(cookie=dice.choice(drawn)) for _ in range(length)]
                    cost = await cpu_of(target, scopes)
                    if number >= 0:
                        found.setdefault((name, size, case), Samples()).add(cost)
        base.values.pop(0)
        for target in targets.values():
            await target.aclose()
        gc.unfreeze()
    return [_table(found, base)]


def _table(found: dict[tuple[str, int, str], Samples], base: Samples) -> Table:
    table = Table(
        "Growth: CPU of a signed-in request, over bare Starlette",
        ("", "1,000 in use, µs", "× at 1,000", "all in use, µs", "× at 1,000"),
        "In process. A process holds 10,000 sessions' records; others are read from the store, so "
        "that beyond this number `all in use` shows a store read for most requests.",
    )
    for name, size in dict.fromkeys((name, size) for name, size, _ in found):
        cells = [f"{name}, {size:,} sessions"]
        for case in ("1,000 in use", "all in use"):
            over = found[name, size, case].over(base)
            cells += [over.told(), over.times(found[name, 1_000, case].over(base)).told(2)]
        table.add(*cells)
    return table
