"""Passkeys and second factors in the database that nobody is asked for are told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.database.database import Database
from pwless_middleware.database.factors.factors import SQLFactors
from pwless_middleware.database.factors.passkeys import SQLPasskeys
from pwless_middleware.features.second_factors import SecondFactors
from tests.factors import make_factor, make_phone
from tests.passkeys import make_passkey
from tests.support import make_site

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/pwless.db")
    await database.open()
    return database


async def test_those_that_nobody_is_asked_for_are_counted(database: Database) -> None:
    passwordless = make_site(database=database).passwordless
    assert await passwordless.findings.of_features() == []
    factors = SQLFactors(database)
    await factors.add(make_factor(), most=10, may_be_alone=True)
    [found] = await passwordless.findings.of_features()
    assert (found.level, found.check) == ("warn", "second_factors")
    assert "1 authenticator app, for which nobody is asked: add SecondFactors()" in found.message
    await factors.add(make_factor("kim", 2), most=10, may_be_alone=True)
    await factors.add(make_phone("kim", 3), most=10, may_be_alone=True)
    [found] = await passwordless.findings.of_features()
    assert "2 authenticator apps and 1 phone number, for" in found.message


async def test_passkeys_that_open_nothing_are_counted(database: Database) -> None:
    passwordless = make_site(database=database).passwordless
    await SQLPasskeys(database).add(make_passkey(), most=10)
    [found] = await passwordless.findings.of_features()
    assert (found.level, found.check) == ("warn", "passkeys")
    assert "1 passkey, with which nobody can sign in: add Passkeys()" in found.message
    assert await passwordless.findings.of_features(may_ask=False) == []


async def test_nothing_is_said_where_they_are_asked_for(database: Database) -> None:
    await SQLFactors(database).add(make_factor(), most=10, may_be_alone=True)
    site = make_site(database=database, features=[EmailLogin(), SecondFactors()])
    found = await site.passwordless.findings.of_features()
    # The secret of the app is no real one, which is told as a failure.
    assert [one.message for one in found if one.level == "warn"] == []


async def test_a_database_that_cannot_be_asked_is_told_of_elsewhere(tmp_path: Path) -> None:
    missing = make_site(database=Database(f"sqlite:///{tmp_path}/missing/pwless.db"))
    for passwordless in (missing.passwordless, make_site().passwordless):
        assert await passwordless.findings.of_features() == []
