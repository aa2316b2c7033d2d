"""The demo: its settings, its pages, and the snippets that it shows, run as they stand."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

import demo_app.__main__
from demo_app.app import create_app, from_environment, from_settings
from demo_app.sample_data import Clock, SampleMailer, make_sample_data
from demo_app.settings import Settings, SettingsError
from demo_app.ways import pages as pages_way
from demo_app.ways import server as server_way
from pwless_middleware import Outbox, PasswordlessMiddleware, SMTPMailer
from pwless_middleware.cli.local_files import complete_database
from pwless_middleware.pytest_plugin.sign_in import SignIn
from tests.live import clock_of_today, served, shell_answers
from tests.ports import free_port
from tests.support import led_to

SECRET_KEY = "5d2c8e1f7a9b4c3d6e0f8a1b2c3d4e5f"
API_KEY = "pwk_" + "0123456789abcdef" * 2
ORIGIN = {"origin": "http://localhost:8000"}
WAYS = Path(demo_app.__file__).parent / "ways"


def client(outbox: Outbox | None = None, **options: Any) -> TestClient:
    """Return a client of a fresh demo."""
    app = create_app(secret_key=SECRET_KEY, mailer=outbox, **options)
    return TestClient(
        app, base_url="http://localhost:8000", follow_redirects=False, client=("127.0.0.1", 4711)
    )


# --- settings ------------------------------------------------------------------------------------


def test_without_any_variable_the_demo_runs_on_a_laptop() -> None:
    settings = Settings.read({})
    assert (settings.port, settings.workers) == (8000, 1)
    assert settings.base_url == "http://localhost:8000"
    assert settings.is_key_fresh
    assert settings.secret_key != Settings.read({}).secret_key


def test_a_restart_signs_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo keeps its logins and its key in the folder where it is started."""
    monkeypatch.chdir(tmp_path)
    cookies: dict[str, str] = {}
    for _ in range(2):
        environ: dict[str, str] = {}
        complete_database(environ, name="pwless-demo")
        app = from_settings(Settings.read(environ))
        with TestClient(app, base_url="http://localhost:8000") as visitor:
            visitor.cookies.update(cookies)
            if not cookies:
                assert isinstance(app.passwordless.mailer, Outbox)
                SignIn(app.passwordless.mailer)(visitor, "jo@example.com")
            assert visitor.get("/dashboard").status_code == 200
            cookies = dict(visitor.cookies)
    assert {each.name for each in tmp_path.iterdir()} == {
        "pwless-demo.db",
        "pwless-demo.db-lock",
        "pwless-demo.key",
    }


def test_the_environment_is_read_whole() -> None:
    settings = Settings.read(
        {
            "PWLESS_DEMO_PORT": "8080",
            "PWLESS_BASE_URL": "https://demo.example.com",
            "PWLESS_SECRET_KEY": f"{SECRET_KEY},{SECRET_KEY}2",
            "PWLESS_SMTP_URL": "smtps://u:p@mail.example.com",
            "PWLESS_SMTP_SENDER": "Demo <login@example.com>",
            "PWLESS_DATABASE_URL": "postgresql://us:database-pw@localhost/demo",
            "PWLESS_REDIS_URL": "redis://localhost",
            "PWLESS_API_KEY": API_KEY,
            "PWLESS_WORKERS": "3",
        }
    )
    assert (settings.port, settings.workers) == (8080, 3)
    assert settings.base_url == "https://demo.example.com"
    assert settings.secret_key == (SECRET_KEY, f"{SECRET_KEY}2")
    assert not settings.is_key_fresh
    shown = repr(settings)
    assert not any(secret in shown for secret in (SECRET_KEY, API_KEY, "u:p", "database-pw"))


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"PWLESS_DEMO_PORT": "0"}, "PWLESS_DEMO_PORT"),
        ({"PWLESS_DEMO_PORT": "eighty"}, "PWLESS_DEMO_PORT"),
        ({"PWLESS_WORKERS": "65"}, "PWLESS_WORKERS"),
        ({"PWLESS_WORKERS": "2"}, "PWLESS_DATABASE_URL"),
        ({"PWLESS_WORKERS": "2", "PWLESS_REDIS_URL": "redis://x"}, "PWLESS_SECRET_KEY"),
        ({"PWLESS_SMTP_URL": "smtp://localhost"}, "PWLESS_SMTP_SENDER"),
        ({"PWLESS_SMTP_SENDER": "a@example.com"}, "PWLESS_SMTP_URL"),
    ],
)
def test_a_wrong_variable_is_named(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Settings.read(environ)


def test_the_factory_makes_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PWLESS_SMTP_URL", "smtp://localhost:2525")
    monkeypatch.setenv("PWLESS_SMTP_SENDER", "login@example.com")
    monkeypatch.setenv("PWLESS_API_KEY", API_KEY)
    app = from_environment()
    assert isinstance(app, PasswordlessMiddleware)
    assert isinstance(app.passwordless.mailer, SMTPMailer)


# --- pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/spa", "/ways", "/own-form", "/magic", "/guide", "/static/demo.css"]
)
def test_public_pages_need_no_login(path: str) -> None:
    assert client().get(path).status_code == 200


@pytest.mark.parametrize("path", ["/dashboard", "/notes?about=links", "/echo"])
def test_private_pages_send_to_login_and_back(path: str) -> None:
    answer = client().get(path, headers={"accept": "text/html"})
    assert answer.status_code == 303
    assert led_to(answer).startswith("/auth/login?next=")


@pytest.mark.parametrize("page", ["/", "/ways", "/own-form", "/magic", "/spa"])
def test_pages_hold_no_inline_script_or_style(page: str) -> None:
    answer = client().get(page)
    assert "'unsafe-inline'" not in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", answer.text)


def test_with_a_real_mail_server_there_is_no_mailbox() -> None:
    mailer = SMTPMailer("smtp://localhost:2525", sender="login@example.com")
    app = create_app(secret_key=SECRET_KEY, mailer=mailer)
    visitor = TestClient(app, base_url="http://localhost:8000")
    assert "/auth/outbox" not in visitor.get("/").text
    assert visitor.get("/auth/outbox").status_code == 404


def test_a_page_that_is_not_there_is_told_in_the_demos_own_look() -> None:
    answer = client().get("/static/nothing-here")
    assert answer.status_code == 404
    assert '<header class="bar">' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_note_that_is_not_there_is_said_so() -> None:
    outbox = Outbox()
    visitor = client(outbox)
    sign_in_by_own_form(visitor, outbox)
    assert "No note about that" in visitor.get("/notes?about=%3Cb%3E").text


def test_with_a_database_people_add_second_factors(tmp_path: Path) -> None:
    outbox = Outbox()
    with client(outbox, database=f"sqlite:///{tmp_path}/demo.db") as browser:
        browser.post("/auth/login", data={"email": "jo@example.com"}, headers=ORIGIN)
        mail = outbox.latest("jo@example.com")
        assert mail is not None
        browser.post("/auth/verify", data={"code": mail.code or ""}, headers=ORIGIN)
        assert "<code>any</code>" in browser.get("/dashboard").text
        own = browser.get("/auth/account/second-factors")
        assert own.status_code == 200
        assert "/auth/account/second-factors/totp" in own.text


def test_two_customers_have_rules_of_their_own(tmp_path: Path) -> None:
    outbox = Outbox()
    with client(outbox, database=f"sqlite:///{tmp_path}/demo.db") as browser:
        page = browser.get("/auth/login?organization=alder&next=/dashboard")
        assert "Alder" in page.text
        browser.post("/auth/login", data={"email": "jo@alder.example"}, headers=ORIGIN)
        code = outbox.messages[-1].code
        answer = browser.post("/auth/verify", data={"code": code or ""}, headers=ORIGIN)
        assert led_to(answer).startswith("/auth/step/")
        kim = {"email": "kim@birch.example"}
        browser.post("/auth/login?organization=birch", data=kim, headers=ORIGIN)
        assert "/auth/sso/start" in browser.get("/auth/verify").text


# --- the ways ------------------------------------------------------------------------------------


def sign_in_by_own_form(visitor: TestClient, outbox: Outbox) -> None:
    """Walk through the form of `in_python.py`."""
    visitor.post("/own-form", data={"email": "jo@example.com"}, headers=ORIGIN)
    code = outbox.messages[-1].code
    answer = visitor.post("/own-form", data={"code": code}, headers=ORIGIN)
    assert answer.headers["location"] == "/dashboard"


def test_the_page_shows_each_way_as_its_file_has_it() -> None:
    page = client().get("/ways").text
    for name in ("pages.py", "server.py", "server.sh", "in_python.py", "../static/spa.js"):
        first = (WAYS / name).read_text().splitlines()[0]
        assert first.split("'")[0] in page.replace("&#34;", '"')


def test_the_pages_way_runs() -> None:
    visitor = TestClient(pages_way.app, base_url="http://localhost:8000")
    outbox = pages_way.app.passwordless.mailer
    assert isinstance(outbox, Outbox)
    assert visitor.get("/").status_code == 401
    visitor.post("/auth/login", data={"email": "jo@example.com"}, headers=ORIGIN)
    code = outbox.messages[-1].code
    visitor.post("/auth/verify", data={"code": code}, headers=ORIGIN)
    assert visitor.get("/").text == "Hello, jo@example.com!"


def test_the_python_way_runs() -> None:
    outbox = Outbox()
    visitor = client(outbox)
    sign_in_by_own_form(visitor, outbox)
    assert "jo@example.com" in visitor.get("/dashboard").text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"email": "nobody"}, 400),
        ({"code": "12"}, 410),
        ({"code": "123456"}, 410),
    ],
)
def test_the_python_way_tells_what_is_wrong(fields: dict[str, str], status: int) -> None:
    answer = client().post("/own-form", data=fields, headers=ORIGIN)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text


def test_the_python_way_begins_again_with_another_address() -> None:
    answer = client().post("/own-form", data={"again": "1"}, headers=ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/own-form")


def test_the_python_way_refuses_posts_of_other_sites() -> None:
    outbox = Outbox()
    visitor = client(outbox)
    for origin in ({}, {"origin": "https://evil.example"}):
        answer = visitor.post("/own-form", data={"email": "jo@example.com"}, headers=origin)
        assert answer.status_code == 403
    assert outbox.messages == []


@pytest.fixture
def live() -> Iterator[tuple[str, Outbox]]:
    """Serve a demo with an API key."""
    outbox = Outbox()

    def make(url: str) -> PasswordlessMiddleware:
        return create_app(
            secret_key=SECRET_KEY,
            base_url=url,
            mailer=outbox,
            api_keys={"demo": API_KEY},
            clock=clock_of_today(),
        )

    with served(make) as url:
        yield url, outbox


def test_the_server_way_runs(live: tuple[str, Outbox]) -> None:
    """An empty code asks for another mail, as its prompt says."""
    url, outbox = live
    prompts = 0

    def ask() -> str:
        nonlocal prompts
        prompts += 1
        return "" if prompts == 1 else outbox.messages[-1].code or ""

    session = server_way.sign_in(url, API_KEY, "jo@example.com", ask)
    assert session["email"] == "jo@example.com"
    assert session["state"] == "cart-42"
    assert session["session_token"].startswith("pws_")
    assert len(outbox.messages) == 2


def test_the_curl_lines_run(live: tuple[str, Outbox]) -> None:
    url, outbox = live
    answers = shell_answers((WAYS / "server.sh").read_text(), url, API_KEY, outbox)
    assert [a.get("passwordless_type") for a in answers] == ["OTP", "OTP", "OTP"]
    assert answers[-1]["session_token"].startswith("pws_")


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the demo keeps are not those of who runs the tests."""
    monkeypatch.setenv("PWLESS_DATABASE_URL", f"sqlite:///{tmp_path}/demo.db")


def start(**environ: str) -> tuple[subprocess.Popen[str], str]:
    """Start the demo as a person does, and wait until it answers."""
    port = free_port()
    kept = "PWLESS_DATABASE_URL"
    clean = {k: v for k, v in os.environ.items() if k == kept or not k.startswith("PWLESS_")}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "demo_app", "--port", str(port)],
        env={**clean, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    url = f"http://localhost:{port}"
    deadline = time.monotonic() + 40
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/auth/health", timeout=30).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return process, url
    process.kill()
    raise AssertionError(process.communicate()[0])


def stop(process: subprocess.Popen[str]) -> str:
    """Interrupt it, and give what it printed."""
    process.terminate()
    return process.communicate(timeout=40)[0]


def test_the_command_starts_it_and_says_where_to_look() -> None:
    process, url = start()
    assert "Fernway" in httpx.get(url, timeout=30).text
    printed = stop(process)
    assert f"Open {url}" in printed
    assert f"the guide is at {url}/guide" in printed
    assert f"{url}/auth/outbox" in printed
    assert "no PWLESS_SECRET_KEY: it is kept in" in printed


def test_the_command_names_what_is_wrong() -> None:
    environ = {**os.environ, "PWLESS_SECRET_KEY": "short"}
    done = subprocess.run(
        [sys.executable, "-m", "demo_app"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "secret_key" in done.stderr


def test_the_command_says_that_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "demo_app", "--port", str(port)], capture_output=True, text=True
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"port {port}: Address already in use; set another with --port" in done.stderr


def test_the_command_says_that_the_server_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.setattr(sys, "argv", ["demo_app"])
    assert demo_app.__main__.main() == 2
    assert "pip install -e '.[demo]'" in capsys.readouterr().err


def test_several_workers_share_one_file() -> None:
    """A login of one worker is known to the other: every request is answered."""
    process, url = start(PWLESS_API_KEY=API_KEY, PWLESS_WORKERS="2")
    try:
        key = {"authorization": f"Bearer {API_KEY}"}
        sent = httpx.post(
            f"{url}/auth/api/v1/passwordless/email/send",
            json={"email": f"{free_port()}@example.com"},
            headers=key,
        )
        assert sent.status_code == 200
        for _ in range(8):
            wrong = httpx.post(
                f"{url}/auth/api/v1/passwordless/email/verify",
                json={"auth_request_id": sent.json()["auth_request_id"], "code": "000000"},
                headers=key,
            )
        # Five tries, counted by all workers together (one chance in a million per try to be right).
        assert wrong.status_code == 429
    finally:
        printed = stop(process)
    assert "mailbox of its own" in printed


# --- sample data ---------------------------------------------------------------------------------


def test_sample_data_is_a_month_of_logins_and_some_fail(tmp_path: Path) -> None:
    def make_app(clock: Clock, mailer: SampleMailer) -> PasswordlessMiddleware:
        database = f"sqlite:///{tmp_path}/sample.db"
        return create_app(secret_key=SECRET_KEY, mailer=mailer, database=database, clock=clock)

    def make() -> bool:
        base_url = "http://localhost:8000"
        return asyncio.run(make_sample_data(make_app, base_url=base_url, attempts=100))

    assert make()
    found = sqlite3.connect(tmp_path / "sample.db")
    kinds = dict(found.execute("SELECT kind, COUNT(*) FROM pwless_events GROUP BY kind"))
    assert kinds["send.requested"] >= 100
    assert kinds["session.created"] > kinds["send.requested"] / 2
    for kind in ("code.wrong", "limit.reached", "mail.deferred", "link.scanned", "step.verified"):
        assert kinds[kind] > 0, kind
    ((first, last),) = found.execute("SELECT MIN(at), MAX(at) FROM pwless_events")
    assert time.time() - 32 * 86400 < first < last < time.time() + 3600
    found.close()
    assert not make()  # what somebody's own logins have left is not mixed with a sample
