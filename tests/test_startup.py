"""A wrong option as the person at the console sees it, however the middleware was put on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from pwless_middleware import ConfigError, Outbox, PasswordlessMiddleware
from pwless_middleware.pytest_plugin.mailbox import Mailbox
from tests.ports import free_port
from tests.support import KEY, WhoAmI, http_scope, make_site

ok = WhoAmI()

BAD: dict[str, Any] = {"secret_key": "short", "base_url": "http://localhost:8000"}


def added(kind: Callable[[], Any]) -> ASGIApp:
    app: Any = kind()
    app.add_middleware(PasswordlessMiddleware, **BAD, mailer=Outbox())
    asgi: ASGIApp = app
    return asgi


@pytest.mark.parametrize("kind", [Starlette, FastAPI])
def test_add_middleware_fails_the_startup_with_one_line(kind: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError, match=r"^secret_key: "), TestClient(added(kind)):
        raise AssertionError("it has started")


class _Ours(PasswordlessMiddleware):
    """A host's own subclass."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)


def test_without_a_lifespan_each_request_is_a_500_with_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app: Any = Starlette()
    app.add_middleware(_Ours, **BAD, mailer=Outbox())
    client = TestClient(app)
    answer = client.get("/")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    ours = [record for record in caplog.records if record.name.startswith("pwless")]
    assert [record.getMessage().splitlines() for record in ours] == [
        [f"nothing is served: {_message()}"]
    ]
    with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect("/"):
        raise AssertionError("it was accepted")
    assert closed.value.code == 1011


def _message() -> str:
    with pytest.raises(ConfigError) as raised:
        PasswordlessMiddleware(ok, **BAD, mailer=Outbox())
    return str(raised.value)


def test_added_twice_fails_the_startup_too() -> None:
    app = Starlette()
    for _ in range(2):
        app.add_middleware(PasswordlessMiddleware, **{**BAD, "secret_key": KEY}, mailer=Outbox())
    with pytest.raises(ConfigError, match="take one of them out"), TestClient(app):
        raise AssertionError("it has started")


def test_a_list_of_a_mount_is_made_at_once_and_raises_there() -> None:
    wrong = Middleware(PasswordlessMiddleware, **BAD, mailer=Outbox())
    with pytest.raises(ConfigError, match="secret_key"):
        Starlette(routes=[Mount("/", app=ok, middleware=[wrong])])


def test_a_server_says_it_before_it_is_up_and_ends(tmp_path: Path) -> None:
    """uvicorn takes an exception in the lifespan for an app without one, and would serve on."""
    (tmp_path / "site_app.py").write_text(
        "from starlette.applications import Starlette\n"
        "from pwless_middleware import Outbox, PasswordlessMiddleware\n"
        "app = Starlette()\n"
        "app.add_middleware(PasswordlessMiddleware, secretkey='x', mailer=Outbox())\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "uvicorn", "site_app:app", "--port", str(free_port())],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode != 0
    assert "secretkey: Passwordless has no such option; did you mean secret_key?" in done.stderr
    assert "startup complete" not in done.stderr
    assert "Traceback" not in done.stderr


def test_an_outbox_on_https_fails_the_startup() -> None:
    """People would wait for mails that nobody sends; an app under test is told apart."""
    options: dict[str, Any] = {"secret_key": KEY, "base_url": "https://app.example.com"}
    app = PasswordlessMiddleware(Starlette(), mailer=Outbox(), **options)
    told = r"^mailer: .*SMTPMailer.*pwless_mailbox"
    with pytest.raises(ConfigError, match=told), TestClient(app):
        raise AssertionError("it has started")
    with TestClient(PasswordlessMiddleware(Starlette(), mailer=Mailbox(), **options)):
        pass


# --- what cannot be wrapped ----------------------------------------------------------------------


def create_app(debug: bool = False) -> Starlette:
    return Starlette(debug=debug)


def wsgi(environ: object, start_response: object) -> None: ...


def asgi_2(scope: Scope) -> None: ...


@pytest.mark.parametrize(
    ("app", "told"),
    [
        (None, "set the ASGI app to wrap; NoneType cannot be called"),
        ("main:app", "set the ASGI app to wrap; str cannot be called"),
        (create_app, r"PasswordlessMiddleware\(create_app\(\), \.\.\.\)"),
        (Starlette, r"Starlette makes an app and is none: call it"),
        (wsgi, "WSGIMiddleware"),
        (asgi_2, "does not take scope, receive and send"),
    ],
)
def test_what_is_no_app_is_named(app: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=f"^app: .*{told}"):
        PasswordlessMiddleware(app, secret_key=KEY, base_url="http://localhost:8000")


class _Endpoint:
    """An app that is a class, as Starlette's endpoints are."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


@pytest.mark.parametrize("app", [ok, _Endpoint, Starlette(), lambda *args: None, max])
def test_what_may_be_an_app_is_taken(app: Any) -> None:
    PasswordlessMiddleware(app, passwordless=make_site().passwordless)


def test_a_passwordless_of_another_kind_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^passwordless: set Passwordless\(\.\.\.\)"):
        PasswordlessMiddleware(ok, passwordless="x")  # type: ignore[arg-type]


# --- asyncio only --------------------------------------------------------------------------------


def run_without_asyncio(app: ASGIApp, scope: Scope) -> list[Message]:
    """Call an app as a server on another event loop does."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    call: Any = app(scope, receive, send)
    with pytest.raises(ConfigError, match="asyncio; trio is not supported"):
        call.send(None)
    return sent


def test_another_event_loop_than_asyncio_is_refused_by_name() -> None:
    site = make_site()
    sent = run_without_asyncio(site.app, {"type": "lifespan"})
    assert [message["type"] for message in sent] == ["lifespan.startup.failed"]
    assert run_without_asyncio(site.app, http_scope("/")) == []


# --- from a zip ----------------------------------------------------------------------------------


def test_the_package_works_from_a_zip(tmp_path: Path) -> None:
    """Pages, style sheets and Lua scripts are read as resources, not as files beside the code."""
    import zipfile

    import pwless_middleware

    package = Path(pwless_middleware.__file__).parent
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        for file in package.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, Path(package.name) / file.relative_to(package))
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "login.html").write_text('{% extends "pwless/login.html" %}')
    script = f"""
import sys
sys.path.insert(0, {str(tmp_path / "lib.zip")!r})
import pwless_middleware as p
from pwless_middleware.stores.redis.scripts import Script
from starlette.testclient import TestClient
assert ".zip" in p.__file__ and Script.load("attempt")
async def app(scope, receive, send): ...
outbox = p.Outbox()
client = TestClient(
    p.PasswordlessMiddleware(
        app,
        secret_key={KEY!r},
        base_url="http://localhost:8000",
        mailer=outbox,
        templates={str(tmp_path / "templates")!r},
    ),
    base_url="http://localhost:8000",
)
page = client.get("/auth/login").text
sheet = page.split('stylesheet" href="')[1].split('"')[0]
assert client.get(sheet).status_code == 200
origin = {{"origin": "http://localhost:8000"}}
assert client.post("/auth/login", data={{"email": "jo@example.com"}}, headers=origin).is_success
assert outbox.messages[-1].code and "<html" in outbox.messages[-1].html
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# --- without a database --------------------------------------------------------------------------


def test_without_a_database_nothing_of_one_is_loaded() -> None:
    """Each of these modules is time that every start of every process would wait for."""
    script = f"""
import sys
from pwless_middleware import Outbox, Passwordless
Passwordless(secret_key={KEY!r}, base_url="http://localhost:8000", mailer=Outbox())
ours = ("database.", "stores.sql", "web.mounting.database_floor", "core.people.person",
        "core.events.event_retention", "core.events.event_search", "flows.operators.api_keys",
        "flows.events.event_writer", "flows.people.last_seen", "flows.people.people",
        "flows.people.person", "flows.settings.settings", "flows.operators.stored_keys",
        "web.responses.event_json", "features.event_log.", "features.users_api.",
        "features.account.own_account")
names = tuple("pwless_middleware." + name for name in ours) + ("sqlite3", "asyncpg")
print(*sorted(name for name in sys.modules if name.startswith(names)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == ([], "")
