"""`run`: somebody's app behind a login, on a real uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import html
import os
import re
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message

import httpx
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.testclient import TestClient

from pwless_middleware import PasswordlessMiddleware, RedisStore
from pwless_middleware.cli.run import OPTIONS, app_from_environment, build
from pwless_middleware.cli.settings import Settings
from pwless_middleware.pytest_plugin.sign_in import SignIn
from tests.cli.conftest import KEY, PLAIN, Project
from tests.ports import free_port

SMTP_URL = "smtp://us:secret-pw@127.0.0.1:9"
PUBLIC = ("--base-url", "https://app.acme.example", "--sender", "login@acme.example")
FLASK = """
from flask import Flask, request
app = Flask(__name__)

@app.get("/")
def home():
    return {"user": request.headers.get("Remote-User"), "scheme": request.scheme}
"""


@dataclass
class Read:
    """A mail, as its text reads."""

    text: str
    link: str | None = None

    @property
    def code(self) -> str | None:
        found = re.search(r"\b[0-9]{6}\b", self.text)
        return found[0] if found else None


@dataclass
class MailboxPage:
    """The development mailbox of a running server, as a person sees it."""

    url: str
    _read: dict[str, Read] = field(default_factory=dict)

    def latest(self, to: str | None = None) -> Read | None:
        page = html.unescape(httpx.get(self.url, timeout=30).text)
        if to is None or to not in page:
            return None
        return self._read.setdefault(page, Read(page[page.index(to) :]))


@dataclass
class Inbox:
    """What an aiosmtpd server has taken."""

    mails: dict[str, Read] = field(default_factory=dict)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        parts = message_from_bytes(envelope.content).get_payload()
        assert isinstance(parts, list)
        assert isinstance(parts[0], Message)
        text = parts[0].get_payload(decode=True)
        assert isinstance(text, bytes)
        self.mails[envelope.rcpt_tos[0]] = Read(text.decode())
        return "250 taken"

    def latest(self, to: str | None = None) -> Read | None:
        return self.mails.get(to or "")


@pytest.fixture
async def inbox() -> AsyncIterator[tuple[Inbox, int]]:
    """A mail server on the test's loop, and its port."""
    inbox = Inbox()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(inbox, hostname="localhost"), "127.0.0.1", 0
    )
    yield inbox, server.sockets[0].getsockname()[1]
    server.close()


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/auth/health", timeout=2).status_code == 200
    return False


class TestDevelopment:
    def test_serves_an_app_that_knows_nothing_of_it(
        self, project: Project, caplog: pytest.LogCaptureFixture
    ) -> None:
        """In this process, stopped by the signal that a person at a terminal sends."""
        project.write("site_app", PLAIN)
        port = free_port()
        url = f"http://localhost:{port}"
        seen: list[object] = []

        def visit() -> None:
            ends = time.monotonic() + 40
            while not _answers(url) and time.monotonic() < ends:
                time.sleep(0.02)
            try:
                with httpx.Client(base_url=url, timeout=30) as client:
                    seen.append(client.get("/").status_code)
                    # What the console says; this process knows the same key.
                    mailbox = MailboxPage(build(Settings.read(os.environ)).mailbox_url or "")
                    SignIn(mailbox)(client, "jo@example.com")
                    seen.append(client.get("/").json())
            finally:
                os.kill(os.getpid(), signal.SIGINT)

        visitor = threading.Thread(target=visit)
        visitor.start()
        code, out, _ = project.run("run", "site_app:app", "--port", str(port))
        visitor.join(30)
        told = {"user": "jo@example.com", "scheme": "http", "header": None, "scope_user": True}
        assert seen == [401, told]
        assert code == 0
        assert f"site_app:app behind a login at {url}/" in out
        assert f"{url}/auth/outbox?token=" in caplog.text
        assert "logins are kept here, in pwless.db" in out


@pytest.mark.anyio
async def test_several_workers_know_of_each_others_logins(
    project: Project, inbox: tuple[Inbox, int], redis_url: str
) -> None:
    box, smtp_port = inbox
    project.write("site_app", PLAIN + "import os\napp.state.pid = os.getpid()\n")
    port = free_port()
    url = f"http://localhost:{port}"
    call = [sys.executable, "-m", "pwless_middleware", "run", "site_app:app", "--workers", "2"]
    environ = {
        **os.environ,
        "PWLESS_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
        "PWLESS_SENDER": "login@acme.example",
        "PWLESS_REDIS_URL": redis_url,
        "PWLESS_SECRET_KEY": KEY,
        "PWLESS_PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        *call,
        *("--allow", "*@acme.example", "--public", "/open"),
        env=environ,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        ends = time.monotonic() + 30
        while not await asyncio.to_thread(_answers, url):
            assert time.monotonic() < ends
            assert process.returncode is None
            await asyncio.sleep(0.05)
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            assert (await client.get("/open")).json()["user"] == ""
            await SignIn(box)(client, "jo@acme.example")
            for _ in range(8):
                # A connection of its own each time, which either worker may take.
                headers = {"connection": "close"}
                assert (await client.get("/", headers=headers)).json()["user"] == "jo@acme.example"
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            with pytest.raises(pytest.fail.Exception, match="no email came"):
                await SignIn(box, patience=1)(client, "jo@elsewhere.example")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(30):
                _, errors = await process.communicate()
        except TimeoutError:
            process.kill()
            raise
    assert b"Traceback" not in errors, errors.decode()


class TestRefuses:
    @pytest.fixture(autouse=True)
    def site(self, project: Project) -> None:
        project.write("site_app", PLAIN)

    def refused(self, project: Project, *args: str) -> str:
        code, out, err = project.run("run", *args)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert "Traceback" not in err
        return err

    def test_a_public_address_without_a_key(self, project: Project) -> None:
        err = self.refused(project, "site_app:app", *PUBLIC)
        assert err.startswith("pwless: secret_key: set PWLESS_SECRET_KEY")

    def test_a_public_address_without_a_mail_server(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PWLESS_SECRET_KEY", KEY)
        err = self.refused(project, "site_app:app", *PUBLIC)
        assert err.startswith("pwless: mailer: set --smtp-url")

    def test_a_public_address_that_lets_in_nobody_in_particular(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PWLESS_SECRET_KEY", KEY)
        err = self.refused(project, "site_app:app", *PUBLIC, "--smtp-url", SMTP_URL)
        assert err.startswith("pwless: allow: say who may sign in")
        assert "secret-pw" not in err

    def test_an_http_address_elsewhere(self, project: Project) -> None:
        err = self.refused(project, "site_app:app", "--base-url", "http://app.acme.example")
        assert "http is for localhost only" in err

    def test_a_short_key(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PWLESS_SECRET_KEY", "short-one")
        err = self.refused(project, "site_app:app")
        assert err.startswith("pwless: secret_key: ")
        assert "short-one" not in err

    def test_an_option_that_the_library_refuses(self, project: Project) -> None:
        assert "prefix: " in self.refused(project, "site_app:app", "--prefix", "auth/")
        err = self.refused(project, "site_app:app", "--allow", "nonsense")
        assert "allow: 'nonsense' is neither" in err

    def test_workers_that_share_nothing(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PWLESS_SECRET_KEY", KEY)
        public = (*PUBLIC, "--smtp-url", SMTP_URL, "--allow", "*@acme.example")
        err = self.refused(project, "site_app:app", "--workers", "2", *public)
        assert "set --database or --redis-url" in err

    def test_workers_that_have_no_common_mailbox(self, project: Project) -> None:
        err = self.refused(project, "site_app:app", "--workers", "2")
        assert "set --smtp-url" in err

    def test_an_app_that_is_not_there(self, project: Project) -> None:
        assert "has no 'nope'" in self.refused(project, "site_app:nope")

    def test_before_any_worker_is_started(self, project: Project) -> None:
        shared = ("--redis-url", "redis://127.0.0.1:9/0", "--smtp-url", SMTP_URL, *PUBLIC[2:])
        err = self.refused(project, "site_app:nope", "--workers", "2", *shared)
        assert "has no 'nope'" in err

    def test_a_wsgi_app_that_nobody_called_one(self, project: Project) -> None:
        project.write("flask_app", FLASK)
        assert "add --wsgi" in self.refused(project, "flask_app:app")

    @pytest.mark.parametrize(
        ("module", "args", "extra"), [("uvicorn", (), "run"), ("a2wsgi", ("--wsgi",), "wsgi")]
    )
    def test_what_is_not_installed_is_named(
        self,
        module: str,
        args: tuple[str, ...],
        extra: str,
        project: Project,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setitem(sys.modules, module, None)
        err = self.refused(project, "site_app:app", *args)
        assert f"pip install 'pwless-middleware[{extra}]'" in err


class TestAppFromEnvironment:
    def environment(self, monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
        monkeypatch.setenv("PWLESS_SECRET_KEY", KEY)
        for name, value in variables.items():
            monkeypatch.setenv(f"PWLESS_{name}", value)

    def test_tells_the_app_the_scheme_that_people_see(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project.write("site_app", PLAIN)
        self.environment(
            monkeypatch,
            APP="site_app:app",
            BASE_URL="https://app.acme.example",
            SMTP_URL=SMTP_URL,
            SENDER="login@acme.example",
            ALLOW="*",
            PUBLIC="/",
            SET_SCOPE_USER="0",
            IDENTITY_HEADER="Remote-User",
            BRAND_NAME="Acme Ltd",
        )
        # With its lifespan, which passes through.
        with TestClient(app_from_environment(), base_url="http://inside:8000") as client:
            told = client.get("/", headers={"remote-user": "forged@acme.example"}).json()
            assert told == {"user": "", "scheme": "https", "header": None, "scope_user": False}
            assert "Acme Ltd" in client.get("/auth/login").text

    def test_wraps_a_wsgi_app_that_reads_a_header(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project.write("flask_app", FLASK)
        self.environment(
            monkeypatch,
            APP="flask_app:app",
            WSGI="1",
            BASE_URL="http://localhost:8000",
            IDENTITY_HEADER="Remote-User",
        )
        client = TestClient(app_from_environment(), base_url="http://localhost:8000")
        client = TestClient(client.app, base_url="http://localhost:8000", client=("127.0.0.1", 1))
        SignIn(Inside(client))(client, "jo@example.com")
        assert client.get("/").json() == {"user": "jo@example.com", "scheme": "http"}

    @pytest.mark.anyio
    async def test_keeps_everything_in_redis_where_there_is_one(
        self, project: Project, monkeypatch: pytest.MonkeyPatch, redis_url: str
    ) -> None:
        project.write("site_app", PLAIN)
        self.environment(
            monkeypatch,
            APP="site_app:app",
            BASE_URL="http://localhost:8000",
            REDIS_URL=redis_url,
            COOKIE_NAME="tool",
            BEARER="1",
        )
        app = app_from_environment()
        assert isinstance(app, PasswordlessMiddleware)
        assert app.passwordless.cookies.names.session == b"tool="
        assert app.passwordless.vary == (b"vary", b"Cookie, Authorization")
        assert isinstance(app.passwordless.store, RedisStore)
        await app.passwordless.store.ping()
        await app.passwordless.store.aclose()

    def test_apps_on_two_ports_keep_their_cookies_apart(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project.write("site_app", PLAIN)
        names = set()
        for port in (8000, 8001):
            base_url = f"http://localhost:{port}"
            self.environment(monkeypatch, APP="site_app:app", BASE_URL=base_url)
            app = app_from_environment()
            assert isinstance(app, PasswordlessMiddleware)
            names.add(app.passwordless.cookies.names.session)
        assert len(names) == 2

    def test_calls_a_factory(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        project.write("site_app", PLAIN + "def make(): return app\n")
        base_url = "http://localhost:8000"
        self.environment(monkeypatch, APP="site_app:make", FACTORY="1", BASE_URL=base_url)
        assert TestClient(app_from_environment()).get("/").status_code == 401


@dataclass
class Inside:
    """The development mailbox, read through the client itself."""

    client: TestClient

    def latest(self, to: str | None = None) -> Read | None:
        address = self.client.app.passwordless.mailbox_url  # type: ignore[attr-defined]
        page = html.unescape(self.client.get(address).text)
        return Read(page[page.index(to) :]) if to is not None and to in page else None


def test_every_option_has_a_variable_and_no_secret_key_is_among_them() -> None:
    variables = [option.variable for option in OPTIONS]
    assert len(set(variables)) == len(variables)
    assert "PWLESS_SECRET_KEY" not in variables
    assert "PWLESS_SET_SCOPE_USER" in variables
