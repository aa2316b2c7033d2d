"""A flood of refused requests: a few log lines, and every refusal counted in them."""

from __future__ import annotations

import asyncio
import logging

import pytest

from pwless_middleware.flows.events import flood_log
from pwless_middleware.flows.events.flood_log import FloodLog
from tests.support import make_site

pytestmark = pytest.mark.anyio
logger = logging.getLogger("pwless.test_flood")


class Ticks:
    """Monotonic seconds that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_flood_is_one_line_and_then_one_with_its_number(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flood_log, "SECONDS", 0.05)
    told = asyncio.Event()

    def noticed(record: logging.LogRecord) -> bool:
        if "more" in vars(record):
            told.set()
        return True

    monkeypatch.setattr(caplog.handler, "filters", [noticed])
    floods = FloodLog(logger, Ticks())
    for _ in range(1000):
        floods.warning("limit reached: send by address", event="limited")
    floods.warning("limit reached: try by client", event="limited")
    assert [r.message for r in caplog.records] == [
        "limit reached: send by address",
        "limit reached: try by client",
    ]
    await told.wait()
    assert caplog.records[2].message == (
        "limit reached: send by address, 999 times more in a minute"
    )
    assert vars(caplog.records[2])["more"] == "999"
    floods._end("limit reached: try by client", 0.0, {})
    assert len(caplog.records) == 3, "one that came once is not told twice"
    floods.warning("limit reached: send by address", event="limited")
    assert len(caplog.records) == 4


async def test_the_number_is_told_where_the_loop_of_the_timer_has_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ticks = Ticks()
    floods = FloodLog(logger, ticks)

    async def flood() -> None:
        for _ in range(3):
            floods.warning("limit", event="limited")

    await asyncio.to_thread(asyncio.run, flood())
    ticks.now = 61
    floods.warning("limit", event="limited")
    told = [r.message for r in caplog.records]
    assert told == ["limit", "limit, 2 times more in a minute", "limit"]


async def test_an_old_timer_ends_no_newer_minute(caplog: pytest.LogCaptureFixture) -> None:
    ticks = Ticks()
    floods = FloodLog(logger, ticks)
    floods.warning("limit", event="limited")
    ticks.now = 61
    floods.warning("limit", event="limited")
    floods.warning("limit", event="limited")
    floods._end("limit", 0.0, {})
    assert [r.message for r in caplog.records] == ["limit", "limit"]
    floods._end("limit", 61.0, {})
    assert caplog.records[-1].message == "limit, 1 times more in a minute"


async def test_refused_mails_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    site = make_site()
    statuses = [(await site.browser().ask("jo@example.com")).status_code for _ in range(50)]
    assert statuses.count(429) == 48
    await asyncio.sleep(0)  # lines are written behind the answers
    lines = [r for r in caplog.records if getattr(r, "event", "") == "limited"]
    assert [r.message for r in lines] == ["limit reached: send by address"]
