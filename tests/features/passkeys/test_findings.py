"""What `pwless check` and the dashboard say of passkeys: whose they are, and which open nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import EmailLogin, Passkeys
from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.database.database import Database
from pwless_middleware.database.factors.passkeys import SQLPasskeys
from tests.passkeys import make_passkey
from tests.support import make_site

pytestmark = pytest.mark.anyio

SHOP = "https://shop.example"


@pytest.fixture
async def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/pwless.db")
    await database.open()
    return database


async def check(
    database: Database, *, base_url: str = "https://example.com", **options: Any
) -> dict[str, Finding]:
    features = [EmailLogin(), Passkeys(**options)]
    site = make_site(database=database, base_url=base_url, features=features)
    found = await site.passwordless.findings.of_features()
    return {finding.check: finding for finding in found}


# --- the relying party id ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "rp_id", "says"),
    [
        ("https://example.com", None, "made for example.com: another rp_id"),
        ("https://www.example.com", None, "made for example.com: every host below it"),
        ("https://app.example.com:8443", None, "set the domain above now"),
        ("https://app.example.com", "example.com", "not app.example.com alone"),
        ("http://localhost:8000", None, "made for localhost"),
    ],
)
async def test_it_says_for_whom_they_are_made(
    database: Database, base_url: str, rp_id: str | None, says: str
) -> None:
    found = await check(database, base_url=base_url, rp_id=rp_id)
    assert [*found] == ["passkeys"]
    assert found["passkeys"].level == "ok"
    assert says in found["passkeys"].message


async def test_those_that_were_made_for_another_one_are_counted(database: Database) -> None:
    passkeys = SQLPasskeys(database)
    for number, rp_id in enumerate(("old.example", "old.example", "example.com"), 1):
        await passkeys.add(make_passkey(number=number, rp_id=rp_id), most=10)
    found = await check(database)
    assert found["rp_id"].level == "warn"
    assert "2 passkeys belong to old.example" in found["rp_id"].message
    assert "nobody can sign in with them" in found["rp_id"].message
    assert "rp_id='old.example'" in found["rp_id"].message


async def test_a_database_that_cannot_be_asked_is_told_of_elsewhere(tmp_path: Path) -> None:
    found = await check(Database(f"sqlite:///{tmp_path}/missing/pwless.db"))
    assert [*found] == ["passkeys"]


# --- further origins -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "rp_id", "level", "says"),
    [
        ("https://example.com", None, "ok", "as the app says at https://example.com/.well-known"),
        ("https://example.com/app", None, "warn", "have the proxy hand that path on to the app"),
        ("https://www.example.com", None, "warn", '{"origins": ["https://shop.example"]}'),
        ("https://example.com:8443", None, "warn", "that is not this app"),
        ("http://localhost:8000", None, "warn", "no browser asks localhost"),
    ],
)
async def test_it_says_where_browsers_look_for_pages_of_other_hosts(
    database: Database, base_url: str, rp_id: str | None, level: str, says: str
) -> None:
    found = await check(database, base_url=base_url, rp_id=rp_id, origins=[SHOP])
    assert found["origins"].level == level
    assert SHOP in found["origins"].message
    assert says in found["origins"].message


async def test_it_says_what_an_android_app_needs(database: Database) -> None:
    found = await check(database, origins=["android:apk-key-hash:" + "A" * 43])
    assert [*found] == ["passkeys", "apps"]
    assert "https://example.com/.well-known/assetlinks.json" in found["apps"].message
