"""The README and the guide are run: their Python, their curl lines; and their tables are compared
with the code."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from jinja2 import meta
from starlette.testclient import TestClient

import pwless_middleware
from demo_app.app import create_app
from pwless_middleware import (
    ApiError,
    DeliveryError,
    Event,
    Message,
    Outbox,
    Passwordless,
    PasswordlessMiddleware,
    RedisStore,
)
from pwless_middleware.core.brand import Brand
from pwless_middleware.core.events.event import FIELDS
from pwless_middleware.core.events.event_kinds import KINDS
from pwless_middleware.core.operators.api_key import SCOPES
from pwless_middleware.rendering.environment import make_environment
from pwless_middleware.rendering.renderer import MAIL_VARIABLES, SUBJECT_VARIABLES, Renderer
from pwless_middleware.web.responses.responses import Pages
from tests.guide import PAGES, README, ROOT, TEXT, blocks, section, table
from tests.live import served, shell_answers
from tests.support import cookie_name, wrong

SECRET_KEY = "8f1e2d3c4b5a69788796a5b4c3d2e1f0"
API_KEY = "pwk_" + "fedcba9876543210" * 2
API = PAGES["json-api"]
ORIGIN = {"origin": "http://localhost:8000"}
PICTURES = sorted((ROOT / "demo_app" / "static").glob("*.png"))


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Set what the examples read, and run them in a folder of their own."""
    monkeypatch.setenv("PWLESS_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("PWLESS_API_KEY", API_KEY)
    monkeypatch.setenv("LOGIN_URL", "http://localhost:8000")
    monkeypatch.setenv("BASE_URL", "https://deployed.example.com")
    monkeypatch.setenv("DATABASE_URL", "sqlite:///pwless.db")
    monkeypatch.setenv("SMTP_URL", "smtp://localhost:2525")
    monkeypatch.setenv("REDIS_URL", "redis://localhost:6379")
    monkeypatch.chdir(tmp_path)


def run(block: str) -> SimpleNamespace:
    """Run a Python block and give its names."""
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(block, "guide", "exec", dont_inherit=True), names)
    return SimpleNamespace(**names)


def sign_in(visitor: TestClient, outbox: Outbox, email: str = "jo@example.com") -> None:
    """Sign in by the pages."""
    visitor.post("/auth/login", data={"email": email}, headers=ORIGIN)
    code = outbox.messages[-1].code
    visitor.post("/auth/verify", data={"code": code}, headers=ORIGIN, follow_redirects=False)


def test_the_first_app_is_sixteen_lines_and_runs(environ: None) -> None:
    block = blocks("python")[0]
    assert len([line for line in block.splitlines() if line]) <= 16
    app = run(block).app
    visitor = TestClient(app, base_url="http://localhost:8000")
    assert visitor.get("/").status_code == 401
    sign_in(visitor, app.passwordless.mailer)
    assert visitor.get("/").text == "Hello, jo@example.com!"


def test_every_python_block_runs(environ: None) -> None:
    found = [run(block) for block in blocks("python")]
    assert len(found) >= 8


@pytest.mark.anyio
async def test_the_verbs_in_python_sign_in_and_out(
    environ: None, capsys: pytest.CaptureFixture[str]
) -> None:
    way = run(blocks("python", "async def sign_out_everywhere")[0])
    outbox: Outbox = way.passwordless.mailer
    request_id = await way.ask("jo@example.com", "192.0.2.1")
    assert await way.sign_in(request_id, "12", "192.0.2.1", None) is None
    assert "INVALID_ARGUMENT" in capsys.readouterr().out
    cookie = await way.sign_in(request_id, outbox.messages[-1].code, "192.0.2.1", None)
    name = cookie_name(way.passwordless) + "="
    assert cookie.startswith(name)
    signed = cookie.split(";")[0].removeprefix(name)
    session = await way.passwordless.sessions.find(signed)
    await way.sign_out_everywhere(session.user_id)
    assert await way.passwordless.sessions.find(signed) is None
    assert await way.passwordless.sessions.list(session.user_id) == []


@pytest.mark.anyio
async def test_the_sqlite_table_knows_its_users(environ: None) -> None:
    """A new address is new once; who is deleted from the table is out at once."""
    way = run(blocks("python", "class SqliteUsers")[0])
    login: Passwordless = way.passwordless
    outbox = login.mailer
    assert isinstance(outbox, Outbox)
    new = []
    for _ in range(2):
        sent = await login.send("jo@example.com")
        code = outbox.messages[-1].code
        done = await login.verify(auth_request_id=sent.auth_request_id, code=code)
        new.append(done.user.is_new)
    assert new == [True, False]
    assert done.user.id == "1"
    table_of_users = way.SqliteUsers("users.db")
    assert (await table_of_users.load("1")).email == "jo@example.com"
    table_of_users.db.execute("DELETE FROM users")
    assert await table_of_users.load("1") is None


@pytest.mark.anyio
async def test_the_house_rules_refuse(environ: None) -> None:
    login: Passwordless = run(blocks("python", "class HouseRules")[0]).passwordless
    outbox = login.mailer
    assert isinstance(outbox, Outbox)
    with pytest.raises(pwless_middleware.LoginDenied, match="own organization"):
        await login.send("jo@competitor.example")
    assert outbox.messages == []
    sent = await login.send("mallory@example.com")
    code = outbox.messages[-1].code
    with pytest.raises(pwless_middleware.LoginDenied, match="suspended"):
        await login.verify(auth_request_id=sent.auth_request_id, code=code)
    sent = await login.send("jo@example.com")
    code = outbox.messages[-1].code
    assert await login.verify(auth_request_id=sent.auth_request_id, code=code)


def test_the_fastapi_recipe_reads_the_user(environ: None) -> None:
    app = run(blocks("python", "Depends(current_user)")[0]).app
    visitor = TestClient(app, base_url="http://localhost:8000")
    assert visitor.get("/").json() == {"hello": "everybody"}
    assert visitor.get("/me").status_code == 401
    layer = app.middleware_stack
    while not isinstance(layer, PasswordlessMiddleware):
        layer = layer.app
    outbox = layer.passwordless.mailer
    assert isinstance(outbox, Outbox)
    sign_in(visitor, outbox)
    assert visitor.get("/me").json()["email"] == "jo@example.com"


def test_the_internal_tool_serves_its_own_people_only(environ: None) -> None:
    app = run(blocks("python", "auditor@partner.example")[0]).app
    outbox = app.passwordless.mailer
    visitor = TestClient(app, base_url="http://localhost:8000")
    for email in ("jo@acme.example", "auditor@partner.example", "eve@partner.example"):
        answer = visitor.post("/auth/login", data={"email": email}, headers=ORIGIN)
        assert answer.status_code == 200
    assert [m.to for m in outbox.messages] == ["jo@acme.example", "auditor@partner.example"]


def test_the_front_end_on_another_origin_may_call(environ: None) -> None:
    app = run(blocks("python", "FRONT_END")[0]).app
    visitor = TestClient(app, base_url="https://app.example.com")
    path = "/auth/api/v1/passwordless/email/verify"
    preflight = {
        "origin": "https://www.example.com",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    answer = visitor.options(path, headers=preflight)
    assert answer.headers["access-control-allow-origin"] == "https://www.example.com"
    assert answer.headers["access-control-allow-credentials"] == "true"
    answer = visitor.post(path, json={}, headers={"origin": "https://www.example.com"})
    assert answer.status_code == 400
    assert answer.headers["access-control-allow-origin"] == "https://www.example.com"
    answer = visitor.post(path, json={}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403


@pytest.mark.anyio
async def test_the_mailer_over_http_says_what_was_not_accepted(environ: None) -> None:
    mailer = run(blocks("python", "class APIMailer")[0]).APIMailer("a token")
    await mailer.http.aclose()
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response({"jo": 200, "kim": 500, "lee": 422}[asked[-1]["to"].split("@")[0]])

    mailer.http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    message = Message(to="jo@example.com", subject="Sign in", text="123456", html="<p>123456")
    await mailer.send(message)
    assert {**asked[0], "from": ""} == {
        "from": "",
        "to": "jo@example.com",
        "subject": "Sign in",
        "text": "123456",
        "html": "<p>123456",
    }
    for to, permanent in (("kim@example.com", False), ("lee@example.com", True)):
        with pytest.raises(DeliveryError) as refused:
            await mailer.send(replace(message, to=to))
        assert refused.value.permanent is permanent
    await mailer.aclose()


def test_the_production_recipe_is_complete(environ: None) -> None:
    app = run(blocks("python", "RedisStore(os.environ")[0]).app
    assert isinstance(app.passwordless.store, RedisStore)


# --- over HTTP -----------------------------------------------------------------------------------


@pytest.fixture
def live() -> Iterator[tuple[str, Outbox]]:
    """Serve the demo with an API key."""
    outbox = Outbox()

    def make(url: str) -> PasswordlessMiddleware:
        return create_app(
            secret_key=SECRET_KEY, base_url=url, mailer=outbox, api_keys={"demo": API_KEY}
        )

    with served(make) as url:
        yield url, outbox


def test_the_backend_recipe_signs_in_over_http(
    environ: None, live: tuple[str, Outbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, outbox = live
    monkeypatch.setenv("LOGIN_URL", url)
    backend = run(blocks("python", "LOGIN_URL")[0])
    with TestClient(backend.backend) as visitor:
        assert visitor.post("/ask", json={"email": "nobody"}).status_code == 400
        assert visitor.post("/ask", json={"email": "jo@example.com"}).status_code == 200
        assert visitor.post("/enter", json={"code": "12"}).status_code == 400
        entered = visitor.post("/enter", json={"code": outbox.messages[-1].code})
        visitor.portal.call(backend.api.aclose)  # type: ignore[union-attr]
    assert entered.json()["email"] == "jo@example.com"


def test_the_curl_lines_run_one_after_the_other(live: tuple[str, Outbox]) -> None:
    url, outbox = live
    first, *_, last = (API.index(f"```sh\n{block}") for block in blocks("sh", "curl", API))
    lines = [
        block for block in blocks("sh", text=API) if first <= API.index(f"```sh\n{block}") <= last
    ]
    answers = shell_answers("\n".join(lines), url, API_KEY, outbox)
    sent, resent, verified, session, sessions = answers
    told = re.search(r"send: the answer has (.*)", lines[0])
    assert told is not None
    assert set(told[1].split(", ")) == set(sent) == set(resent)
    assert sent["passwordless_type"] == "LINK_OTP", "the demo lists the page that it names"
    told = re.search(r"verify: the answer has (.*)", API)
    assert told is not None
    assert set(told[1].split(", ")) == set(verified)
    assert (verified["state"], verified["template"]) == ("cart-42", "SIGNIN")
    assert session["user"]["email"] == "jo@example.com"
    assert len(sessions["sessions"]) == 1
    token = {"authorization": f"Bearer {verified['session_token']}"}
    assert httpx.get(f"{url}/auth/api/v1/session", headers=token, timeout=30).status_code == 401


def test_every_path_of_the_tables_is_there(live: tuple[str, Outbox]) -> None:
    url, _ = live
    text = TEXT.replace(PAGES["api-reference"], "")  # of all features; it has tests of its own
    paths = set(re.findall(r"^\| `(?:GET )?(/auth/[a-z0-9./]*)", text, re.MULTILINE))
    assert {"/auth/login", "/auth/sessions", "/auth/api/v1/openapi.json"} <= paths
    for path in paths:
        status = httpx.get(url + path, timeout=30).status_code
        expected = (403,) if path == "/auth/outbox" else (200, 303, 401, 410)
        assert status in expected, path


# --- tables --------------------------------------------------------------------------------------


def test_no_options_table_is_of_an_unknown_name() -> None:
    names = re.findall(r"<!-- options: (\w+) -->", TEXT)
    assert set(names) <= set(pwless_middleware.__all__)
    assert len(names) == len(set(names)) == 29


@pytest.mark.parametrize("name", re.findall(r"<!-- options: (\w+) -->", TEXT))
def test_every_option_is_told_with_its_default(name: str) -> None:
    told = {row[0].strip("`"): row[1] for row in table(f"options: {name}")}
    parameters = inspect.signature(getattr(pwless_middleware, name)).parameters
    assert list(told) == list(parameters)
    for option, parameter in parameters.items():
        default = parameter.default
        if default is parameter.empty:
            assert told[option] == "required"
        elif callable(default):
            assert told[option] == f"`{default.__module__}.{default.__name__}`"
        else:
            assert ast.literal_eval(told[option].strip("`")) == default, option


def api_errors(root: type[ApiError] = ApiError) -> Iterator[type[ApiError]]:
    """Return every error that a caller can be told."""
    for kind in root.__subclasses__():
        if kind.__module__ == "pwless_middleware.errors":
            if not kind.__name__.startswith("_"):
                yield kind
            yield from api_errors(kind)


def test_the_scopes_of_api_keys_are_the_closed_list() -> None:
    assert {row[0].strip("`"): row[1] for row in table("scopes")} == SCOPES


def test_the_error_codes_are_the_closed_list() -> None:
    told = {(row[0].strip("`"), int(row[1]), int(row[2])) for row in table("error codes")}
    assert told == {(kind.code, kind.status, kind.grpc) for kind in api_errors()}


def test_the_events_are_the_closed_list() -> None:
    told = {row[0].strip("`"): (row[1], row[2].replace("`", "")) for row in table("event kinds")}
    assert told == {kind.name: (kind.meaning, ", ".join(kind.fields)) for kind in KINDS.values()}
    about = inspect.getdoc(Event) or ""
    fields = dict(re.findall(r"^    (\w+): (.*)\.$", about, re.MULTILINE))
    assert list(fields) == ["at", "kind", "id", *FIELDS]
    assert {row[0].strip("`"): row[1] for row in table("event fields")} == {
        name: fields[name] for name in FIELDS
    }


@pytest.mark.anyio
async def test_the_example_of_events_hears_of_wrong_codes(environ: None) -> None:
    way = run(blocks("python", "on_event=note")[0])
    sent = await way.passwordless.send("jo@example.com")
    code = way.passwordless.mailer.messages[-1].code
    with pytest.raises(ApiError):
        await way.passwordless.verify(auth_request_id=sent.auth_request_id, code=wrong(code))
    assert (await way.queue.get()).kind == "code.wrong"


def test_the_named_templates_are_the_ones_there_are() -> None:
    folder = ROOT / "pwless_middleware" / "templates"
    pages = {path.name for path in folder.glob("*.html")} - {"macros.html"}
    assert set(re.findall(r"`([a-z_]+\.html)`", PAGES["templates"])) == pages


def test_the_named_emails_are_the_ones_there_are() -> None:
    folder = ROOT / "pwless_middleware" / "templates" / "email"
    emails = {path.name.removesuffix(".subject.txt") for path in folder.glob("*.subject.txt")}
    assert {row[0].strip("`") for row in table("emails")} == emails


def names_of(template: str) -> set[str]:
    """Return what a part of a step's page reads, besides what every page is given."""
    environment = make_environment(None)
    source = (ROOT / "pwless_middleware" / "templates" / template).read_text()
    read = meta.find_undeclared_variables(environment.parse(source))
    return {name for name in read - environment.globals.keys() - {"brand"} if name[0] != "_"}


def test_what_a_page_is_given_is_what_the_code_gives_it() -> None:
    of_the_answer = set(inspect.signature(Pages.page).parameters)
    given: dict[str, set[str]] = {}
    for path in (ROOT / "pwless_middleware").rglob("*.py"):
        parts: dict[str, set[str]] = {}
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if getattr(getattr(node, "func", None), "id", "") == "PersonPart":
                continue  # of the dashboard, whose templates are not promised
            if isinstance(node, ast.Call) and not node.args:  # a method's part of a shared page
                words = {word.arg: word.value for word in node.keywords}
                template, values = words.get("template"), words.get("context")
                if isinstance(template, ast.Constant):
                    parts.setdefault("templates", set()).add(str(template.value))
                if isinstance(values, ast.Dict):
                    keys = {str(getattr(key, "value", None)) for key in values.keys}
                    parts.setdefault("context", set()).update(keys)
            if isinstance(node, ast.Call) and len(node.args) == 2:
                name = getattr(node.args[1], "value", None)
                if not isinstance(name, str) or name.startswith("dashboard/"):
                    continue  # templates of the dashboard are not promised
                if name.endswith(".html"):
                    context = {word.arg for word in node.keywords if word.arg}
                    given.setdefault(name, set()).update(context - of_the_answer)
        for name in parts.get("templates", ()):
            if "context" not in parts or name.startswith(("second_factors/", "passkeys/step_part")):
                given[name] = names_of(name)  # its page adds what all parts of a step have
                continue
            of_login = {"next", "organization", "signed_in", "autofill"}
            from_the_page = {"action"} if name.startswith("step_up/") else of_login
            given[name] = parts["context"] | from_the_page
    groups = re.findall(r"<!-- (template variables: .*) -->", TEXT)
    rows = [row for group in groups for row in table(group)]
    told = {row[0].strip("`"): re.sub(r"\(.*?\)", "", row[1]) for row in rows}
    assert len(told) == len(rows)
    assert {name: set(re.findall(r"`(\w+)`", text)) for name, text in told.items()} == given


def test_what_an_email_is_given_is_what_the_code_gives_it() -> None:
    line = re.search(r"^Emails get (.*?); subjects get only (.*?)\.$", TEXT, re.M | re.DOTALL)
    assert line is not None
    assert set(re.findall(r"`([a-z_]+)`", line[1])) == MAIL_VARIABLES
    assert set(re.findall(r"`([a-z_]+)`", line[2])) == SUBJECT_VARIABLES


def test_the_template_example_builds_on_ours(tmp_path: Path) -> None:
    (tmp_path / "login.html").write_text(blocks("html", "pwless/login.html")[0])
    renderer = Renderer(brand=Brand("Acme"), templates=tmp_path, prefix="/auth")
    page = renderer.page("login.html", next="", parts=["<form>"], error=None, problem=None)
    assert "/static/acme.css" in page
    assert "Sign in to Acme" in page


def test_the_email_example_has_its_own_words_and_our_code(tmp_path: Path) -> None:
    (tmp_path / "email").mkdir()
    example = blocks("html", "pwless/email/")[0]
    (tmp_path / "email" / "signin.html").write_text(example)
    renderer = Renderer(brand=Brand("Acme"), templates=tmp_path, prefix="/auth")
    values: dict[str, Any] = dict.fromkeys(MAIL_VARIABLES | SUBJECT_VARIABLES, "")
    html = renderer.email("signin", **{**values, "kind": "OTP", "code": "123456"}).html
    assert "Welcome back to the bakery." in html
    assert "123456" in html
    base = (ROOT / "pwless_middleware" / "templates" / "email" / "base.html").read_text("utf-8")
    assert set(re.findall(r"{% block (\w+)", base)) == set(
        re.findall(
            r"`(\w+)`",
            section("templates", "Replace an email").split("The blocks are")[1].split("\n\n")[0],
        )
    )


def test_the_demos_variables_are_the_ones_it_reads() -> None:
    line = section("deployment", "The demo's environment")
    code = (ROOT / "demo_app" / "settings.py").read_text()
    assert set(re.findall(r"PWLESS_[A-Z_]+", line)) == set(re.findall(r'"(PWLESS_[A-Z_]+)"', code))


# --- the rest ------------------------------------------------------------------------------------


def test_the_two_commands_stand_for_themselves() -> None:
    """Each makes its own virtual environment. `.ci/run` reads them from here and runs them."""
    demo, tests = (block for block in blocks("sh", text=README) if "pip install -e" in block)
    for name, command, ending in (
        ("demo", demo, "python -m demo_app\n"),
        ("test", tests, "python -m pytest -n auto\n"),
    ):
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install -e ")
        assert command.endswith(ending)
        assert f"<!-- {name} command -->\n```sh\n{command}```" in README
        assert f"command_of {name})" in (ROOT / ".ci" / "run").read_text()


def test_every_extra_that_is_named_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = re.findall(r"pip install [^`\n]*?(?:pwless-middleware|\.)\[([a-z,]+)\]", TEXT)
    assert {"run", "dev,apps", "check"} <= set(named)
    for extras in named:
        assert set(extras.split(",")) <= set(project["optional-dependencies"])


@pytest.mark.timeout(240)  # mypy reads Starlette and FastAPI anew: 10 s of CPU
def test_every_python_block_type_checks(tmp_path: Path) -> None:
    for number, block in enumerate(blocks("python")):
        (tmp_path / f"block_{number}.py").write_text(block)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", "cache", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_pytest_example_runs(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "from starlette.applications import Starlette\n"
        "from starlette.responses import PlainTextResponse\n"
        "from starlette.routing import Route\n\n\n"
        "def make_app():\n"
        "    return Starlette(routes=[Route('/profile', lambda request: PlainTextResponse(''))])\n"
    )
    (tmp_path / "test_site.py").write_text(blocks("py", "import pytest")[0])
    done = subprocess.run(
        # Other plugins, which are slow to load, are left out.
        [sys.executable, "-m", "pytest", "-q", "-p", "pwless_middleware.pytest_plugin"],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("picture", PICTURES, ids=attrgetter("name"))
def test_a_picture_is_small_and_shown(picture: Path) -> None:
    assert f"static/{picture.name})" in TEXT
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 150_000


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"[Unreleased] {pwless_middleware.__version__}" in (ROOT / "CHANGELOG.md").read_text()
