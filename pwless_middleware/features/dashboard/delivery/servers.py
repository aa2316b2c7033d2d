"""How the servers do, as all processes together have seen it.

Each process sends by itself, and finds out by itself what goes wrong; an operator is answered by
one of them. So each writes down what it has seen, in a record that ends with it: when it shuts
down, or a minute and a half after it was killed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from dataclasses import asdict, replace
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.delivery.health.server_health import ServerHealth
from pwless_middleware.delivery.queue.outcomes import Channel
from pwless_middleware.errors import StoreError, Unavailable
from pwless_middleware.flows.capabilities.records import MOST_BYTES
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.tracebacks import traceback_without_text
from pwless_middleware.web.kit import Kit

logger = logging.getLogger("pwless.dashboard")

EVERY: Final = 5.0
"""Seconds between two looks at whether there is something new to write down."""
LIFE: Final = 90
"""Seconds that a record lives."""
_RENEWED: Final = 30
"""Seconds after which a record is written again where nothing is new."""
_LOOK: Final = 1.0
"""Seconds that a page waits for what the other processes have seen."""
_GROUP: Final = "processes"
_SIZES: Final = ((500, 50), (100, 50), (0, 20), (0, 0))
"""Characters of an error and servers that are written down: the first that fit into a record."""
_CHANNELS: Final[Sequence[Channel]] = ("mail", "sms")


@dataclass(frozen=True, slots=True)
class Report:
    """What one process, or all together, have seen.

    Attributes:
        servers: how each does, mail servers first, by name.
        down_since: channel to since when nothing goes out there, unix seconds; those that work are
            not in it.
    """

    servers: tuple[ServerHealth, ...] = ()
    down_since: tuple[tuple[Channel, int], ...] = ()

    def pack(self) -> bytes:
        """Return it as a record keeps it: without the last of what does not fit."""
        for characters, count in _SIZES:
            servers = [
                {**asdict(server), "error": server.error[:characters]}
                for server in self.servers[:count]
            ]
            value = json.dumps([servers, self.down_since], separators=(",", ":")).encode()
            if len(value) <= MOST_BYTES // 2:  # the record has a head as well
                break
        return value

    @classmethod
    def unpack(cls, value: bytes) -> Report | None:
        """Read what `pack` wrote; `None` for what another release has written otherwise."""
        try:
            servers, down = json.loads(value)
            return cls(
                tuple(ServerHealth(**server) for server in servers),
                tuple((channel, at) for channel, at in down),
            )
        except (TypeError, ValueError):
            return None


class Reports:
    """Write down what this process sees, and read what all have seen.

    Args:
        kit: everything below.
        pause: sleeps.
    """

    def __init__(
        self, kit: Kit, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._kit = kit
        self._pause = pause
        self._records = kit.records("delivery")
        self._names: PerLoop[str] = PerLoop(lambda: secrets.token_hex(8))

    @asynccontextmanager
    async def keep(self) -> AsyncIterator[None]:
        """Write down what is new while this is open; nothing is left of it afterwards."""
        task = asyncio.get_running_loop().create_task(self._run(), context=Context())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            with suppress(StoreError, Unavailable):  # it ends by itself
                await self._records.drop(self._names.here(), group=_GROUP)

    async def read(self) -> tuple[Report, bool]:
        """Return what all processes have seen, and whether the others could be asked."""
        own, name = self._own(), self._names.here()
        try:
            async with asyncio.timeout(_LOOK):
                found = await self._records.list(_GROUP)
        except (StoreError, Unavailable, TimeoutError):
            return own, False
        reports = [Report.unpack(record.value) for record in found if record.key != name]
        return join_reports([own, *(each for each in reports if each is not None)]), True

    def _own(self) -> Report:
        delivery = self._kit.delivery
        since = [(channel, delivery.down_since(channel)) for channel in _CHANNELS]
        down = tuple((channel, at) for channel, at in since if at is not None)
        return Report(tuple(delivery.servers()), down)

    async def _run(self) -> None:
        written, at = Report(), 0
        while True:
            await self._pause(EVERY)
            own, now = self._own(), self._kit.clock()
            if not any(server.taken or server.refused for server in own.servers):
                continue
            if own != written or now - at >= _RENEWED:
                try:
                    name = self._names.here()
                    await self._records.put(name, own.pack(), ttl=LIFE, group=_GROUP)
                    written, at = own, now
                except (StoreError, Unavailable):
                    pass  # its outage is told elsewhere
                except Exception as error:  # a mistake; the other processes show what they have
                    logger.error(
                        "what was seen of the servers could not be written down:\n%s",
                        traceback_without_text(error),
                        extra={"event": "report_failed"},
                    )


def join_reports(reports: Iterable[Report]) -> Report:
    """Return what several processes have seen together.

    Of one server, whoever was last with it knows best: a process that has failed and not tried
    since does not make it look down when another one has sent something there.
    """
    reports = list(reports)
    by_server: dict[tuple[Channel, str], list[ServerHealth]] = {}
    for report in reports:
        for server in report.servers:
            by_server.setdefault((server.channel, server.server), []).append(server)
    servers = tuple(_join(by_server[key]) for key in sorted(by_server))
    down: dict[Channel, int] = {}
    for channel, at in (pair for report in reports for pair in report.down_since):
        taken = [s.taken_at for s in servers if s.channel == channel and s.taken_at is not None]
        if max(taken, default=0) <= at:
            down[channel] = min(at, down.get(channel, at))
    return Report(servers, tuple(sorted(down.items())))


def _join(seen: Sequence[ServerHealth]) -> ServerHealth:
    taken_at = max((each.taken_at for each in seen if each.taken_at is not None), default=None)
    last = max(seen, key=lambda each: each.error_at or 0)
    failing = [
        each
        for each in seen
        if each.failing_since is not None and (each.error_at or 0) >= (taken_at or 0)
    ]
    return replace(
        last,
        taken=sum(each.taken for each in seen),
        refused=sum(each.refused for each in seen),
        failures=max((each.failures for each in failing), default=0),
        failing_since=min((each.failing_since or 0 for each in failing), default=None),
        taken_at=taken_at,
    )
