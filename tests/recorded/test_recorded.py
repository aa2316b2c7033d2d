"""What an earlier version has kept goes on: sessions, logins begun, keys, factors, settings.

The files beside this one were printed by `record.py`, run by the code of the version in their
name, and never change. Each is restored into tables of its version, and met by the present code.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from pwless_middleware.database.database import Database
from pwless_middleware.database.migrations import MIGRATIONS, migrate
from tests.features.passkeys.authenticator import Authenticator, SoftPasskey, unb64
from tests.features.passkeys.people import sign_in
from tests.recorded.record import (
    JO,
    KIM,
    LEE,
    LIFETIME,
    MAX,
    MEMBER,
    NEW,
    PAT,
    PERIOD,
    STEP,
    code_of,
    make_recorded_site,
)
from tests.support import Site, led_to

pytestmark = pytest.mark.anyio
FILES = sorted(Path(__file__).parent.glob("*.json"))
WITH_ORGANIZATIONS = [file for file in FILES if '"pwless_organizations"' in file.read_text()]


@dataclass
class Recorded:
    """What a version kept, met by the present code.

    Attributes:
        site: the present code on the old rows, at the time when they were recorded.
        held: what people and servers hold, by who it is.
        file: the database.
    """

    site: Site
    held: dict[str, Any]
    file: Path


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], bytes]:
    """Return what makes the database of a record as its version left it, once for each."""

    @cache
    def restore(record: Path) -> bytes:
        file = tmp_path_factory.mktemp("restored") / "pwless.db"
        tables = json.loads(record.read_text())["tables"]
        newest = max(number for number, *_ in tables["pwless_schema"]["rows"])
        with ThreadPoolExecutor(1) as thread:  # a loop may run here
            thread.submit(asyncio.run, make_tables(f"sqlite:///{file}", newest)).result()
        with closing(sqlite3.connect(file)) as connection, connection:
            for name, table in tables.items():
                columns, places = table["columns"], ", ".join("?" * len(table["columns"]))
                connection.execute(f"DELETE FROM {name}")
                connection.executemany(
                    f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({places})",
                    values_of(table["rows"]),
                )
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return file.read_bytes()

    return restore


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def recorded(
    request: pytest.FixtureRequest, restored: Callable[[Path], bytes], tmp_path: Path
) -> Recorded:
    """Open what a version kept with the present code, which brings its tables up to date."""
    held, file = json.loads(request.param.read_text())["held"], tmp_path / "pwless.db"
    file.touch(mode=0o600)
    file.write_bytes(restored(request.param))
    return Recorded(make_recorded_site(f"sqlite:///{file}", held["now"]), held, file)


async def make_tables(url: str, version: int) -> None:
    """Make the tables of a version."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(migrate, "MIGRATIONS", MIGRATIONS[:version])
        database = Database(url)
        await database.open()
        await database.aclose()


def values_of(rows: list[list[Any]]) -> Iterator[list[Any]]:
    """Return rows as the database takes them."""
    for row in rows:
        yield [unb64(one["b64"]) if isinstance(one, dict) else one for one in row]


def test_some_versions_are_recorded() -> None:
    assert len(FILES) >= 2
    assert WITH_ORGANIZATIONS


async def test_a_session_goes_on_and_is_ended(recorded: Recorded) -> None:
    jo = recorded.site.browser(cookies=recorded.held["jo"]["cookies"])
    assert await jo.who() == JO
    await recorded.site.passwordless.sign_out(JO)
    assert await jo.who() is None


async def test_a_login_that_was_begun_is_finished_by_the_code(recorded: Recorded) -> None:
    new = recorded.site.browser(cookies=recorded.held["new"]["cookies"])
    assert (await new.type_code(recorded.held["new"]["code"])).status_code == 303
    assert await new.who() == NEW


async def test_or_by_the_link(recorded: Recorded) -> None:
    new = recorded.site.browser(cookies=recorded.held["new"]["cookies"])
    assert (await new.press_link(recorded.held["new"]["link"])).status_code == 303
    assert await new.who() == NEW


async def test_what_is_sent_again_is_the_same_code(recorded: Recorded) -> None:
    new = recorded.site.browser(cookies=recorded.held["new"]["cookies"])
    await new.post("/auth/resend", {})
    assert recorded.site.mail(NEW).code == recorded.held["new"]["code"]


async def test_a_code_that_was_spent_stays_spent(recorded: Recorded) -> None:
    pat = recorded.held["pat"]
    flow = {name: value for name, value in pat["cookies"].items() if name.endswith("-flow")}
    browser = recorded.site.browser(cookies=flow)
    assert (await browser.type_code(pat["code"])).status_code != 303
    assert await browser.who() is None
    signed_in = recorded.site.browser(cookies=pat["cookies"])
    assert await signed_in.who() == PAT


async def test_a_passkey_signs_in(recorded: Recorded) -> None:
    held, authenticator = recorded.held["kim"]["passkey"], Authenticator()
    key = load_der_private_key(unb64(held["key"]), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    authenticator.passkeys.append(
        SoftPasskey(unb64(held["id"]), key, held["rp_id"], unb64(held["user_handle"]), 0)
    )
    kim = recorded.site.browser()
    assert (await sign_in(kim, authenticator)).status_code == 200
    assert await kim.who() == KIM


async def test_a_login_that_waits_for_the_second_factor_is_finished(recorded: Recorded) -> None:
    held, clock = recorded.held["lee"], recorded.site.clock
    lee = recorded.site.browser(cookies=held["pending_cookies"])
    login_id = (await lee.get("/auth/api/v1/step")).json()["login_id"]
    clock.advance(PERIOD)
    body = {"login_id": login_id, "method": "totp", "code": code_of(held["secret"], clock.now)}
    done = await lee.request("POST", "/auth/api/v1/step", json=body)
    assert done.status_code == 200, done.text
    assert await lee.who() == LEE


async def test_a_recovery_code_counts(recorded: Recorded) -> None:
    held, lee = recorded.held["lee"], recorded.site.browser()
    assert led_to(await lee.sign_in(LEE)) == STEP
    login_id = (await lee.get("/auth/api/v1/step")).json()["login_id"]
    body = {"login_id": login_id, "method": "recovery_code", "code": held["recovery_code"]}
    done = await lee.request("POST", "/auth/api/v1/step", json=body)
    assert done.status_code == 200, done.text
    assert await lee.who() == LEE


async def test_a_trusted_browser_is_not_asked(recorded: Recorded) -> None:
    lee = recorded.site.browser(cookies=recorded.held["lee"]["cookies"])
    assert led_to(await lee.sign_in(LEE)) == "/"


async def test_api_keys_count_and_a_revoked_one_does_not(recorded: Recorded) -> None:
    keys = recorded.held["api_keys"]
    for key, status in ((keys["good"], 200), (keys["revoked"], 401)):
        assert (await recorded.site.backend(key).send(NEW)).status_code == status


async def test_settings_hold(recorded: Recorded) -> None:
    setting = await recorded.site.passwordless.settings.get("email_login.lifetime")
    assert setting.value == LIFETIME


async def test_who_is_disabled_stays_so(recorded: Recorded) -> None:
    person = await recorded.site.passwordless.people.find(MAX)
    assert person is not None
    assert person.disabled_at is not None
    await recorded.site.browser().ask(MAX)
    assert recorded.site.outbox.latest(MAX) is None


async def test_what_happened_is_found_and_each_login_has_its_outcome(recorded: Recorded) -> None:
    events = await recorded.site.passwordless.events.find(address=JO)
    assert {"send.requested", "session.created"} <= {one.event.kind for one in events.events}
    with closing(sqlite3.connect(recorded.file)) as connection:
        told = set(connection.execute("SELECT email, outcome FROM pwless_attempts"))
    assert {(JO, "signed_in"), (LEE, "step_open"), (NEW, "sent")} <= told


async def test_a_person_is_exported_and_erased_whole(recorded: Recorded) -> None:
    people = recorded.site.passwordless.people
    lee = await people.find(LEE)
    assert lee is not None
    exported = await people.export(lee.id)
    assert exported["second_factors"]
    await people.delete(lee.id)
    with closing(sqlite3.connect(recorded.file)) as connection:
        left = "\n".join(connection.iterdump())
    assert JO in left
    assert LEE not in left
    assert lee.id not in left


@pytest.mark.parametrize("recorded", WITH_ORGANIZATIONS, ids=lambda file: file.stem, indirect=True)
async def test_a_member_is_in_their_organization(recorded: Recorded) -> None:
    mia = recorded.site.browser(cookies=recorded.held["member"]["cookies"])
    assert await mia.who() == MEMBER
    entered = recorded.site.inner.scope["state"]["organization"]
    assert entered.id == recorded.held["organization"]
    assert entered.policy.idle == 3600
