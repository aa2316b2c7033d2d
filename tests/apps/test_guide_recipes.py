"""The recipes of the guide's pages for frameworks, taken from the pages and used by a person."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from pwless_middleware import PasswordlessMiddleware
from pwless_middleware.discovery import find
from pwless_middleware.pytest_plugin.sign_in import SignIn
from tests.apps.served.recipe import recipe
from tests.guide import PAGES, blocks, section

SECRET_KEY = "vT4nQ8sLw2Yt6Rb9Xn4Mc7JdZk3vQ8sL"
JO = "jo@example.com"


@pytest.fixture(autouse=True)
def _environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Set what the recipes read, and run them in a folder of their own."""
    monkeypatch.setenv("PWLESS_SECRET_KEY", SECRET_KEY)
    monkeypatch.chdir(tmp_path)


def run(block: str, **names: object) -> SimpleNamespace:
    """Run a block and give its names."""
    given: dict[str, Any] = {"__name__": "main", **names}
    exec(compile(block, "guide", "exec", dont_inherit=True), given)
    return SimpleNamespace(**given)


@contextmanager
def visitor(app: Any) -> Iterator[tuple[TestClient, Callable[[], object]]]:
    """Give a browser, and what signs it in."""
    with TestClient(app, base_url="http://localhost:8000") as client:
        yield client, lambda: SignIn(mailbox_of(app))(client, JO)


def mailbox_of(app: Any) -> Any:
    """Return the mailer of the middleware that is in an app."""
    return find(app)[0].middleware.passwordless.mailer


# --- FastAPI ---------------------------------------------------------------------------------


def test_fastapi_optional_user_and_roles_are_what_the_scope_says() -> None:
    from fastapi import FastAPI

    def behind_the_login(app: FastAPI) -> FastAPI:
        app.add_middleware(
            PasswordlessMiddleware,
            secret_key=SECRET_KEY,
            base_url="http://localhost:8000",
            mailer=run("from pwless_middleware import Outbox\nbox = Outbox()").box,
            public=["/prices"],
        )
        return app

    app = behind_the_login(run(blocks("python", "optional_user", PAGES["fastapi"])[0]).app)
    with visitor(app) as (client, sign_in):
        assert client.get("/prices").json() == {"prices": "of everybody"}
        sign_in()
        assert client.get("/prices").json() == {"prices": f"of {JO}"}
    app = behind_the_login(run(blocks("python", "current_admin", PAGES["fastapi"])[0]).app)
    with visitor(app) as (client, sign_in):
        assert client.get("/billing").status_code == 401
        sign_in()
        assert client.get("/billing").status_code == 403, "no organization, no role"
    app = behind_the_login(run(blocks("python", "HTTPConnection", PAGES["fastapi"])[0]).app)
    with visitor(app) as (client, sign_in):
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("ws://localhost:8000/chat"),
        ):
            pass
        sign_in()
        with client.websocket_connect("ws://localhost:8000/chat") as socket:
            assert socket.receive_text() == f"Hello, {JO}"


def test_fastapi_test_of_an_app_passes(
    monkeypatch: pytest.MonkeyPatch, pwless_mailbox: Any, pwless_sign_in: Any
) -> None:
    first = blocks("python", "Depends(current_user)", PAGES["fastapi"])[0]

    def create_app(mailer: object) -> Any:
        return run(first.replace("Outbox()", "mailer"), mailer=mailer).app

    monkeypatch.setitem(sys.modules, "main", SimpleNamespace(create_app=create_app))
    run(section("fastapi", "Tests").split("```py\n")[1].split("```")[0]).test_me(
        pwless_mailbox, pwless_sign_in
    )


def test_fastapi_docs_need_a_login_like_every_path() -> None:
    app = run(blocks("python", "Depends(current_user)", PAGES["fastapi"])[0]).app
    with visitor(app) as (client, sign_in):
        assert [client.get(path).status_code for path in ("/docs", "/openapi.json")] == [401, 401]
        sign_in()
        assert [client.get(path).status_code for path in ("/docs", "/openapi.json")] == [200, 200]


def test_fastapi_cors_answers_preflights_outside() -> None:
    app = run(section("fastapi", "CORS").split("```python\n")[1].split("```")[0]).app
    asked = {
        "origin": "http://localhost:3000",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    with visitor(app) as (client, _):
        answer = client.options("/auth/api/v1/passwordless/email/send", headers=asked)
        assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
        assert answer.headers["access-control-allow-credentials"] == "true"


# --- Starlette -------------------------------------------------------------------------------


def test_starlette_wrapped_and_in_the_list() -> None:
    app = run(blocks("python", "for everybody", PAGES["starlette"])[0]).app
    with visitor(app) as (client, sign_in):
        assert client.get("/").text == "for everybody"
        assert client.get("/hello").status_code == 401
        sign_in()
        assert client.get("/hello").text == f"Hello, {JO}"
    block = section("starlette", "`middleware=[…]` or a wrapper")
    app = run(blocks("python", text=block)[0]).app
    with visitor(app) as (client, sign_in):
        assert client.get("/").status_code == 401
        sign_in()
        assert client.get("/").status_code == 404


def test_starlette_endpoints_know_who_it_is() -> None:
    from starlette.applications import Starlette
    from starlette.routing import Route, WebSocketRoute

    basket = run(blocks("python", "async def basket", PAGES["starlette"])[0]).basket
    chat = run(blocks("python", "async def chat", PAGES["starlette"])[0]).chat
    app = PasswordlessMiddleware(
        Starlette(routes=[Route("/basket", basket), WebSocketRoute("/chat", chat)]),
        secret_key=SECRET_KEY,
        base_url="http://localhost:8000",
        mailer=run("from pwless_middleware import Outbox\nbox = Outbox()").box,
        public=["/basket"],
    )
    with visitor(app) as (client, sign_in):
        assert client.get("/basket").status_code == 401
        sign_in()
        assert client.get("/basket").text == f"the basket of {JO}"
        with client.websocket_connect("ws://localhost:8000/chat") as socket:
            assert socket.receive_text() == f"Hello, {JO}"


def test_starlette_mount_is_closed_and_the_rest_open() -> None:
    app = run(blocks("python", "open to all", PAGES["starlette"])[0]).app
    with visitor(app) as (client, sign_in):
        assert client.get("/").text == "open to all"
        assert client.get("/members/").status_code == 401
        sign_in()
        assert client.get("/members/").text == f"Hello, {JO}"


def test_starlette_beside_another_login_both_count() -> None:
    app = run(blocks("python", "SessionMiddleware", PAGES["starlette"])[0]).app
    with visitor(app) as (client, sign_in):
        assert client.get("/orders").text == "the orders of nobody"
        sign_in()
        assert client.get("/orders").text == f"the orders of {JO}"


# --- others ----------------------------------------------------------------------------------


@pytest.mark.parametrize("framework", ["Litestar", "Quart", "Flask", "Falcon", "BlackSheep"])
def test_a_framework_greets_who_has_signed_in(
    framework: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip(framework.lower())
    monkeypatch.setattr("tests.apps.served.recipe.FOLDER", str(tmp_path))
    for name in ("handlers", "level"):  # Litestar has its own of the root logger
        monkeypatch.setattr(logging.root, name, getattr(logging.root, name))
    app = recipe("frameworks", framework).app
    client = TestClient(app, base_url="http://localhost:8000")
    # Falcon wants the version of ASGI in the scope, which this client's lifespan lacks.
    with nullcontext(client) if framework == "Falcon" else client:
        assert client.get("/").status_code == 401
        SignIn(mailbox_of(app))(client, JO)
        assert client.get("/").text.strip('"') == f"Hello, {JO}"


# --- Django ----------------------------------------------------------------------------------

STAFF = "you@acme.example"
ASK = f"""
import sys
from django.core.management import call_command
from mysite.asgi import application

call_command("migrate", verbosity=0)
from pwless_middleware.pytest_plugin.sign_in import SignIn
from starlette.testclient import TestClient

for email, status in (("{STAFF}", 200), ("jo@example.com", 302)):
    client = TestClient(application, base_url="http://localhost:8000")
    assert client.get("/admin/").status_code == 401
    SignIn(application.passwordless.mailer)(client, email)
    page = client.get("/admin/", follow_redirects=False)
    assert page.status_code == status, page.status_code
    assert status == 302 or email in page.text

# The other recipe: WSGI, by a header.
from a2wsgi import WSGIMiddleware
from django.conf import settings
from pwless_middleware import Outbox, PasswordlessMiddleware

settings.MIDDLEWARE[-1] = "mysite.header.HeaderUserMiddleware"
from mysite.wsgi import application as wsgi

box = Outbox()
app = PasswordlessMiddleware(
    WSGIMiddleware(wsgi),
    secret_key="{SECRET_KEY}",
    base_url="http://localhost:8000",
    mailer=box,
    identity_header="Remote-User",
)
client = TestClient(app, base_url="http://localhost:8000")
SignIn(box)(client, "{STAFF}")
assert client.get("/admin/", headers={{"remote-user": "jo@example.com"}}).status_code == 200
print("all of it")
"""


def test_django_project_with_the_files_of_the_page(tmp_path: Path) -> None:
    """One process: a project as Django makes it, the page's files, two people at the admin."""
    pytest.importorskip("django")
    asgi, middleware, backends, settings, header, _ = blocks("py", text=PAGES["django"])
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "mysite.settings",
        "PYTHONWARNINGS": "ignore",
    }
    make = [sys.executable, "-m", "django", "startproject", "mysite", "."]
    plain = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(make, cwd=tmp_path, env=plain, check=True)
    folder = tmp_path / "mysite"
    (folder / "asgi.py").write_text(asgi)
    (folder / "middleware.py").write_text(middleware)
    (folder / "backends.py").write_text(backends)
    (folder / "header.py").write_text(header)
    with (folder / "settings.py").open("a") as file:
        file.write("\nALLOWED_HOSTS = ['localhost']\n" + settings)
    (tmp_path / "ask.py").write_text(ASK)
    done = subprocess.run(
        [sys.executable, "ask.py"], cwd=tmp_path, env=environ, capture_output=True, text=True
    )
    assert done.stdout.endswith("all of it\n"), done.stdout + done.stderr
