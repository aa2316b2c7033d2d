"""What must not grow, counted: round trips, cookies, imports, calls, caches. No clock, no noise.

`tests/benchmarks` measures time beside the alternatives; a regression there is seen by a person.
Here it fails.
"""

from __future__ import annotations

import ast
import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pwless_middleware import MemoryStore, Store
from pwless_middleware.core.challenges.budget import Draw
from pwless_middleware.core.storage.job import Jobs
from pwless_middleware.flows.sessions import session_cache
from pwless_middleware.stores.base import Admission, Attempt, Feed, Put, Writes
from tests.benchmarks.round_trips import of_steps
from tests.features.passkeys.people import answer as answer_prompt
from tests.features.passkeys.people import ask, enroll, make_passkey_site
from tests.features.second_factors.people import (
    do_step,
    id_of,
    make_factor_site,
    verbs_of,
    wait_for_step,
)
from tests.features.second_factors.people import enroll as add_app
from tests.features.second_factors.sms.people import TextSite
from tests.support import BASE, Browser, Site, cookie_header, http_scope, make_site, run, wrong

pytestmark = pytest.mark.anyio

EMAIL = "jo@example.com"


class Counting:
    """Pass every verb on, and note which task asked it; deliveries run in tasks of their own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: list[tuple[str, object]] = []

    def take_count(self) -> list[str]:
        """Return what this task has asked since the last time."""
        here = asyncio.current_task()
        asked = [verb for verb, task in self._asked if task is here]
        self._asked.clear()
        return asked

    def _note(self, verb: str) -> Store:
        self._asked.append((verb, asyncio.current_task()))
        return self._store

    @property
    def feed(self) -> Feed:
        return self._store.feed

    @property
    def jobs(self) -> Jobs:
        return self._store.jobs

    async def read(self, key: str, *, now: int) -> bytes | None:
        return await self._note("read").read(key, now=now)

    async def read_list(self, listed: str, *, now: int) -> Sequence[tuple[str, bytes]]:
        return await self._note("read_list").read_list(listed, now=now)

    async def admit(
        self,
        draws: Sequence[Draw],
        put: Put,
        *,
        job: bytes | None,
        replaces: bytes | None,
        now: int,
        op: str,
    ) -> Admission:
        store = self._note("admit")
        return await store.admit(draws, put, job=job, replaces=replaces, now=now, op=op)

    async def attempt(self, draws: Sequence[Draw], key: str, *, now: int, op: str) -> Attempt:
        return await self._note("attempt").attempt(draws, key, now=now, op=op)

    async def take(self, key: str, then: Writes, *, now: int, op: str) -> bool:
        return await self._note("take").take(key, then, now=now, op=op)

    async def write(self, writes: Writes, *, now: int, op: str) -> None:
        await self._note("write").write(writes, now=now, op=op)

    async def swap(self, put: Put, *, replaces: bytes, now: int) -> bool:
        return await self._note("swap").swap(put, replaces=replaces, now=now)

    async def open(self) -> None:
        await self._store.open()

    async def ping(self) -> None:
        await self._note("ping").ping()

    async def aclose(self) -> None:
        await self._store.aclose()


@pytest.fixture
def store() -> Counting:
    return Counting(MemoryStore())


@pytest.fixture
def site(store: Counting) -> Site:
    return make_site(store=store, roomy=True)


async def asked_for_mail(site: Site, email: str = EMAIL) -> tuple[Browser, str]:
    """Open a browser that has asked for a mail by JSON; give it and the request's id."""
    browser = site.browser()
    answer = await browser.call("send", {"email": email})
    assert answer.status_code == 200, answer.text
    return browser, answer.json()["auth_request_id"]


# --- round trips ---------------------------------------------------------------------------------


async def test_no_cookie_costs_no_round_trip(site: Site, store: Counting) -> None:
    await site.browser().get("/private")
    assert store.take_count() == []


@pytest.mark.parametrize("value", ["", "x", "x.y", "A" * 64 + "." + "B" * 43])
async def test_a_forged_cookie_costs_no_round_trip(site: Site, store: Counting, value: str) -> None:
    browser = site.browser()
    browser.cookies[browser.cookie_name()] = value
    assert await browser.who() is None
    assert store.take_count() == []


async def test_a_session_is_read_once_and_then_held(site: Site, store: Counting) -> None:
    browser = site.browser()
    await browser.sign_in(EMAIL)
    store.take_count()
    for _ in range(5):
        assert await browser.who() == EMAIL
    assert store.take_count() == ["read"]


async def test_being_seen_is_written_at_most_once_in_a_24th_of_the_idle_time(
    site: Site, store: Counting
) -> None:
    browser = site.browser()
    await browser.sign_in(EMAIL)
    await browser.who()
    store.take_count()
    site.clock.advance(7 * 86400 // 24)
    for _ in range(5):
        assert await browser.who() == EMAIL
    assert store.take_count() == ["read", "swap"]


async def test_send_costs_one_round_trip(site: Site, store: Counting) -> None:
    await asked_for_mail(site)
    assert store.take_count() == ["admit"]


async def test_resend_costs_two(site: Site, store: Counting) -> None:
    browser, id = await asked_for_mail(site)
    store.take_count()
    assert (await browser.call("resend", {"auth_request_id": id})).status_code == 200
    assert store.take_count() == ["read", "admit"]


async def test_a_wrong_code_costs_one(site: Site, store: Counting) -> None:
    browser, id = await asked_for_mail(site)
    store.take_count()
    code = wrong(site.mail().code)
    answer = await browser.call("verify", {"auth_request_id": id, "code": code})
    assert answer.status_code == 400
    assert store.take_count() == ["attempt"]


async def test_a_right_code_costs_two(site: Site, store: Counting) -> None:
    browser, id = await asked_for_mail(site)
    store.take_count()
    code = site.mail().code
    answer = await browser.call("verify", {"auth_request_id": id, "code": code})
    assert answer.status_code == 200
    assert store.take_count() == ["attempt", "take"]


async def test_a_login_over_an_older_session_costs_no_more(site: Site, store: Counting) -> None:
    browser = site.browser()
    await browser.sign_in(EMAIL)
    answer = await browser.call("send", {"email": EMAIL})
    id, code = answer.json()["auth_request_id"], site.mail().code
    store.take_count()
    await browser.call("verify", {"auth_request_id": id, "code": code})
    assert store.take_count() == ["attempt", "take"]


async def test_a_passkey_costs_two_and_asking_for_it_none(tmp_path: Path, store: Counting) -> None:
    site = make_passkey_site(tmp_path, store=store)
    _, authenticator = await enroll(site)
    browser = site.browser()
    store.take_count()
    asked = await ask(browser)
    assert store.take_count() == []
    credential = authenticator.get(asked["options"], origin=BASE)
    assert (await answer_prompt(browser, asked, credential)).status_code == 200
    assert store.take_count() == ["admit", "write"]


async def test_a_one_time_password_costs_one_more_than_another_step(
    tmp_path: Path, store: Counting
) -> None:
    """Its counter is spent by a verb of its own, between the count of the try and the take."""
    site = make_factor_site(tmp_path, store=store)
    app = await add_app(site)
    code, *_ = await verbs_of(site).make_recovery_codes(await id_of(site))
    browser = site.browser()
    asked = await wait_for_step(browser)
    store.take_count()
    answer = await do_step(browser, asked["login_id"], code, method="recovery_code")
    assert answer.status_code == 200
    of_recovery_code = store.take_count()
    asked = await wait_for_step(browser)
    store.take_count()
    assert (await do_step(browser, asked["login_id"], app.next_code())).status_code == 200
    assert store.take_count() == ["read", "attempt", "admit", "take"]
    assert of_recovery_code == ["read", "attempt", "take"]


async def test_a_code_by_text_message_costs_two_more_than_another_step(
    tmp_path: Path, store: Counting
) -> None:
    """It is read and taken between the count of the try and the login's own take."""
    site = TextSite(tmp_path, store=store)
    await site.add_phone(await site.user_id())
    browser, login_id = await site.begin_login()
    store.take_count()
    assert (await site.send(browser, login_id)).status_code == 200
    assert store.take_count() == [
        "read",
        "read",
        "admit",
    ]  # the login, and a code that may be there
    assert (await site.answer(browser, login_id, site.phones.code())).status_code == 200
    assert store.take_count() == ["read", "attempt", "read", "take", "take"]


async def test_being_asked_for_a_second_factor_costs_a_login_nothing(
    tmp_path: Path, store: Counting
) -> None:
    site = make_factor_site(tmp_path, store=store)
    await add_app(site)
    browser = site.browser()
    sent = (await browser.call("send", {"email": EMAIL})).json()
    body = {"auth_request_id": sent["auth_request_id"], "code": site.mail().code}
    store.take_count()
    assert (await browser.call("verify", body)).status_code == 403
    assert store.take_count() == ["attempt", "take"]


async def test_a_link_costs_two(site: Site, store: Counting) -> None:
    browser = site.browser()
    await browser.ask(EMAIL)
    link = site.mail().link
    store.take_count()
    assert (await browser.press_link(link)).status_code == 303
    # Opening the link's page reads; pressing its button reads and takes.
    assert store.take_count()[-2:] == ["read", "take"]


async def test_redis_is_asked_no_more_often(redis_url: str) -> None:
    """Every verb is one command over the wire, by the server's own account."""
    assert await of_steps(redis_url) == {
        "request without a cookie": 0,
        "send": 1,
        "resend": 2,
        "wrong code": 1,
        "right code": 2,
        "request with a session, not held yet": 1,
        "requests with a session, held": 0,
    }


# --- cookies -----------------------------------------------------------------------------------


async def test_set_cookie_comes_only_with_a_change(site: Site) -> None:
    browser = site.browser()
    for path in ("/private", "/auth/login", "/auth/verify", "/auth/api/v1/session", "/auth/nope"):
        assert "set-cookie" not in (await browser.get(path)).headers, path
    await browser.ask(EMAIL)
    wrong_code = await browser.type_code(wrong(site.mail().code))
    assert "set-cookie" not in wrong_code.headers
    done = await browser.type_code(site.mail().code)
    assert done.headers.get_list("set-cookie")
    for days in (0, 1, 6):  # a session rolls on without a new cookie
        site.clock.advance(days * 86400)
        for path in ("/private", "/auth/sessions", "/auth/login", "/auth/api/v1/session"):
            assert "set-cookie" not in (await browser.get(path)).headers, path


# --- imports -----------------------------------------------------------------------------------

_MAKE = """
from pwless_middleware import MemoryStore, Outbox, PasswordlessMiddleware
async def app(scope, receive, send): ...
PasswordlessMiddleware(app, secret_key="gT4vX9qLw2ZrB7mKc5NhD8sJf3YpE6uA1x", mailer=Outbox(),
                       base_url="http://localhost:8000", store=MemoryStore())
"""


def imported(code: str) -> set[str]:
    """Return the top-level modules of a fresh interpreter after this code, without its own."""
    ending = "\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code + ending], capture_output=True, text=True, check=True
    )
    names = {str(name) for name in json.loads(done.stdout)}
    tops = {name.partition(".")[0] for name in names}
    return {top for top in tops if top not in sys.stdlib_module_names and not top.startswith("_")}


def test_importing_the_package_imports_nothing_else() -> None:
    before = imported("")
    assert imported("import pwless_middleware") - before == {"pwless_middleware"}


def test_the_memory_store_and_the_outbox_import_no_more_than_they_need() -> None:
    """Neither redis-py (0.7 s) nor aiosmtplib, and Jinja2 only with the first page or mail."""
    found = imported(_MAKE) - imported("import starlette.applications, starlette.routing")
    assert found == {"pwless_middleware", "itsdangerous"}


def test_our_own_modules_are_imported_only_where_they_are_configured() -> None:
    ending = "\nimport sys; print([m for m in sys.modules if m.startswith('pwless_middleware')])"
    done = subprocess.run(
        [sys.executable, "-c", _MAKE + ending], capture_output=True, text=True, check=True
    )
    found = {name.removeprefix("pwless_middleware.") for name in ast.literal_eval(done.stdout)}
    assert found.isdisjoint({"stores.redis", "stores.redis.server", "delivery.smtp.mailer"})
    assert found.isdisjoint({"delivery.mime", "cli", "pytest_plugin"})


# --- calls -------------------------------------------------------------------------------------


class Calls:
    """Count the Python functions that are called while this is entered."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __enter__(self) -> Calls:
        sys.setprofile(self._called)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)

    def _called(self, frame: FrameType, event: str, arg: object) -> None:
        if event == "call" and "pwless_middleware" in frame.f_code.co_filename:
            self.names.append(frame.f_code.co_qualname)


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Be an app that answers at once."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def calls_of(app: ASGIApp, cookie: str | None, path: str = "/open/door") -> list[str]:
    """Return the functions of ours that an ordinary request calls, once it is not the first."""
    headers = [(b"host", b"app.example.com"), (b"accept", b"text/html")]
    if cookie is not None:
        headers.append((b"cookie", b"theme=dark; __Host-pwless=" + cookie.encode()))
    calls = Calls()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        assert message["type"].startswith("http.response.")

    for _ in range(3):
        calls.names.clear()
        scope: Scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "headers": headers,
        }
        with calls:
            await app(scope, receive, send)
    return calls.names


async def test_an_anonymous_request_calls_few_functions() -> None:
    site = make_site(answer, public=["/open/*"])
    names = await calls_of(site.app, None)
    assert len(names) <= 11, names  # two of them with each message of the answer


async def test_a_signed_in_request_calls_few_functions() -> None:
    site = make_site(answer)
    browser = site.browser()
    await browser.sign_in(EMAIL)
    names = await calls_of(site.app, browser.cookie())
    assert len(names) <= 15, names  # the clock is ours as well, as the system's always was
    assert not any(name.endswith(".find") or "unsign" in name for name in names), names


async def test_a_longer_path_costs_no_more_calls() -> None:
    site = make_site(answer, public=["/open/*"])
    short = await calls_of(site.app, None, "/open/" + "a" * 5)
    long = await calls_of(site.app, None, "/open/" + "a" * 2000 + "/b" * 500)
    assert long == short


# --- what a stranger can make dear (security rule 23) --------------------------------------------


class Work(Calls):
    """Count every call, of Python's own functions too."""

    def __enter__(self) -> Calls:
        gc.disable()  # it comes when it likes, and calls what others have asked to be told by
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        gc.enable()

    def _called(self, frame: FrameType, event: str, arg: object) -> None:
        if event in ("call", "c_call"):
            self.names.append(event)


async def work_of(site: Site, path: str, **more: object) -> tuple[int, int]:
    """Return the status of a page load, and how many calls it takes once it is not the first."""
    work = Work()
    for _ in range(2):
        work.names.clear()
        scope = http_scope(path, client=("10.0.0.1", 1), **more)
        with work:
            sent = await run(site.app, scope)
    return sent[0]["status"], len(work.names)


async def test_a_flood_of_cookies_costs_a_page_no_more_calls(site: Site) -> None:
    names = site.passwordless.cookies.names.all
    few, many = (
        (b"x;" * number).join(name + b"x;" for name in names) + b";" * number
        for number in (1, 3000)
    )
    for path in ("/auth/login", "/auth/verify", "/auth/link"):
        _, least = await work_of(site, path, headers=[(b"cookie", few)])
        _, most = await work_of(site, path, headers=[(b"cookie", many)])
        assert most <= least + 5, path


async def test_a_query_of_more_fields_than_anybody_needs_is_not_read(site: Site) -> None:
    pad = "&a=1"
    for path, shown in (("/auth/login", 200), ("/auth/link", 410)):
        query = b"next=/x" + pad.encode() * 99
        assert (await work_of(site, path, query_string=query))[0] == shown
        status, few = await work_of(site, path, query_string=query + pad.encode())
        assert status == 400
        _, many = await work_of(site, path, query_string=query + pad.encode() * 9000)
        assert many == few


PERCENT, RAW_PERCENT = "%" * 99_000, b"%25" * 99_000


@pytest.mark.parametrize(
    ("path", "more", "status"),
    [
        ("/auth/" + PERCENT, {"raw_path": b"/auth/" + RAW_PERCENT}, 404),
        ("/" + PERCENT, {"raw_path": b"/" + RAW_PERCENT}, 303),
        ("/auth/login", {"query_string": b"next=" + RAW_PERCENT}, 400),
        ("/", {"headers": [(b"cookie", b"pwless=x;" * 33_000)]}, 303),
    ],
    ids=["path of ours", "path", "query", "cookies"],
)
async def test_a_head_of_any_length_costs_no_more_calls(
    site: Site, path: str, more: dict[str, Any], status: int
) -> None:
    """Some servers set no limit to it."""
    headers = [(b"accept", b"text/html"), *more.get("headers", ())]
    answered, calls = await work_of(site, path, **{**more, "headers": headers})
    assert answered == status
    assert calls < 2000


async def test_a_header_of_more_cookies_than_browsers_send_is_kept_from_the_app() -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def app(scope: Any, receive: object, send: Any) -> None:
        seen.extend(scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    site = make_site(app=app, public=["/"])
    browser = site.browser()
    await browser.sign_in("jo@example.com")
    [(name, cookies)] = cookie_header(browser)
    for filler, has_cookies, status in ((b"a", True, 200), (b"a" * 65_536, False, 303)):
        headers = [(name, cookies + b"; b=" + filler), (b"accept", b"text/html")]
        seen.clear()
        await run(site.app, http_scope("/", headers=headers))
        assert (b"cookie" in dict(seen)) is has_cookies
        # Our own pages read it by the same rule.
        sent = await run(site.app, http_scope("/auth/sessions", headers=headers))
        assert sent[0]["status"] == status


async def test_a_chain_of_proxies_longer_than_any_is_not_followed() -> None:
    site = make_site(trusted_proxies=["10.0.0.0/8"])
    chains = ([(b"x-forwarded-for", b"10.0.0.2," * n + b"10.0.0.3")] for n in (30, 6000))
    few, many = [await work_of(site, "/auth/verify", headers=headers) for headers in chains]
    assert many == few


async def test_the_openapi_document_is_written_once(site: Site) -> None:
    calls = Calls()
    for _ in range(2):
        calls.names.clear()
        with calls:
            answer = await site.browser().get("/auth/api/v1/openapi.json")
    assert answer.json()["openapi"] == "3.1.0"
    assert "document" not in calls.names


# --- caches ------------------------------------------------------------------------------------


async def test_sessions_held_in_process_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_cache, "_MOST", 20)
    site = make_site(roomy=True)
    browsers = [site.browser(ip=f"203.0.113.{n}") for n in range(50)]
    for number, browser in enumerate(browsers):
        await browser.sign_in(f"person{number}@example.com")
    for _ in range(2):
        for number, browser in enumerate(browsers):
            assert await browser.who() == f"person{number}@example.com"
    sessions = site.keeper
    assert len(sessions._held) == 20
    assert sum(map(len, sessions._cache._signed_by_key.values())) == 20


async def test_nothing_is_held_for_forged_cookies(site: Site, store: Counting) -> None:
    """Security rule 23."""
    browser = site.browser()
    for number in range(100):
        browser.cookies[browser.cookie_name()] = f"{number:064d}.{number:043d}"
        assert await browser.who() is None
    assert site.keeper._held == {}
    assert site.keeper._cache._signed_by_key == {}


async def test_remembered_operations_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pwless_middleware.stores.memory._REMEMBERED", 10)
    site = make_site(roomy=True)
    for number in range(30):
        await site.browser(ip=f"203.0.113.{number}").sign_in(f"person{number}@example.com")
    assert isinstance(site.store, MemoryStore)
    assert len(site.store._answers) <= 10
    assert len(site.store.jobs) == 0
