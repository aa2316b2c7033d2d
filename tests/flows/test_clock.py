"""Clocks: whole seconds that records can hold, and a closed answer to any other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.flows.clock import END, make_clock
from tests.support import (
    ROOMY,
    START,
    Clock,
    challenge_of,
    cookie_header,
    http_scope,
    make_site,
    run,
)

pytestmark = pytest.mark.anyio
LAST = END - 1


def test_the_systems_clock_is_the_default_and_fractions_are_cut_off() -> None:
    assert abs(make_clock(None)() - time.time()) < 5
    assert make_clock(time.time)() == int(make_clock(time.time)())
    assert make_clock(lambda: 5.9)() == 5
    assert make_clock(lambda: 0)() == 0
    assert make_clock(lambda: LAST)() == LAST


@pytest.mark.parametrize("now", ["12", None, True, float("nan"), float("inf")])
def test_a_clock_that_gives_no_number_is_refused_at_once(now: object) -> None:
    with pytest.raises(ConfigError, match="clock"):
        make_site(clock=lambda: now)  # type: ignore[arg-type]


@pytest.mark.parametrize("now", [-1, -(10**12), END, 2**32, 2**63, 10**20])
def test_a_time_that_no_record_can_hold_is_told(now: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="the clock stands at"):
        make_clock(lambda: now)()
    monkeypatch.setattr(time, "time", lambda: float(now))
    with pytest.raises(StoreError, match="the clock stands at"):
        make_clock(None)()


@pytest.mark.parametrize("now", [-1, -86400 * 365, END, 2**32 + 5, 2**40])
async def test_under_such_a_clock_everything_answers_503_and_nobody_is_let_in_or_out(
    now: int, caplog: pytest.LogCaptureFixture
) -> None:
    site = make_site(roomy=True)
    jo, kim = site.browser(), site.browser()
    await jo.sign_in("jo@example.com")
    await jo.who()
    await kim.ask("kim@example.com")
    code, link = site.mail("kim@example.com").code, site.mail("kim@example.com").link
    sent = (await site.backend().send("lee@example.com")).json()["auth_request_id"]
    site.clock.now = now
    answers = [
        await jo.get("/private"),
        await jo.get("/auth/sessions"),
        await kim.ask("other@example.com"),
        await kim.get("/auth/verify"),
        await kim.type_code(code),
        await kim.post("/auth/resend", {}),
        await kim.get(str(link)),
        await kim.press_link(link),
        await site.backend().send("x@example.com"),
        await site.backend().verify(sent, code="123456"),
    ]
    assert {answer.status_code for answer in answers} == {503}
    assert "the clock stands at" in caplog.text
    assert [r for r in caplog.records if r.levelno >= logging.CRITICAL] == []
    sent_back = await run(site.app, http_scope(headers=cookie_header(jo)))
    assert sent_back[0]["status"] == 503
    site.clock.now = START
    assert await jo.who() == "jo@example.com"
    assert (await kim.type_code(code)).status_code == 303


@pytest.mark.parametrize("now", [0, 1, 1000, LAST])
async def test_at_the_edges_of_what_records_hold_all_is_as_ever(now: int) -> None:
    site = make_site(
        clock=Clock(now), features=[EmailLogin(send_limits=ROOMY, rotate_on_resend=True)]
    )
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert (await jo.post("/auth/resend", {})).status_code == 303
    assert (await jo.type_code(site.mail().code)).status_code == 303
    assert await jo.who() == "jo@example.com"


@pytest.mark.parametrize("behind", [1, 59, 299, 901, 4000, 86400, 10**6])
@pytest.mark.parametrize("rotate", [True, False])
async def test_a_clock_that_is_behind_resends_as_if_it_stood_still(
    rotate: bool, behind: int
) -> None:
    """Another machine's, or this one's after it was set: no difference of times is negative."""
    login = EmailLogin(send_limits=ROOMY, rotate_on_resend=rotate)
    site = make_site(features=[login])
    jo = site.browser()
    await jo.ask("jo@example.com")
    first = challenge_of(site)
    site.clock.advance(-behind)
    assert (await jo.post("/auth/resend", {})).status_code == 303
    again = challenge_of(site)
    assert again.started_at == first.started_at
    assert again.expires_at >= first.expires_at
    assert again.expires_at <= first.started_at + 600
    assert again.generation == int(rotate)
    assert (await jo.type_code(site.mail().code)).status_code == 303
    assert await jo.who() == "jo@example.com"


def test_a_clock_is_a_callable() -> None:
    wrong: Callable[[], object] = 5  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="clock"):
        make_site(clock=wrong)  # type: ignore[arg-type]
