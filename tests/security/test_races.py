"""Races: many requests at once, in one loop and from several threads (security rules 1, 2 and 4).

The memory store answers without a pause, so in one loop requests would run one after the other;
`Yielding` puts a pause before and after each verb, where another process would get in between.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.stores.memory import MemoryStore
from tests.support import ROOMY, Browser, Site, Slow, make_site, token_of, wrong

pytestmark = pytest.mark.anyio
CROWD = 50


async def _turn() -> None:
    await asyncio.sleep(0)


class Yielding(Slow):
    """Let everybody else run before and after every verb."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())
        for verb in ("read", "admit", "attempt", "take", "write", "swap", "read_list"):
            self.before[verb] = self.after[verb] = _turn


def crowded(**options: Any) -> Site:
    site = make_site(store=Yielding(), **options)
    site.store = site.store.store  # type: ignore[attr-defined]  # what tests look into
    return site


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


async def test_fifty_parallel_wrong_codes_get_at_most_five_answers() -> None:
    site = crowded()
    jo = site.browser()
    await jo.ask("jo@example.com")
    code = site.mail().code
    answers = await asyncio.gather(*(jo.type_code(wrong(code, n % 9)) for n in range(CROWD)))
    assert statuses(answers) == {400: 5, 429: CROWD - 5}


async def test_parallel_guesses_that_hold_the_right_code_late_do_not_get_it_judged() -> None:
    """The right code is among the fifty, but the tries are spent before its turn."""
    site = crowded()
    jo = site.browser()
    await jo.ask("jo@example.com")
    code = site.mail().code
    guesses = [wrong(code, n) for n in range(9)] + [code] * 41
    answers = await asyncio.gather(*(jo.type_code(guess) for guess in guesses))
    assert statuses(answers)[303] == 0
    assert site.sessions == 0


@pytest.mark.parametrize("by", ["code", "link"])
async def test_parallel_right_proofs_make_exactly_one_session(by: str) -> None:
    site = crowded()
    jo = site.browser()
    await jo.ask("jo@example.com")
    mail = site.mail()
    tabs = [site.browser(cookies=jo.cookies) for _ in range(CROWD)]
    if by == "code":
        answers = await asyncio.gather(*(tab.type_code(mail.code) for tab in tabs))
    else:
        form = {"link_token": token_of(mail.link)}
        answers = await asyncio.gather(*(tab.post("/auth/link", form) for tab in tabs))
    assert statuses(answers)[303] == 1
    assert sum("__Host-pwless" in tab.cookies for tab in tabs) == 1
    assert site.sessions == 1


async def test_code_and_link_of_one_mail_at_once_make_one_session() -> None:
    site = crowded()
    jo = site.browser()
    await jo.ask("jo@example.com")
    mail, tab = site.mail(), site.browser(cookies=jo.cookies)
    answers = await asyncio.gather(
        jo.type_code(mail.code), tab.post("/auth/link", {"link_token": token_of(mail.link)})
    )
    assert statuses(list(answers)) == {303: 1, 410: 1}
    assert site.sessions == 1


async def test_parallel_sends_to_one_address_stay_in_its_limit() -> None:
    site = crowded()
    visitors = [site.browser(ip=f"203.0.113.{n}") for n in range(CROWD)]
    answers = await asyncio.gather(*(v.ask("jo@example.com") for v in visitors))
    assert statuses(answers) == {303: 2, 429: CROWD - 2}
    assert len(site.outbox.messages) == 2


async def test_parallel_sends_of_one_client_stay_in_its_limit() -> None:
    site = crowded()
    visitors = [site.browser() for _ in range(CROWD)]
    answers = await asyncio.gather(*(v.ask(f"jo{n}@example.com") for n, v in enumerate(visitors)))
    assert statuses(answers) == {303: 20, 429: CROWD - 20}


async def test_parallel_resends_stay_in_their_three() -> None:
    site = crowded(features=[EmailLogin(send_limits=ROOMY)])
    jo = site.browser()
    await jo.ask("jo@example.com")
    tabs = [site.browser(cookies=jo.cookies) for _ in range(20)]
    for _ in range(3):  # each round lets one through: the others wrote over what they had read
        await asyncio.gather(*(tab.post("/auth/resend", {}) for tab in tabs))
    answers = await asyncio.gather(*(tab.post("/auth/resend", {}) for tab in tabs))
    assert statuses(answers) == {429: 20}
    assert len(site.outbox.messages) == 4


async def test_parallel_wrong_steps_get_at_most_five_answers() -> None:
    """See `test_steps` for the factor itself."""
    from tests.security.factor import Factor

    site = crowded(features=[EmailLogin(send_limits=ROOMY), Factor()])
    jo = site.browser()
    await jo.ask("jo@example.com")
    await jo.type_code(site.mail().code)
    answers = await asyncio.gather(
        *(jo.post("/auth/step/secret", {"secret": "wrong"}) for _ in range(20))
    )
    assert statuses(answers) == {400: 5, 429: 15}


# --- threads: TestClients and servers with several loops in one process --------------------------


def _in_threads(site: Site, jo: Browser, codes: list[str]) -> Counter[int]:
    def one(code: str) -> int:
        tab = site.browser(cookies=jo.cookies)
        return asyncio.run(tab.type_code(code)).status_code

    with ThreadPoolExecutor(16) as pool:
        return Counter(pool.map(one, codes))


def test_wrong_codes_from_many_threads_get_at_most_five_answers() -> None:
    site = make_site()
    jo = site.browser()
    asyncio.run(jo.ask("jo@example.com"))
    code = site.mail().code
    answers = _in_threads(site, jo, [wrong(code, n % 9) for n in range(CROWD)])
    assert answers == {400: 5, 429: CROWD - 5}


def test_right_codes_from_many_threads_make_exactly_one_session() -> None:
    site = make_site()
    jo = site.browser()
    asyncio.run(jo.ask("jo@example.com"))
    answers = _in_threads(site, jo, [str(site.mail().code)] * 30)
    assert answers[303] == 1
    assert site.sessions == 1


def test_sends_from_many_threads_stay_in_the_limit() -> None:
    site = make_site()

    def one(n: int) -> int:
        return asyncio.run(site.browser(ip=f"203.0.113.{n}").ask("jo@example.com")).status_code

    with ThreadPoolExecutor(16) as pool:
        answers = Counter(pool.map(one, range(40)))
    assert answers == {303: 2, 429: 38}
