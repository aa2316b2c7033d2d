"""The pages of the guide for who comes from elsewhere: their code, taken from them, is used."""

from __future__ import annotations

import ast
import csv
import json
import os
import re
import sqlite3
import subprocess
import sys
import uuid
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import String
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.testclient import TestClient

from pwless_middleware import Passwordless, PasswordlessMiddleware
from tests.guide import PAGES, blocks
from tests.needs import lacking
from tests.support import API_KEY, Site, make_site

pytestmark = pytest.mark.anyio

MOVING = [page for page in PAGES if page.startswith("moving-from-")]
JO, KIM = "jo@example.com", "kim@example.com"


def run(page: str, containing: str, language: str = "python") -> SimpleNamespace:
    """Run a block of a page and give its names."""
    names: dict[str, Any] = {"__name__": "guide"}
    [block] = blocks(language, containing, PAGES[page])
    exec(compile(block, page, "exec", dont_inherit=True), names)
    return SimpleNamespace(**names)


async def sign_in(site: Site, email: str) -> str:
    """Sign in by an emailed code, and return the user's id, as the next request has it too."""
    backend = site.backend()
    sent = (await backend.send(email)).json()["auth_request_id"]
    done = (await backend.verify(sent, code=site.mail(email).code)).json()
    token = {"authorization": f"Bearer {done['session_token']}"}
    answer = await site.browser(headers=token).get("/auth/api/v1/session")
    assert answer.json()["user"]["id"] == done["user_id"]
    return str(done["user_id"])


def test_there_is_a_page_for_each_and_it_has_what_a_reader_looks_for() -> None:
    assert len(MOVING) == 6
    for page in MOVING:
        for heading in ("Before and after", "What maps to what", "What there is not", "Users"):
            assert f"\n## {heading}\n" in PAGES[page], (page, heading)


def test_the_code_of_others_is_marked_and_compiles() -> None:
    marked = 0
    for page in MOVING:
        for language, block in re.findall(
            r"^<!-- theirs -->\n```(\w+)\n(.*?)^```$", PAGES[page], re.DOTALL | re.MULTILINE
        ):
            marked += 1
            assert language in {"py", "js"}, page
            if language == "py":
                ast.parse(block)
    assert marked >= len(MOVING)


# --- people of a service -------------------------------------------------------------------------


async def test_people_of_auth0_come_over_once_and_those_who_never_verified_do_not(
    tmp_path: Path,
) -> None:
    site = make_site(database=f"sqlite:///{tmp_path}/app.db")
    export = tmp_path / "export.csv"
    with export.open("w", newline="") as file:
        write = csv.writer(file).writerow
        write(["user_id", "email", "email_verified", "name"])
        write(["auth0|1", "Jo@Example.com", "true", "Jo"])
        write(["google-oauth2|2", JO, "true", "Jo Doe"])
        write(["auth0|3", KIM, "false", "Kim"])
    bring_over = run("moving-from-auth0", "def bring_over").bring_over
    ids = await bring_over(site.passwordless, str(export))
    assert set(ids) == {"auth0|1", "google-oauth2|2"}
    assert len(set(ids.values())) == 1, "one address is one person"
    assert await bring_over(site.passwordless, str(export)) == ids
    assert await site.passwordless.people.find(KIM) is None
    assert await sign_in(site, JO) == ids["auth0|1"]
    await site.passwordless.store.aclose()


async def test_ids_of_elsewhere_are_kept(tmp_path: Path) -> None:
    users = run("moving-from-auth0", "class KeptUsers").KeptUsers(str(tmp_path / "people.db"))
    users.put("auth0|1", "Jo@Example.com", "Jo")
    users.put("google-oauth2|2", JO)
    site = make_site(users=users)
    assert await sign_in(site, JO) == "auth0|1"
    new = await sign_in(site, KIM)
    assert new.startswith("user_")
    assert await sign_in(make_site(users=users), KIM) == new


async def test_people_of_clerk_come_over_by_their_verified_address(tmp_path: Path) -> None:
    def user(id: str, email: str, status: str) -> dict[str, object]:
        address = {"id": "idn_1", "email_address": email, "verification": {"status": status}}
        return {
            "id": id,
            "first_name": "Jo",
            "last_name": None,
            "primary_email_address_id": "idn_1",
            "email_addresses": [address],
        }

    no_address = {**user("user_3", "", "verified"), "primary_email_address_id": None}
    export = tmp_path / "export.json"
    found = [user("user_1", JO, "verified"), user("user_2", KIM, "unverified"), no_address]
    export.write_text(json.dumps(found))
    site = make_site(database=f"sqlite:///{tmp_path}/app.db")
    bring_over = run("moving-from-clerk", "def bring_over").bring_over
    ids = await bring_over(site.passwordless, str(export))
    person = await site.passwordless.people.find(JO)
    assert person is not None
    assert ids == {"user_1": person.id}
    assert person.name == "Jo"
    await site.passwordless.store.aclose()


def test_side_by_side_asks_ours_first_and_the_old_login_next() -> None:
    from fastapi import Depends, FastAPI

    way = run("moving-from-auth0", "def current_user_id")
    app = FastAPI()

    @app.get("/")
    async def who(user_id: str = Depends(way.current_user_id)) -> str:
        return user_id

    old = {"id": None}

    async def old_user_id(request: object) -> object:
        return old["id"]

    way.current_user_id.__globals__["old_user_id"] = old_user_id
    site = make_site(app, public=["*"], prefix="/login")
    browser = TestClient(site.app, base_url=site.base_url)
    assert browser.get("/").status_code == 401
    old["id"] = "auth0|1"  # type: ignore[assignment]
    assert browser.get("/").json() == "auth0|1"


def test_the_call_to_scalekits_sdk_becomes_one_over_http() -> None:
    site = make_site()
    send = run("moving-from-scalekit", "def send_passwordless_email").send_passwordless_email
    headers = {"authorization": f"Bearer {API_KEY}"}
    with TestClient(site.app, base_url=site.base_url, headers=headers) as api:
        base = "/auth/api/v1/passwordless/email/"

        class Api:
            """An `httpx.Client` with the base URL of the calls."""

            def post(self, path: str, json: object) -> httpx.Response:
                answer = api.post(base + path, json=json)
                return httpx.Response(
                    answer.status_code, content=answer.content, request=httpx.Request("POST", base)
                )

        assert send(Api(), JO)


# --- tables of others ----------------------------------------------------------------------------


async def test_the_table_of_better_auth_keeps_its_people(tmp_path: Path) -> None:
    file = str(tmp_path / "auth.db")
    with sqlite3.connect(file) as db:
        db.execute(  # as `npx auth migrate` makes it
            'create table "user" ("id" text not null primary key, "name" text not null,'
            ' "email" text not null unique, "emailVerified" integer not null, "image" text,'
            ' "createdAt" date not null, "updatedAt" date not null)'
        )
        add = "INSERT INTO user VALUES (?, ?, ?, ?, NULL, '2026-01-01', '2026-01-01')"
        db.execute(add, ("jo1", "Jo", JO, 1))
        db.execute(add, ("mallory1", "", "mallory@example.com", 0))
    db.close()
    users = run("moving-from-better-auth", "class BetterAuthUsers").BetterAuthUsers(file)
    assert await sign_in(make_site(users=users), JO) == "jo1"
    new = await sign_in(make_site(users=users), KIM)
    assert (await users.load(new)).email == KIM
    assert await users.create("mallory@example.com") is None


async def test_the_table_of_fastapi_users_keeps_its_people(tmp_path: Path) -> None:
    """Its columns are those of `SQLAlchemyBaseUserTableUUID` in fastapi-users-db-sqlalchemy 7.

    The package itself pins what other packages of the tests want in other versions.
    """

    class Base(DeclarativeBase):
        """The host's models."""

    class Account(Base):
        """Its users."""

        __tablename__ = "user"
        id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
        email: Mapped[str] = mapped_column(String(320), unique=True, index=True)
        hashed_password: Mapped[str] = mapped_column(String(1024))
        is_active: Mapped[bool] = mapped_column(default=True)
        is_superuser: Mapped[bool] = mapped_column(default=False)
        is_verified: Mapped[bool] = mapped_column(default=False)

    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/app.db")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine)
    async with sessions() as session:
        jo = Account(email="Jo@Example.com", hashed_password="!", is_verified=True)
        session.add_all([jo, Account(email=KIM, hashed_password="!", is_verified=False)])
        await session.commit()
        await session.refresh(jo)
    members = run("moving-from-fastapi-users", "class Members", "py").Members(
        sessions, Account, "!"
    )
    assert await sign_in(make_site(users=members), JO) == str(jo.id)
    assert await members.create(KIM) is None
    new = await sign_in(make_site(users=members), "ana@example.com")
    assert (await members.load(new)).email == "ana@example.com"
    assert await members.load("17") is None
    await engine.dispose()


ALLAUTH = """
import asyncio, sys
import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
        "allauth", "allauth.account",
    ],
    MIDDLEWARE=["allauth.account.middleware.AccountMiddleware"],
    SECRET_KEY="tests", USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()
from django.core.management import call_command

call_command("migrate", verbosity=0)
"""
SIGN_IN = """
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User as Account
from tests.support import make_site

jo = Account.objects.create_user("jo", "jo@example.com", first_name="Jo")
EmailAddress.objects.create(user=jo, email="jo@example.com", verified=True, primary=True)
EmailAddress.objects.create(user=jo, email="jo@work.example", verified=True)
kim = Account.objects.create_user("kim@example.com", "kim@example.com")
EmailAddress.objects.create(user=kim, email="kim@example.com", verified=False, primary=True)


async def main():
    users = AllauthUsers()

    async def sign_in(email):
        site = make_site(users=users)
        browser = site.browser()
        await browser.sign_in(email)
        await browser.get("/private")
        return site.inner.scope["state"]["user"]

    for email in ("jo@example.com", "jo@work.example", "ana@example.com", "ana@example.com"):
        found = await sign_in(email)
        print(found.id, found.email, found.username)
    print((await users.load("1")).username, await users.load("99"))
    print(await users.create("kim@example.com"))


asyncio.run(main())
"""


def test_the_people_of_allauth_stay_who_they_are(tmp_path: Path) -> None:
    if find_spec("allauth") is None:
        lacking("django-allauth is not installed: it comes with [apps]")
    [people] = blocks("py", "class AllauthUsers", PAGES["moving-from-allauth"])
    [asgi] = blocks("py", "get_asgi_application", PAGES["moving-from-allauth"])
    serve = "import types\nsys.modules['mysite'] = types.ModuleType('mysite')\n"
    serve += "sys.modules['mysite.people'] = sys.modules['__main__']\n"
    serve += asgi + "\nprint(type(application).__name__)\n"
    done = subprocess.run(
        [sys.executable, "-c", ALLAUTH + people + SIGN_IN + serve, str(tmp_path / "app.db")],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PWLESS_SECRET_KEY": "vT4nQ8sLw2Yt6Rb9Xn4Mc7JdZk3vQ8sL",
            "SMTP_URL": "smtp://localhost:2525",
        },
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == [
        "1 jo@example.com jo",
        "1 jo@example.com jo",
        "3 ana@example.com ana@example.com",
        "3 ana@example.com ana@example.com",
        "jo None",
        "None",
        "PasswordlessMiddleware",
    ], done.stderr


def test_the_blocks_that_are_shown_make_their_middleware(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWLESS_SECRET_KEY", "vT4nQ8sLw2Yt6Rb9Xn4Mc7JdZk3vQ8sL")
    monkeypatch.setenv("SMTP_URL", "smtp://localhost:2525")
    app = run("moving-from-better-auth", "PasswordlessMiddleware").app
    assert isinstance(app, PasswordlessMiddleware)
    assert isinstance(app.passwordless, Passwordless)
