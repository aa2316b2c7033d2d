"""A 503 names no cause to visitors, and the log names it without a flood."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from pwless_middleware import User
from pwless_middleware.errors import QueueFull, RateLimited, StoreError, UsersUnavailable
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.web.responses.outages import Outages
from tests.support import Slow, cookie_header, error_code, make_site, run, socket_scope

pytestmark = pytest.mark.anyio
CAUSE = "Redis: it cannot be reached: raise max_entries at redis.internal:6379"
_PAGE = {"accept": "text/html", "sec-fetch-mode": "navigate"}


def broken() -> Any:
    """Make a store whose verbs can be made to fail with `CAUSE`."""
    store: Any = Slow(MemoryStore())

    async def fail() -> None:
        raise StoreError(CAUSE)

    store.off = lambda: store.before.update(
        dict.fromkeys(("read", "admit", "attempt", "take", "write", "swap", "read_list"), fail)
    )
    return store


async def test_visitors_do_not_read_the_cause_of_a_503_and_the_log_does(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = broken()
    site = make_site(store=store)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    await jo.ask("jo@example.com")
    monkeypatch.setattr(store.feed, "is_live", lambda: False)
    store.off()
    answers = [
        await jo.get("/private", headers=_PAGE),
        await jo.get("/private"),
        await jo.get("/auth/sessions", headers=_PAGE),
        await site.browser().ask("mo@example.com"),
        await jo.type_code("000000"),
        await jo.post("/auth/resend", {}),
        await jo.get("/auth/api/v1/session"),
        await site.backend().send("mo@example.com"),
    ]
    for answer in answers:
        assert answer.status_code == 503
        for inside in ("Redis", "redis", "max_entries", ":6379"):
            assert inside not in answer.text
    for page in answers[0], answers[3]:
        assert "Sign-in is not available right now. Please try again in a minute." in page.text
    socket = await run(site.app, socket_scope(headers=cookie_header(jo)))
    assert socket[0]["reason"] == "STORE_UNAVAILABLE"
    lines = [r for r in caplog.records if r.name == "pwless.unavailable"]
    assert [line.getMessage() for line in lines] == [f"a request was answered 503: {CAUSE}"]
    assert lines[0].event == "unavailable"  # type: ignore[attr-defined]


async def test_a_failing_user_directory_has_a_code_of_its_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Directory:
        is_down = False
        address = "jo@example.com"

        async def find(self, email: str) -> Any:
            return User(id="1", email=email)

        create = find

        async def load(self, user_id: str) -> Any:
            if self.is_down:
                raise RuntimeError(f"row {self.address}")
            return await self.find(self.address)

    users = Directory()
    site = make_site(users=users)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    users.is_down = True
    answer = await jo.get("/private")
    assert (answer.status_code, error_code(answer)) == (503, "USERS_UNAVAILABLE")
    assert answer.headers["retry-after"] == "2"
    assert "jo@example.com" not in answer.text + caplog.text


def test_an_outage_writes_a_line_every_ten_seconds_with_what_was_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [100.0]
    outages = Outages(lambda: now[0])
    for second in range(12):
        now[0] = 100.0 + second
        outages.note(StoreError("away"))
        outages.note(RateLimited(5))
    outages.note(UsersUnavailable())
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [
        "a request was answered 503: away",
        "a request was answered 503: away (and 9 times more since the last line)",
        "a request was answered 503: the user directory failed; its traceback is in the log",
    ]


def test_a_full_queue_says_so_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    Outages().note(QueueFull())
    assert "queue is full" in caplog.text
    assert QueueFull().public_message == QueueFull.message


def test_causes_are_remembered_in_a_bounded_number(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    outages = Outages(lambda: 0.0)
    for n in range(1000):
        outages.note(StoreError(f"cause {n}"))
    assert len(outages._logged) <= 100
