"""`check`: what it finds in apps that are set up well and badly, against real servers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.factors.factors import SQLFactors
from tests.cli.conftest import KEY, PLAIN, Project
from tests.factors import make_factor

HTTPS = "base_url='https://app.acme.example'"
SMTP = "SMTPMailer('smtp://127.0.0.1:{port}', sender='login@acme.example')"


def levels(report: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {name: level for name, (level, _) in report.items()}


async def checked(project: Project, *args: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Run `check` in a thread, while the test's loop serves mail."""
    return await asyncio.to_thread(project.check, *args)


@pytest.mark.anyio
async def test_a_good_set_up_is_ok_all_over(
    project: Project, smtp_port: int, redis_url: str
) -> None:
    mailer = f"SMTPMailer('smtp://us:secret-pw@127.0.0.1:{smtp_port}', sender='a@acme.example')"
    project.wrapped(
        f"{HTTPS}, mailer={mailer}, store=RedisStore({redis_url!r}, prefix='check'),"
        "trusted_proxies=1, public=['/open'], identity_header='Remote-User'"
    )
    code, report = await checked(project, "site_app:app", "--workers", "4", "--strict")
    assert code == 0
    assert {name for name, level in levels(report).items() if level != "ok"} == {"dns", "live"}
    assert report["cookies"][1].startswith("__Host-pwless: Secure")
    assert report["mail_server"] == ("ok", "SMTPMailer connects and signs in")
    assert report["store"] == ("ok", "RedisStore answers")
    assert report["login_page"] == ("ok", "/auth/login answers")
    assert "header remote-user" in report["identity"][1]


@pytest.mark.anyio
async def test_a_wrong_mail_password_fails_and_is_not_shown(
    project: Project, smtp_port: int
) -> None:
    mailer = f"SMTPMailer('smtp://us:wrong-pw@127.0.0.1:{smtp_port}', sender='a@acme.example')"
    project.wrapped(f"{HTTPS}, mailer={mailer}")
    code, out, err = await asyncio.to_thread(project.run, "check", "site_app:app")
    assert code == 1
    assert "fail  mail_server" in out
    assert "wrong-pw" not in out + err
    assert KEY not in out + err


def test_development_warns_and_strict_makes_that_a_failure(project: Project) -> None:
    project.wrapped("base_url='http://localhost:8000', mailer=Outbox()")
    code, report = project.check("site_app:app")
    assert code == 0
    warned = {name for name, level in levels(report).items() if level == "warn"}
    assert warned == {"base_url", "cookies", "mailer", "workers"}
    assert project.check("site_app:app", "--strict")[0] == 1


def test_public_address_without_mail_server_fails(project: Project) -> None:
    project.wrapped(f"{HTTPS}, mailer=Outbox()")
    code, report = project.check("site_app:app")
    assert code == 1
    assert report["mailer"][0] == "fail"
    assert "SMTPMailer" in report["mailer"][1]


def test_an_unset_proxy_on_a_public_address_warns(project: Project) -> None:
    project.wrapped(f"{HTTPS}, mailer=Outbox()")
    level, message = project.check("site_app:app")[1]["proxies"]
    assert (level, "trusted_proxies=1" in message) == ("warn", True)


def test_routes_of_the_app_at_our_own_paths_are_named(project: Project) -> None:
    project.write(
        "site_app",
        "from starlette.applications import Starlette\n"
        "from starlette.routing import Route\n"
        "from pwless_middleware import *\n"
        "app = Starlette(routes=[Route('/auth/login', print), Route('/auth/callback', print)])\n"
        f"app = PasswordlessMiddleware(app, secret_key={KEY!r}, {HTTPS}, mailer=Outbox())\n",
    )
    level, message = project.check("site_app:app")[1]["routes"]
    assert level == "warn"
    assert "/auth/login never gets a request" in message
    assert "callback" not in message


def test_everything_public_warns(project: Project) -> None:
    project.wrapped(f"{HTTPS}, mailer=Outbox(), public=['*']")
    assert project.check("site_app:app")[1]["public"][0] == "warn"


@pytest.mark.parametrize("how", ["option", "variable"])
def test_memory_of_several_processes_fails(
    how: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.wrapped(f"{HTTPS}, mailer=Outbox()")
    more = ("--workers", "2")
    if how == "variable":
        monkeypatch.setenv("WEB_CONCURRENCY", "2")
        more = ()  # type: ignore[assignment]
    assert project.check("site_app:app", *more)[1]["workers"][0] == "fail"


def test_a_path_in_the_base_url_is_told_to_the_server_too(project: Project) -> None:
    project.wrapped("base_url='https://app.acme.example/tool', mailer=Outbox()")
    level, message = project.check("site_app:app")[1]["base_url"]
    assert (level, "--root-path" in message) == ("ok", True)


def test_http_elsewhere_than_here_fails(project: Project) -> None:
    project.wrapped("base_url='http://nas.home.arpa', unsafe_http=True, mailer=Outbox()")
    _, report = project.check("site_app:app")
    assert report["base_url"][0] == "fail"
    assert "unsafe_http" in report["base_url"][1]


class TestMounted:
    def write(self, project: Project, base_url: str) -> None:
        project.wrapped(f"base_url={base_url!r}, mailer=Outbox()", "inner_app")
        project.write(
            "site_app",
            "import inner_app\nfrom starlette.applications import Starlette\n"
            "from starlette.routing import Mount\n"
            "app = Starlette(routes=[Mount('/admin', inner_app.app)])\n",
        )

    def test_below_its_base_url_is_fine(self, project: Project) -> None:
        self.write(project, "https://app.acme.example/admin")
        _, report = project.check("site_app:app")
        assert report["/admin base_url"] == ("ok", "https://app.acme.example/admin")
        assert report["/admin login_page"] == ("ok", "/admin/auth/login answers")

    def test_elsewhere_fails_since_mails_would_lead_nowhere(self, project: Project) -> None:
        self.write(project, "https://app.acme.example")
        level, message = project.check("site_app:app")[1]["/admin base_url"]
        assert level == "fail"
        assert "set base_url to https://app.acme.example/admin" in message


def test_two_logins_are_told_apart(project: Project) -> None:
    project.write(
        "site_app",
        PLAIN
        + "from pwless_middleware import *\n"
        + f"o = dict(secret_key={KEY!r}, {HTTPS}, mailer=Outbox(), public=['*'])\n"
        + "app = PasswordlessMiddleware(app, prefix='/one', cookie_name='one', **o)\n"
        + "app = PasswordlessMiddleware(app, prefix='/two', cookie_name='two', **o)\n",
    )
    report = project.check("site_app:app")[1]
    assert report["/one login_page"] == ("ok", "/one/login answers")
    assert report["/two login_page"] == ("ok", "/two/login answers")


@pytest.mark.parametrize("late", [False, True])
def test_a_config_error_is_a_finding_with_its_words(late: bool, project: Project) -> None:
    options = "secret_key='short', base_url='https://app.acme.example', mailer=Outbox()"
    how = (
        f"app.add_middleware(PasswordlessMiddleware, {options})"
        if late
        else f"app = PasswordlessMiddleware(app, {options})"
    )
    project.write("site_app", PLAIN + "from pwless_middleware import *\n" + how)
    code, report = project.check("site_app:app")
    assert code == 1
    assert report["options"][0] == "fail"
    assert report["options"][1].startswith("secret_key: ")


def test_an_app_without_the_middleware_fails(project: Project) -> None:
    project.write("site_app", PLAIN)
    code, report = project.check("site_app:app")
    assert code == 1
    assert "no PasswordlessMiddleware in site_app:app" in report["middleware"][1]


def test_a_factory_is_called(project: Project) -> None:
    project.wrapped("base_url='http://localhost:8000', mailer=Outbox()")
    with (project.folder / "site_app.py").open("a") as file:
        file.write("def make(): return app\n")
    assert project.check("site_app:make", "--factory")[0] == 0
    assert project.check("site_app:make()")[0] == 0


def test_lines_for_people_begin_with_the_level(project: Project) -> None:
    project.wrapped("base_url='http://localhost:8000', mailer=Outbox()")
    code, out, _ = project.run("check", "site_app:app")
    assert code == 0
    assert {line.split()[0] for line in out.splitlines()} == {"ok", "warn", "skip"}


def test_a_live_address_must_be_https(project: Project) -> None:
    code, out, err = project.run("check", "site_app:app", "--url", "http://app.acme.example")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--url" in err


class TestWhatIsInTheWay:
    def report(self, project: Project, lines: str) -> tuple[str, str]:
        project.wrapped("base_url='http://localhost:8000', mailer=Outbox()")
        with (project.folder / "site_app.py").open("a") as file:
            file.write("inner = app\n" + lines)
        return project.check("site_app:app")[1]["login_page"]

    def test_another_answer(self, project: Project) -> None:
        lines = (
            "from starlette.middleware.trustedhost import TrustedHostMiddleware\n"
            "app = TrustedHostMiddleware(inner, allowed_hosts=['other.example'])\n"
        )
        told = self.report(project, lines)
        assert told == ("fail", "/auth/login answers 400: something is in its way")

    def test_an_exception(self, project: Project) -> None:
        lines = (
            "class Broken:\n"
            "    app = inner\n"
            "    async def __call__(self, scope, receive, send):\n"
            "        await receive()\n"
            "        raise RuntimeError('with a secret in it')\n"
            "app = Broken()\n"
        )
        told = self.report(project, lines)
        assert told == ("fail", "/auth/login: the app raised RuntimeError")

    def test_no_answer(self, project: Project) -> None:
        lines = (
            "class Mute:\n"
            "    app = inner\n"
            "    async def __call__(self, scope, receive, send):\n"
            "        await send({'type': 'http.response.debug'})\n"
            "app = Mute()\n"
        )
        assert self.report(project, lines)[1].startswith("/auth/login answers None")


class TestStores:
    def store(self, project: Project, text: str) -> tuple[str, str]:
        project.wrapped(f"base_url='http://localhost:8000', mailer=Outbox(), store={text}")
        return project.check("site_app:app")[1]["store"]

    def test_refused(self, project: Project) -> None:
        level, message = self.store(project, "RedisStore('redis://:pass-word@127.0.0.1:9/0')")
        assert level == "fail"
        assert "pass-word" not in message

    def test_of_ones_own_that_raises_something_else(self, project: Project) -> None:
        text = (
            "type('Own', (MemoryStore,), "
            "{'ping': lambda self: (_ for _ in ()).throw(OSError('secret'))})()"
        )
        assert self.store(project, text) == ("fail", "it raised OSError, not StoreError")


class TestMailers:
    def mail(self, project: Project, text: str) -> tuple[int, list[dict[str, Any]]]:
        import json

        project.write("mailers", MAILERS)
        project.wrapped(f"base_url='http://localhost:8000', mailer={text}")
        path = project.folder / "site_app.py"
        path.write_text("from mailers import *\n" + path.read_text())
        code, out, _ = project.run("check", "site_app:app", "--json")
        rows = json.loads(out)["findings"]
        return code, [row for row in rows if row["check"] == "mail_server"]

    def test_one_that_cannot_be_checked_is_skipped(self, project: Project) -> None:
        code, [row] = self.mail(project, "Simple()")
        assert (code, row["level"], row["message"]) == (0, "skip", "Simple has no check()")

    def test_one_that_breaks_fails_without_its_words(self, project: Project) -> None:
        code, [row] = self.mail(project, "Broken()")
        assert (code, row["message"]) == (1, "Broken.check() raised RuntimeError")

    def test_both_ways_out_are_tried(self, project: Project) -> None:
        smtp = "SMTPMailer('smtp://127.0.0.1:9', sender='a@acme.example')"
        code, rows = self.mail(project, f"FallbackMailer(Simple(), {smtp})")
        assert (code, [row["level"] for row in rows]) == (1, ["skip", "fail"])
        assert "127.0.0.1:9" in rows[1]["message"]


MAILERS = """
class Simple:
    async def send(self, message): ...
    async def aclose(self): ...

class Broken(Simple):
    async def check(self):
        raise RuntimeError("a password")
"""


@pytest.mark.anyio
async def test_nothing_that_waits_in_a_shared_queue_is_delivered(
    project: Project, smtp_port: int
) -> None:
    """A worker of `check` would claim a mail and end in the middle of it."""
    project.wrapped(f"{HTTPS}, mailer={SMTP.format(port=smtp_port)}, store=Watched()")
    project.write("watched", WATCHED)
    path = project.folder / "site_app.py"
    path.write_text("from watched import Watched\n" + path.read_text())
    # Which also sees that nothing was written to stderr.
    code, report = await checked(project, "site_app:app")
    assert (code, report["login_page"][0], report["store"][0]) == (0, "ok", "ok")


WATCHED = """
import sys
from pwless_middleware import MemoryStore
from pwless_middleware.errors import StoreError

class Watched(MemoryStore):
    @property
    def jobs(self):
        return self._jobs

    @jobs.setter
    def jobs(self, jobs):
        def claim(*args, **kwargs):
            print("check has claimed a job", file=sys.stderr)
            raise StoreError("no job for check")
        jobs.claim = claim
        self._jobs = jobs
"""


async def add_factor() -> None:
    database = Database("sqlite:///pwless.db")
    await SQLFactors(database).add(make_factor(), most=10, may_be_alone=True)
    await database.aclose()


def test_a_second_factor_that_nobody_is_asked_for_is_told_of(project: Project) -> None:
    project.wrapped(
        "base_url='https://example.com', mailer=Outbox(), database='sqlite:///pwless.db'"
    )
    asyncio.run(add_factor())
    _, report = project.check("site_app:app")
    assert report["second_factors"][0] == "warn"
