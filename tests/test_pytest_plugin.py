"""The pytest plugin: each kind of client, what it says when it cannot, and how light it is."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import async_playwright
from playwright.sync_api import Browser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from pwless_middleware import EmailLogin, Outbox, Passwordless, PasswordlessMiddleware
from pwless_middleware.delivery.outbox import OutboxMessage
from pwless_middleware.pytest_plugin.clock import START, Clock
from pwless_middleware.pytest_plugin.sign_in import SignIn
from tests.live import served
from tests.needs import CHROMIUM, CHROMIUM_FLAGS

KEY = "mXr8vQ2tYz5bWn4cHs7dLf9gJa3eRu6pTk1"


async def profile(request: Request) -> JSONResponse:
    return JSONResponse({"email": request.state.user.email})


def starlette() -> Starlette:
    return Starlette(routes=[Route("/", profile), Route("/profile", profile)])


def wrapped(
    mailbox: Outbox,
    *,
    base_url: str = "http://localhost:8000",
    prefix: str = "/auth",
    login: EmailLogin | None = None,
    clock: Clock | None = None,
) -> PasswordlessMiddleware:
    make_site = Passwordless(
        secret_key=KEY,
        base_url=base_url,
        mailer=mailbox,
        prefix=prefix,
        features=[login or EmailLogin()],
        clock=clock,
    )
    return PasswordlessMiddleware(starlette(), passwordless=make_site)


@pytest.fixture
def live(pwless_mailbox: Outbox) -> Iterator[str]:
    """A real server in a thread; its base URL."""
    with served(lambda url: wrapped(pwless_mailbox, base_url=url)) as url:
        yield url


class TestHttpClients:
    def test_signs_in_a_test_client_and_gives_it_back(
        self, pwless_mailbox: Outbox, pwless_sign_in: SignIn
    ) -> None:
        client = TestClient(wrapped(pwless_mailbox))
        assert pwless_sign_in(client, "Jo@Example.com") is client
        assert client.get("/profile").json() == {"email": "jo@example.com"}

    def test_signs_in_over_https_where_the_client_has_the_same_base_url(
        self, pwless_mailbox: Outbox, pwless_sign_in: SignIn
    ) -> None:
        app = wrapped(pwless_mailbox, base_url="https://app.example.com")
        client = pwless_sign_in(
            TestClient(app, base_url="https://app.example.com"), "jo@example.com"
        )
        assert client.get("/profile").status_code == 200

    def test_finds_another_prefix_in_the_app(
        self, pwless_mailbox: Outbox, pwless_sign_in: SignIn
    ) -> None:
        client = TestClient(wrapped(pwless_mailbox, prefix="/enter"))
        pwless_sign_in(client, "jo@example.com")
        assert client.get("/profile").status_code == 200

    def test_finds_a_login_below_a_mount(
        self, pwless_mailbox: Outbox, pwless_sign_in: SignIn
    ) -> None:
        inner = wrapped(pwless_mailbox, base_url="http://localhost:8000/admin")
        client = TestClient(Starlette(routes=[Mount("/admin", inner), Route("/", profile)]))
        pwless_sign_in(client, "jo@example.com")
        assert client.get("/admin/profile").json() == {"email": "jo@example.com"}

    def test_uses_the_link_where_the_mail_has_no_code(
        self, pwless_mailbox: Outbox, pwless_sign_in: SignIn
    ) -> None:
        client = TestClient(wrapped(pwless_mailbox, login=EmailLogin(kind="LINK")))
        pwless_sign_in(client, "jo@example.com")
        assert client.get("/profile").status_code == 200

    def test_signs_in_twice_with_the_mail_of_the_second_time(
        self, pwless_mailbox: Outbox, pwless_sign_in: SignIn
    ) -> None:
        app = wrapped(pwless_mailbox)
        for client in (TestClient(app), TestClient(app)):
            assert pwless_sign_in(client, "jo@example.com").get("/profile").status_code == 200

    def test_signs_in_an_httpx_client_on_a_live_server(
        self, live: str, pwless_sign_in: SignIn
    ) -> None:
        with httpx.Client(base_url=live, timeout=30) as client:
            pwless_sign_in(client, "jo@example.com")
            assert client.get("/profile").json() == {"email": "jo@example.com"}

    def test_signs_in_an_httpx_client_without_a_base_url_of_its_own(
        self, live: str, pwless_sign_in: SignIn
    ) -> None:
        with httpx.Client(timeout=30) as client:
            pwless_sign_in(client, "jo@example.com", base_url=live)
            assert client.get(f"{live}/profile").status_code == 200

    @pytest.mark.anyio
    async def test_signs_in_an_async_client_when_awaited(
        self, pwless_mailbox: Outbox, pwless_sign_in: SignIn
    ) -> None:
        transport = httpx.ASGITransport(wrapped(pwless_mailbox))
        async with httpx.AsyncClient(transport=transport) as client:
            assert await pwless_sign_in(client, "jo@example.com") is client
            answer = await client.get("http://localhost:8000/profile")
            assert answer.json() == {"email": "jo@example.com"}

    def test_takes_another_mailbox(self, pwless_sign_in: SignIn) -> None:
        mailbox = Outbox()
        client = TestClient(wrapped(mailbox))
        pwless_sign_in(client, "jo@example.com", mailbox=mailbox)
        assert client.get("/profile").status_code == 200

    def test_waits_for_a_mail_that_comes_later(self) -> None:
        mailbox = Late()
        client = TestClient(wrapped(mailbox))
        SignIn(mailbox)(client, "jo@example.com")
        assert client.get("/profile").status_code == 200
        assert mailbox.looks > 3


class Late(Outbox):
    """A mailbox like one behind a mail server: the mail is seen at the third look after it."""

    looks = 0

    def latest(self, to: str | None = None) -> OutboxMessage | None:
        self.looks += 1
        return super().latest(to) if self.looks > 3 else None


class TestWhatGoesWrong:
    def test_no_mail_fails_the_test_and_says_where_to_look(self, pwless_mailbox: Outbox) -> None:
        app = wrapped(pwless_mailbox, login=EmailLogin(allow=["*@acme.example"]))
        with pytest.raises(pytest.fail.Exception, match="does the app let this address in"):
            SignIn(pwless_mailbox, patience=0)(TestClient(app), "jo@example.com")

    def test_a_refused_address_fails_with_the_words_of_the_page(
        self, pwless_mailbox: Outbox, pwless_sign_in: SignIn
    ) -> None:
        with pytest.raises(pytest.fail.Exception, match="answered with 400: Enter one email"):
            pwless_sign_in(TestClient(wrapped(pwless_mailbox)), "nobody")

    def test_an_app_without_a_login_fails_with_what_it_said(self, pwless_sign_in: SignIn) -> None:
        with pytest.raises(pytest.fail.Exception, match="answered with 404: Not Found"):
            pwless_sign_in(TestClient(starlette()), "jo@example.com")

    def test_a_client_that_would_lose_secure_cookies_is_told(
        self, pwless_mailbox: Outbox, pwless_sign_in: SignIn
    ) -> None:
        client = TestClient(wrapped(pwless_mailbox, base_url="https://app.example.com"))
        with pytest.raises(pytest.fail.Exception, match="base_url='https://app"):
            pwless_sign_in(client, "jo@example.com")

    def test_a_spent_budget_fails_with_the_words_of_the_page(
        self, pwless_mailbox: Outbox, pwless_sign_in: SignIn
    ) -> None:
        app = wrapped(pwless_mailbox)
        for _ in range(2):
            pwless_sign_in(TestClient(app), "jo@example.com")
        with pytest.raises(pytest.fail.Exception, match=r"with 429: Too many .* advance the clock"):
            pwless_sign_in(TestClient(app), "jo@example.com")

    def test_an_unknown_client_is_a_type_error(self, pwless_sign_in: SignIn) -> None:
        with pytest.raises(TypeError, match="int is no client"):
            pwless_sign_in(7, "jo@example.com")  # type: ignore[call-overload]

    def test_nothing_that_says_where_the_app_is(self, pwless_sign_in: SignIn) -> None:
        with httpx.Client() as client, pytest.raises(TypeError, match="give base_url"):
            pwless_sign_in(client, "jo@example.com")


class TestBrowsers:
    def test_signs_in_a_page(self, browser: Browser, live: str, pwless_sign_in: SignIn) -> None:
        context = browser.new_context()
        page = pwless_sign_in(context.new_page(), "jo@example.com", base_url=live)
        page.goto(f"{live}/profile")
        assert "jo@example.com" in page.content()
        context.close()

    def test_signs_in_a_page_that_is_at_the_app_already(
        self, browser: Browser, live: str, pwless_sign_in: SignIn
    ) -> None:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{live}/profile")
        pwless_sign_in(page, "jo@example.com")
        page.goto(f"{live}/profile")
        assert "jo@example.com" in page.content()
        context.close()

    def test_signs_in_without_javascript(
        self, browser: Browser, live: str, pwless_sign_in: SignIn
    ) -> None:
        context = browser.new_context(java_script_enabled=False)
        page = pwless_sign_in(context.new_page(), "jo@example.com", base_url=live)
        page.goto(f"{live}/profile")
        assert "jo@example.com" in page.content()
        context.close()

    def test_signs_in_a_context_and_leaves_no_page_behind(
        self, browser: Browser, live: str, pwless_sign_in: SignIn
    ) -> None:
        context = browser.new_context()
        pwless_sign_in(context, "jo@example.com", base_url=live)
        assert context.pages == []
        page = context.new_page()
        page.goto(f"{live}/profile")
        assert "jo@example.com" in page.content()
        context.close()

    def test_follows_the_link_where_the_mail_has_no_code(
        self, browser: Browser, pwless_mailbox: Outbox, pwless_sign_in: SignIn
    ) -> None:
        login = EmailLogin(kind="LINK")
        with served(lambda url: wrapped(pwless_mailbox, base_url=url, login=login)) as url:
            context = browser.new_context()
            page = pwless_sign_in(context.new_page(), "jo@example.com", base_url=url)
            page.goto(f"{url}/profile")
            assert "jo@example.com" in page.content()
            context.close()


@pytest.mark.usefixtures("browser")
def test_signs_in_an_async_page_when_awaited(live: str, pwless_sign_in: SignIn) -> None:
    """In a thread: a sync Playwright is at work in this one, and two do not share a loop."""
    seen: list[str] = []

    async def visit() -> None:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=CHROMIUM_FLAGS
            )
            page = await pwless_sign_in(await browser.new_page(), "jo@example.com", base_url=live)
            await page.goto(f"{live}/profile")
            seen.append(await page.content())
            await browser.close()

    thread = threading.Thread(target=lambda: asyncio.run(visit()))
    thread.start()
    thread.join(60)
    assert "jo@example.com" in seen[0]


class TestClockFixture:
    def test_begins_at_the_same_second_in_each_test(self, pwless_clock: Clock) -> None:
        assert pwless_clock() == pwless_clock.now == START

    def test_lets_a_session_end(
        self, pwless_mailbox: Outbox, pwless_clock: Clock, pwless_sign_in: SignIn
    ) -> None:
        client = TestClient(wrapped(pwless_mailbox, clock=pwless_clock))
        pwless_sign_in(client, "jo@example.com")
        pwless_clock.advance(8 * 86400)
        assert client.get("/profile").status_code == 401


class TestLightness:
    def test_importing_it_imports_nothing_of_the_web(self) -> None:
        code = (
            "import sys, pytest; before = set(sys.modules); import pwless_middleware.pytest_plugin;"
            "print(*sorted(set(sys.modules) - before))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stdout.split() == ["pwless_middleware", "pwless_middleware.pytest_plugin"]

    def test_the_entry_point_names_it(self) -> None:
        project = Path(__file__).parent.parent / "pyproject.toml"
        entries = tomllib.loads(project.read_text())["project"]["entry-points"]["pytest11"]
        assert entries == {"pwless": "pwless_middleware.pytest_plugin"}


EXAMPLE = """
import pytest
import secrets

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from pwless_middleware import PasswordlessMiddleware

async def profile(request):
    return PlainTextResponse(request.state.user.email)

@pytest.fixture
def app(pwless_mailbox, pwless_clock):
    return PasswordlessMiddleware(
        Starlette(routes=[Route("/profile", profile)]),
        secret_key=secrets.token_urlsafe(32),
        base_url="http://localhost:8000",
        mailer=pwless_mailbox,
        clock=pwless_clock,
    )

def test_profile(app, pwless_sign_in):
    client = pwless_sign_in(TestClient(app), "jo@example.com")
    assert client.get("/profile").text == "jo@example.com"

def test_session_ends(app, pwless_sign_in, pwless_clock):
    client = pwless_sign_in(TestClient(app), "jo@example.com")
    pwless_clock.advance(8 * 86400)
    assert client.get("/profile").status_code == 401
"""


def test_the_example_of_the_docs_runs_in_somebody_elses_project(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(EXAMPLE)
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    # Blocked under its entry point's name and loaded by module, so that it runs whether or not
    # this checkout's metadata is up to date. Dash, a tool that we wrap, brings a plugin that warns.
    plugin = ["-p", "no:pwless", "-p", "pwless_middleware.pytest_plugin", "-p", "no:cacheprovider"]
    plugin += ["-p", "no:dash"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr
