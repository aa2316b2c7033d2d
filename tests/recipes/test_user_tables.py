"""The recipes for `users=`: one contract over SQLAlchemy, Django and a table behind HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import django
import httpx
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection, connections, models
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from pwless_middleware import User, UserDirectory
from tests.recipes.django_users import DjangoUsers
from tests.recipes.http_users import HTTPUsers
from tests.recipes.postgrest import API_KEY, PostgREST
from tests.recipes.sqlalchemy_users import SQLAlchemyUsers
from tests.support import make_site

pytestmark = pytest.mark.anyio

JO, KIM = "jo@example.com", "kim@example.com"


class Table(UserDirectory, Protocol):
    """A directory that offers everything."""

    async def change_email(self, user_id: str, email: str) -> User | None: ...

    async def search(self, prefix: str, after: str = "") -> list[User]: ...


# --- the tables ----------------------------------------------------------------------------------


class Base(DeclarativeBase):
    """The host's models."""


class Account(Base):
    """Its users."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str | None]


async def sqlalchemy_table(url: str) -> AsyncIterator[Table]:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield SQLAlchemyUsers(async_sessionmaker(engine), Account)
    await engine.dispose()


@cache
def make_model() -> type[Any]:
    """Set Django up, and return a user model of it; both can be done once in a process."""
    file = {"ENGINE": "django.db.backends.sqlite3"}
    settings.configure(DATABASES={"default": file}, USE_TZ=True)
    django.setup()
    from django.contrib.auth.base_user import AbstractBaseUser

    class Member(AbstractBaseUser):
        """The host's users."""

        email = models.EmailField(unique=True)
        name = models.CharField(max_length=100)
        is_active = models.BooleanField(default=True)
        USERNAME_FIELD = "email"

        class Meta:
            app_label = "members"

    return Member


def make_table(file: Path) -> type[Any]:
    """Make the table of the user model in a new file, in Django's own thread."""
    model = make_model()
    connection.close()
    connection.settings_dict["NAME"] = str(file)
    with connection.schema_editor() as editor:
        editor.create_model(model)
    return model


async def django_table(file: Path) -> AsyncIterator[DjangoUsers]:
    yield DjangoUsers(await sync_to_async(make_table)(file))
    await sync_to_async(connections.close_all)()


@pytest.fixture
def server() -> PostgREST:
    return PostgREST()


@pytest.fixture(params=["sqlite", "postgresql", "django", "http"])
async def table(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    make_database_url: Callable[[str], str],
    server: PostgREST,
) -> AsyncIterator[Table]:
    """Each table in turn, empty."""
    if request.param == "sqlite":
        async for one in sqlalchemy_table(f"sqlite+aiosqlite:///{tmp_path}/app.db"):
            yield one
    elif request.param == "postgresql":
        url = make_database_url("postgresql").replace("://", "+asyncpg://", 1)
        async for one in sqlalchemy_table(url):
            yield one
    elif request.param == "django":
        async for table in django_table(tmp_path / "django.db"):
            yield table
    else:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(server.app),
            base_url="https://project.example/rest/v1",
            headers={"apikey": API_KEY},
        ) as client:
            yield HTTPUsers(client)


# --- the contract --------------------------------------------------------------------------------


async def test_a_login_makes_the_user_once_and_finds_them_again(table: Table) -> None:
    site = make_site(users=table, roomy=True)
    for is_new in (True, False):
        backend = site.backend()
        sent = (await backend.send("Jo@Example.com")).json()["auth_request_id"]
        done = (await backend.verify(sent, code=site.mail().code)).json()
        assert done["is_new_user"] is is_new
    jo = site.browser()
    await jo.sign_in(JO)
    assert await jo.who() == JO
    found = await table.find(JO)
    assert found is not None
    assert found == await table.load(found.id)
    assert done["user_id"] == found.id


async def test_of_many_who_are_made_at_once_there_is_one(table: Table) -> None:
    made = await asyncio.gather(*(table.create(JO) for _ in range(4)))
    assert len({user.id for user in made if user is not None}) == 1
    assert None not in made


async def test_whom_the_table_does_not_know_is_nobody(table: Table) -> None:
    assert await table.find(JO) is None
    for id in ("4711", "Rf-EcZvW1K_abohaZQpGMw"):
        assert await table.load(id) is None, "a session from before there was a table"


async def test_an_address_is_changed_to_one_that_is_free(table: Table) -> None:
    jo, kim = await table.create(JO), await table.create(KIM)
    assert jo is not None
    assert kim is not None
    assert await table.change_email(jo.id, KIM) is None
    assert await table.find(JO) == jo
    changed = await table.change_email(jo.id, "new@example.com")
    assert changed == await table.load(jo.id) == await table.find("new@example.com")
    assert changed is not None
    assert (changed.id, changed.email) == (jo.id, "new@example.com")
    assert await table.find(JO) is None
    assert await table.change_email("4711", "other@example.com") is None


async def test_users_are_searched_by_how_their_addresses_begin(table: Table) -> None:
    for name in ("jo_a", "jo_b", "jo_c", "joxa", "kim"):
        await table.create(f"{name}@example.com")
    found = [user.email for user in await table.search("jo_")]
    assert found == [f"jo_{letter}@example.com" for letter in "abc"]
    assert [user.email for user in await table.search("jo_", after=found[0])] == found[1:]


# --- of one of them ------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["django"], indirect=True)
async def test_who_is_not_active_in_django_is_nobody(table: Table) -> None:
    site = make_site(users=table, roomy=True)
    jo = site.browser()
    await jo.sign_in(JO)
    assert await jo.who() == JO
    await make_model()._default_manager.filter(email=JO).aupdate(is_active=False)
    assert await jo.who() is None
    again = site.browser()
    await again.ask(JO)
    assert (await again.type_code(site.mail().code)).status_code == 403


@pytest.mark.parametrize("table", ["http"], indirect=True)
async def test_a_table_that_cannot_be_asked_lets_nobody_in(table: Table, server: PostgREST) -> None:
    site = make_site(users=table)
    jo = site.browser()
    await jo.sign_in(JO)
    server.is_down = True
    assert (await jo.get("/private")).status_code == 503
