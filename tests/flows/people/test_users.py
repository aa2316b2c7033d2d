"""Users: the host's own table behind the login, here SQLite, and what is not believed of it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from pwless_middleware import EmailLogin, User
from pwless_middleware.errors import ConfigError
from tests.support import Site, error_code, led_to, make_site

pytestmark = pytest.mark.anyio


class SqliteUsers:
    """A user table of the host: an example that the guide may show."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT)")

    async def find(self, email: str) -> User | None:
        """Return the user with this address."""
        row = self.db.execute("SELECT id, email FROM users WHERE email = ?", (email,)).fetchone()
        return User(id=str(row[0]), email=row[1]) if row else None

    async def create(self, email: str) -> User | None:
        """Make a user, or give the one that somebody else has just made."""
        self.db.execute("INSERT OR IGNORE INTO users (email) VALUES (?)", (email,))
        return await self.find(email)

    async def load(self, user_id: str) -> User | None:
        """Return the user of a session."""
        row = self.db.execute("SELECT id, email FROM users WHERE id = ?", (user_id,)).fetchone()
        return User(id=str(row[0]), email=row[1]) if row else None


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    yield connection
    connection.close()


def rows(db: sqlite3.Connection) -> list[str]:
    return [email for (email,) in db.execute("SELECT email FROM users ORDER BY id")]


async def test_a_login_makes_the_user_once_and_finds_it_again(db: sqlite3.Connection) -> None:
    site = make_site(users=SqliteUsers(db), roomy=True)
    for expected in (True, False):
        backend = site.backend()
        sent = (await backend.send("Jo@Example.com")).json()["auth_request_id"]
        done = (await backend.verify(sent, code=site.mail().code)).json()
        assert (done["user_id"], done["is_new_user"]) == ("1", expected)
    assert rows(db) == ["jo@example.com"]
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    assert await jo.who() == "jo@example.com"
    assert site.inner.scope["user"].id == "1"
    assert site.inner.scope["user"].is_new is False


async def test_asking_for_a_mail_makes_no_user(db: sqlite3.Connection) -> None:
    site = make_site(users=SqliteUsers(db))
    jo = site.browser()
    await jo.ask("jo@example.com")
    await jo.type_code("000000")
    assert rows(db) == []


async def test_a_user_who_is_deleted_is_anonymous_at_the_next_request(
    db: sqlite3.Connection,
) -> None:
    site = make_site(users=SqliteUsers(db))
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    db.execute("DELETE FROM users")
    assert await jo.who() is None


async def test_without_signup_strangers_see_the_same_and_get_nothing(
    db: sqlite3.Connection,
) -> None:
    users = SqliteUsers(db)
    await users.create("known@example.com")
    site = make_site(users=users, features=[EmailLogin(signup=False)])
    for email, mails in (("known@example.com", 1), ("stranger@example.com", 1)):
        answer = await site.browser().ask(email)
        assert led_to(answer) == "/auth/verify"
        assert len(site.outbox.messages) == mails
    assert rows(db) == ["known@example.com"]


class SyncUsers:
    """A table whose author has forgotten `async`."""

    def find(self, email: str) -> None:
        """Return nobody, and nothing that can be awaited."""

    create = load = find


async def test_verbs_that_are_not_async_are_told_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = make_site(users=SyncUsers())
    await site.browser().ask("jo@example.com")
    assert "write its verbs as `async def`" in caplog.text
    assert site.outbox.messages == []


def test_signup_off_needs_a_table() -> None:
    with pytest.raises(ConfigError, match=r"signup.*users"):
        make_site(features=[EmailLogin(signup=False)])


class Made(SqliteUsers):
    """Count how often a user is made, and let others run meanwhile."""

    made = 0

    async def find(self, email: str) -> User | None:
        await asyncio.sleep(0)
        return await super().find(email)

    async def create(self, email: str) -> User | None:
        self.made += 1
        await asyncio.sleep(0)
        return await super().create(email)


@pytest.mark.parametrize("by", ["code", "link"])
async def test_of_many_with_one_proof_only_the_winner_makes_a_user(
    db: sqlite3.Connection, by: str
) -> None:
    users = Made(db)
    site = make_site(users=users)
    jo = site.browser()
    await jo.ask("jo@example.com")
    mail = site.mail()
    tabs = [site.browser(cookies=jo.cookies) for _ in range(4)]
    answers = await asyncio.gather(
        *(tab.type_code(mail.code) if by == "code" else tab.press_link(mail.link) for tab in tabs)
    )
    assert sorted(answer.status_code for answer in answers) == [303, 410, 410, 410]
    assert users.made == 1
    assert site.sessions == 1


class Fixed:
    """Answer every question with one user."""

    def __init__(self, user: User | None, *, found: bool = True) -> None:
        self.user, self.found = user, found

    async def find(self, email: str) -> User | None:
        return self.user if self.found else None

    async def create(self, email: str) -> User | None:
        return self.user

    async def load(self, user_id: str) -> User | None:
        return self.user


async def enter(site: Site, email: str) -> int:
    """Get a mail while everything is well, then sign in with the site given."""
    well = make_site(store=site.store, clock=site.clock)
    jo = well.browser()
    await jo.ask(email)
    visitor = site.browser(cookies=jo.cookies)
    return (await visitor.type_code(well.mail().code)).status_code


@pytest.mark.parametrize("found", [True, False])
@pytest.mark.parametrize(
    "email", ["admin@example.com", "mıke@example.com", "mike@example.org", "mike@exаmple.com", ""]
)
async def test_a_row_whose_address_is_another_opens_no_account(email: str, found: bool) -> None:
    """A collation calls `ı` and `i` equal: Django gave accounts away so (CVE-2019-19844)."""
    site = make_site(users=Fixed(User(id="1", email=email), found=found))
    assert await enter(site, "mike@example.com") == 403
    assert site.sessions == 0
    mails = make_site(users=Fixed(User(id="1", email=email)))
    await mails.browser().ask("mike@example.com")
    assert mails.outbox.messages == [], "nor does its owner get a mail"


@pytest.mark.parametrize(
    "email", [None, 5, "mike@example.com\r\nx-admin: 1", "mike\x00@example.com"]
)
async def test_a_row_without_a_readable_address_is_nobody_and_no_defect(email: Any) -> None:
    """A column may hold `NULL`, or what was never checked and would split the identity header."""
    users = Fixed(User(id="1", email="mike@example.com"))
    site = make_site(users=users, identity_header="remote-user")
    mike = site.browser()
    await mike.sign_in("mike@example.com")
    users.user = User(id="1", email=email)
    assert (await mike.get("/private")).status_code == 401
    assert (await mike.get("/auth/api/v1/session")).status_code == 401
    assert await enter(site, "mike@example.com") == 403


async def test_a_row_with_the_address_in_another_case_is_the_same_address() -> None:
    site = make_site(users=Fixed(User(id="1", email="Mike@Example.COM")))
    assert await enter(site, "mike@example.com") == 303


async def test_a_table_that_refuses_to_make_a_user_refuses_the_login() -> None:
    site = make_site(users=Fixed(None))
    assert await enter(site, "jo@example.com") == 403
    assert site.sessions == 0
    backend = site.backend()
    sent = (await backend.send("kim@example.com")).json()["auth_request_id"]
    answer = await backend.verify(sent, code=site.mail().code)
    assert (answer.status_code, error_code(answer)) == (403, "LOGIN_DENIED")


def test_a_salt_beside_a_table_is_refused_since_it_would_do_nothing() -> None:
    with pytest.raises(ConfigError, match="id_salt: leave it out"):
        make_site(id_salt="q7Zk3vQ8sLw2Yt6Rb9Xn", users=Fixed(None))
