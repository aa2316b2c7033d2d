"""Settings at work: what an operator changes holds at the next use, in every process (security
rule 63)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pwless_middleware import EmailLogin, SendLimits, SessionPolicy
from pwless_middleware.core.operators.settings import SettingsConflict, SettingsRecord
from pwless_middleware.database.database import Database
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.memory.settings import MemorySettings
from pwless_middleware.errors import ConfigError, StoreError, Unavailable
from pwless_middleware.flows.settings.current_settings import CurrentSettings
from pwless_middleware.flows.settings.settings import Settings
from pwless_middleware.kit import (
    Kit,
    LiveSettings,
    Mounted,
    Request,
    Response,
    Route,
    Setting,
)
from tests.support import Site, make_site

pytestmark = pytest.mark.anyio

EMAIL = "jo@example.com"
LIFETIME = "email_login.lifetime"


@pytest.fixture
async def database(tmp_path: Any) -> AsyncIterator[Database]:
    """A file: how each kind of database keeps the record is the contract's to say."""
    database = Database(f"sqlite:///{tmp_path}/pwless.db")
    yield database
    await database.aclose()


def site_of(database: Database, *, beside: Site | None = None, **options: Any) -> Site:
    """Make a site on a database; `beside` is another process's, on the same store."""
    if beside is not None:
        options.update(store=beside.store, clock=beside.clock, outbox=beside.outbox)
    return make_site(database=database, **options)


def settings_of(site: Site) -> Settings:
    return site.passwordless.settings


async def heard(site: Site, version: int) -> None:
    """Wait until a site has heard of a version."""
    current, changed = _current(site), asyncio.Event()
    current.subscribe(changed.set)
    async with asyncio.timeout(30):
        while current.record.version != version:
            await changed.wait()


def _current(site: Site) -> Any:
    return settings_of(site)._current


# --- what holds -----------------------------------------------------------------------------------


async def test_a_change_holds_at_the_next_use_and_what_runs_stays(database: Database) -> None:
    site = site_of(database, roomy=True)
    jo, kim = site.browser(), site.browser(ip="203.0.113.9")
    await jo.ask(EMAIL)
    await settings_of(site).set({"email_login.kind": "OTP", LIFETIME: 60})
    await kim.ask("kim@example.com")
    assert site.mail("kim@example.com").link is None
    assert site.mail(EMAIL).link is not None
    site.clock.advance(61)
    assert (await kim.type_code(site.mail("kim@example.com").code)).status_code == 410
    assert (await jo.type_code(site.mail(EMAIL).code)).status_code == 303


@pytest.mark.parametrize("name", ["lifetime", "max_lifetime"])
async def test_what_an_api_caller_may_ask_for_follows(name: str, database: Database) -> None:
    site = site_of(database)
    backend = site.backend()
    await settings_of(site).set({"email_login.max_lifetime": 400, LIFETIME: 100})
    sent = (await backend.send(EMAIL)).json()
    assert sent["expires_in"] == 100
    assert (await backend.send(EMAIL, expires_in=401)).status_code == 400
    document = (await site.browser().get("/auth/api/v1/openapi.json")).json()
    send = document["paths"]["/auth/api/v1/passwordless/email/send"]["post"]
    fields = send["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert fields["expires_in"]["maximum"] == 400


async def test_limits_and_session_life_follow(database: Database) -> None:
    site = site_of(database)
    changed = {"email_login.send_limits.per_minute": 1, "sessions.idle": 60}
    await settings_of(site).set(changed)
    jo = site.browser()
    await jo.sign_in(EMAIL)
    stranger = site.browser(ip="203.0.113.9")
    assert (await stranger.ask(EMAIL)).status_code == 429
    site.clock.advance(61)
    assert await jo.who() is None


async def test_the_allow_list_binds_who_is_in_already(database: Database) -> None:
    site = site_of(database)
    jo = site.browser()
    await jo.sign_in(EMAIL)
    await settings_of(site).set({"email_login.allow": ["*@acme.example"]})
    assert await jo.who() is None
    await settings_of(site).reset(["email_login.allow"])
    assert await jo.who() == EMAIL


async def test_a_change_is_heard_by_the_other_processes(database: Database) -> None:
    one = site_of(database)
    other = site_of(database, beside=one)
    await other.browser().get("/auth/login")
    await settings_of(one).set({"email_login.kind": "LINK"})
    await heard(other, 1)
    await other.browser().ask(EMAIL)
    assert other.mail().code is None


# --- code and operators ---------------------------------------------------------------------------


async def test_what_code_gives_is_fixed_and_shown_as_such(database: Database) -> None:
    features = [EmailLogin(lifetime=120, send_limits=SendLimits(per_day=9), allow=lambda _: True)]
    site = site_of(database, features=features, sessions=SessionPolicy(idle=3600))
    settings = settings_of(site)
    fixed = {one.name for one in await settings.list() if one.source == "code"}
    assert fixed == {
        *(LIFETIME, "email_login.send_limits.per_day", "email_login.allow", "sessions.idle")
    }
    for name in fixed:
        with pytest.raises(ConfigError, match="given in code"):
            await settings.set({name: 100})
    await settings.set({"sessions.absolute": 7200, "email_login.signup": True})
    found = await settings.get("sessions.absolute")
    assert (found.value, found.source) == (7200, "database")
    assert (await settings.get("email_login.kind")).source == "default"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({LIFETIME: 59}, "email_login.lifetime: set a whole number from 60"),
        ({LIFETIME: "300"}, "email_login.lifetime: set a whole number"),
        ({LIFETIME: 601}, "email_login.lifetime: set a whole number from 60 to 600"),
        ({LIFETIME: 500, "email_login.max_lifetime": 400}, "max_lifetime: .* from 500 to 600"),
        ({"email_login.kind": "SMS"}, "set LINK_OTP or LINK or OTP"),
        ({"email_login.allow": []}, "allow: set a list of texts, one at least"),
        ({"email_login.allow": ["nobody"]}, "allow: 'nobody' is neither"),
        ({"email_login.try_limits.per_day": 21}, "from 1 to 20"),
        ({"sessions.idle": 31 * 86400}, r"sessions\.idle: set whole seconds, 60 to 2592000"),
        ({"email_login.lifetim": 60}, "no such setting; did you mean email_login.lifetime?"),
        ({"kind": "OTP"}, "no such setting"),
        ({LIFETIME: 60, "nothing": 1}, "nothing: there is no such setting"),
    ],
)
async def test_a_change_that_cannot_hold_changes_nothing(
    values: dict[str, object], says: str, database: Database
) -> None:
    settings = settings_of(site_of(database))
    with pytest.raises(ConfigError, match=says):
        await settings.set(values)
    assert await settings.history() == []


async def test_several_that_hold_only_together_are_set_together(database: Database) -> None:
    settings = settings_of(site_of(database))
    longer = {LIFETIME: 3600, "email_login.max_lifetime": 3600}
    await settings.set({"email_login.kind": "LINK", **longer})
    with pytest.raises(ConfigError, match="60 to 600"):
        await settings.set({"email_login.kind": "LINK_OTP"})
    await settings.set({"email_login.kind": "LINK_OTP", **dict.fromkeys(longer, 60)})


async def test_changes_made_at_the_same_time_all_hold(database: Database) -> None:
    settings = settings_of(site_of(database))
    names = ["email_login.attempts", LIFETIME, "sessions.idle", "email_login.kind"]
    values: list[object] = [4, 90, 600, "OTP"]
    sets = [settings.set({name: value}) for name, value in zip(names, values, strict=True)]
    await asyncio.gather(*sets)
    assert [(await settings.get(name)).value for name in names] == values


# --- two operators at once ------------------------------------------------------------------------


async def test_the_second_of_two_operators_is_told_and_overwrites_nothing(
    database: Database,
) -> None:
    site = site_of(database)
    settings = settings_of(site)
    await settings.set({LIFETIME: 60})
    seen = (await settings.get(LIFETIME)).version
    await settings.set({LIFETIME: 90}, by="operator:u-1", seen=seen)
    site.clock.advance(5)
    await settings.set({"sessions.idle": 600}, by="operator:u-2", seen=seen)
    for change in (settings.set({LIFETIME: 120}, seen=seen), settings.reset([LIFETIME], seen=seen)):
        with pytest.raises(SettingsConflict, match="operator:u-1 has changed it in version 2") as e:
            await change
        (conflict,) = e.value.conflicts
        assert (conflict.name, conflict.seen, conflict.now) == (LIFETIME, 60, 90)
        assert (conflict.by, conflict.at) == ("operator:u-1", site.clock.now - 5)
    assert (await settings.get(LIFETIME)).value == 90
    await settings.set({LIFETIME: 120}, seen=3)
    assert (await settings.get(LIFETIME)).value == 120


async def test_of_a_look_of_long_ago_the_second_is_told_too(database: Database) -> None:
    """More versions than are read at once have come since."""
    settings = settings_of(site_of(database))
    await settings.set({LIFETIME: 60}, by="operator:u-1")
    for idle in range(101):
        await settings.set({"sessions.idle": 600 + idle}, by="operator:u-2")
    with pytest.raises(SettingsConflict, match="operator:u-1 has changed it in version 1 "):
        await settings.set({LIFETIME: 90}, seen=0)


async def test_other_settings_and_the_same_value_are_in_nobodys_way(database: Database) -> None:
    settings = settings_of(site_of(database))
    await settings.set({LIFETIME: 90, "sessions.idle": 600})
    await settings.set({LIFETIME: 90, "email_login.kind": "OTP"}, seen=0)
    with pytest.raises(SettingsConflict):
        await settings.set({LIFETIME: 91, "email_login.attempts": 4}, seen=0)
    assert (await settings.get("email_login.attempts")).source == "default"
    await settings.set({LIFETIME: 60})
    await settings.set({LIFETIME: 90})
    await settings.set({LIFETIME: 120}, seen=2)  # as it was seen, whatever was between


async def test_going_back_overwrites_nothing_that_was_not_seen(database: Database) -> None:
    settings = settings_of(site_of(database))
    await settings.set({LIFETIME: 60})
    await settings.set({LIFETIME: 90})
    await settings.set({"sessions.idle": 600}, by="operator:u-2")
    with pytest.raises(SettingsConflict, match=r"sessions\.idle: operator:u-2"):
        await settings.revert(1, seen=2)
    assert (await settings.get(LIFETIME)).value == 90
    await settings.revert(1, seen=3)
    assert (await settings.get(LIFETIME)).value == 60


async def test_a_conflict_tells_no_address_in_its_text(database: Database) -> None:
    settings = settings_of(site_of(database))
    await settings.set({"email_login.allow": [EMAIL]})
    with pytest.raises(SettingsConflict) as error:
        await settings.set({"email_login.allow": ["*"]}, seen=0)
    assert EMAIL not in str(error.value)
    assert EMAIL not in repr(error.value.conflicts)
    assert error.value.conflicts[0].now == (EMAIL,)


@pytest.mark.parametrize("seen", [7, -1, True, "1"])
async def test_a_version_that_there_is_not_was_seen_by_nobody(
    seen: Any, database: Database
) -> None:
    settings = settings_of(site_of(database))
    with pytest.raises(ConfigError, match="no version"):
        await settings.set({LIFETIME: 60}, seen=seen)
    assert await settings.history() == []


async def test_of_two_processes_that_change_one_setting_one_does(database_url: str) -> None:
    """Both have seen the same version; the second is told who was first, and sets nothing."""
    databases = [Database(database_url) for _ in range(2)]  # each with connections of its own
    both = [settings_of(site_of(database)) for database in databases]
    seen = [(await settings.get(LIFETIME)).version for settings in both]

    async def change(number: int) -> str:
        try:
            change = {LIFETIME: 100 + number}
            await both[number].set(change, by=str(number), seen=seen[number])
        except SettingsConflict as error:
            return f"conflict with {error.conflicts[0].by}"
        return f"set {number}"

    said = sorted(await asyncio.gather(change(0), change(1)))
    winner = said[1].removeprefix("set ")
    assert said == [f"conflict with {winner}", f"set {winner}"]
    for settings in both:
        assert [one.by for one in await settings.history()] == [winner]
        assert (await settings.get(LIFETIME)).value == 100 + int(winner)
    for database in databases:
        await database.aclose()


# --- history --------------------------------------------------------------------------------------


async def test_history_says_who_changed_what_and_any_version_can_hold_again(
    database: Database,
) -> None:
    site = site_of(database)
    settings = settings_of(site)
    await settings.set({LIFETIME: 60}, by="operator:u-1")
    await settings.set({LIFETIME: 90, "email_login.signup": True}, by="command_line")
    await settings.set({LIFETIME: 90})
    await settings.reset([LIFETIME, "email_login.kind"])
    newest, second, first = await settings.history()
    assert (first.version, first.by, first.at) == (1, "operator:u-1", site.clock.now)
    assert [(one.name, one.old, one.new) for one in second.changes] == [
        (LIFETIME, 60, 90),
        ("email_login.signup", None, True),
    ]
    assert [(one.name, one.old, one.new) for one in newest.changes] == [(LIFETIME, 90, None)]
    assert [one.version for one in await settings.history(before=3, limit=1)] == [2]
    await settings.revert(1)
    assert (await settings.get(LIFETIME)).value == 60
    await settings.revert(0)
    assert {one.source for one in await settings.list()} == {"default"}
    for version in (9, -1, True, "1"):
        with pytest.raises(ConfigError, match="no version"):
            await settings.revert(version)  # type: ignore[arg-type]


async def test_an_earlier_version_lets_nobody_in_who_was_signed_out(database: Database) -> None:
    site = site_of(database)
    settings = settings_of(site)
    jo = site.browser()
    await jo.sign_in(EMAIL)
    await settings.set({LIFETIME: 120})
    site.clock.advance(1)
    await settings.set({"sessions.not_before": site.clock.now})
    for version in (1, 0):
        await settings.revert(version)
        assert await jo.who() is None
    assert (await settings.get(LIFETIME)).source == "default"


async def test_each_change_is_an_event_that_holds_no_address(database: Database) -> None:
    told: list[Any] = []
    site = site_of(database, on_event=told.append)
    allow = "email_login.allow"
    await settings_of(site).set({LIFETIME: 60, allow: [EMAIL]}, by="operator:u-1")
    await asyncio.sleep(0)
    by_name = {event.details["name"]: event for event in told if event.kind == "settings.changed"}
    assert by_name[LIFETIME].details == {"name": LIFETIME, "from": "", "to": "60"}
    assert by_name[LIFETIME].by == "operator:u-1"
    assert by_name[allow].details == {"name": allow}


async def test_who_changes_a_setting_has_a_name(database: Database) -> None:
    settings = settings_of(site_of(database))
    for by in ("", "x" * 101, None):
        with pytest.raises(ConfigError, match="who changes it"):
            await settings.set({LIFETIME: 60}, by=by)  # type: ignore[arg-type]


async def test_without_a_database_settings_can_be_read_only() -> None:
    settings = settings_of(make_site())
    assert (await settings.get(LIFETIME)).value == 300
    with pytest.raises(ConfigError, match="add database="):
        await settings.set({LIFETIME: 60})


# --- of a feature of somebody's -------------------------------------------------------------------


class Shop:
    """Have one setting, and a page that shows it."""

    def __init__(self, *, name: str = "Shop") -> None:
        self.name = name

    def mount(self, kit: Kit) -> Mounted:
        most = Setting(
            name="most", meaning="Items at once.", kind="number", default=5, least=1, most=9
        )
        live = LiveSettings("shop", [most], make=lambda values: values["most"], given={})

        async def show(request: Request) -> Response:
            return Response(str(live()))

        return Mounted(routes=(Route(f"/{self.name.lower()}", {"GET": show}),), settings=live)


async def test_a_feature_has_settings_of_its_own(database: Database) -> None:
    site = site_of(database, features=[EmailLogin(), Shop()])
    assert (await site.browser().get("/auth/shop")).text == "5"
    await settings_of(site).set({"shop.most": 9})
    assert (await site.browser().get("/auth/shop")).text == "9"
    assert (
        await make_site(features=[EmailLogin(), Shop()]).browser().get("/auth/shop")
    ).text == "5"


def test_two_features_with_settings_of_one_name_are_told() -> None:
    with pytest.raises(ConfigError, match="Shop and Other both have settings 'shop'"):
        make_site(features=[EmailLogin(), Shop(), Shop(name="Other")])


# --- what goes wrong ------------------------------------------------------------------------------


class Broken:
    """Be a repository whose database can be taken away."""

    def __init__(self, record: SettingsRecord) -> None:
        self.record = record
        self.is_down = True

    async def newest(self) -> SettingsRecord:
        if self.is_down:
            raise StoreError("the database cannot be asked")
        return self.record


async def test_nobody_is_let_in_before_it_is_known_whom_operators_allow(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    site = site_of(database)
    current = _current(site)
    record = SettingsRecord(1, 0, "", {"email_login.allow": ("*@acme.example",)})
    current.repository = broken = Broken(record)
    jo, backend = site.browser(), site.backend()
    assert (await jo.ask(EMAIL)).status_code == 503
    assert (await backend.send(EMAIL)).status_code == 503
    with pytest.raises(Unavailable):
        await site.passwordless.send(EMAIL)
    for _ in range(5):
        await asyncio.sleep(0)
    assert "the settings cannot be read, and none hold" in caplog.text
    broken.is_down = False
    assert (await jo.ask(EMAIL)).status_code == 303
    assert site.outbox.latest() is None
    broken.is_down, current.is_known = True, True
    assert (await jo.ask("jo@acme.example")).status_code == 303
    assert site.mail("jo@acme.example").code


async def test_what_the_code_admits_no_more_is_told_and_left_out_closed(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    site = site_of(database)
    current, settings = _current(site), settings_of(site)
    values: dict[str, Any] = {
        LIFETIME: 9000,
        "email_login.allow": ("*@acme.example", "@@"),
        "email_login.same_browser": "no",
        "email_login.attempts": 4,
        "gone.feature": 5,
    }
    with caplog.at_level(logging.WARNING, "pwless.settings"):
        current.take(SettingsRecord(1, 0, "", values))
        current.take(SettingsRecord(2, 0, "", values))
    values = {name: value for name, value in values.items() if name != "gone.feature"}
    await database.open()
    by_name = {
        one: current.groups["email_login"].values(current.groups["email_login"].admitted)[one]
        for one in ("lifetime", "allow", "same_browser", "attempts")
    }
    assert by_name == {"lifetime": 300, "allow": (), "same_browser": True, "attempts": 4}
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == len(set(told)) == 3
    assert await settings.list()


async def test_a_slow_answer_takes_back_nothing_that_was_heard_meanwhile() -> None:
    """Or an operator's change would not hold here for half a minute more."""
    answers: list[asyncio.Future[SettingsRecord]] = []

    class Slow(MemorySettings):
        async def newest(self) -> SettingsRecord:
            answers.append(asyncio.get_running_loop().create_future())
            return await answers[-1]

    current = CurrentSettings(Slow(MemoryEvents()))
    old, new, newer = (SettingsRecord(version, 0, "x", {}) for version in (1, 2, 3))
    first, second = asyncio.create_task(current.load()), asyncio.create_task(current.load())
    await asyncio.sleep(0)
    answers[1].set_result(new)
    assert (await second).version == 2
    answers[0].set_result(old)
    assert (await first).version == 2
    third = asyncio.create_task(current.load())
    await asyncio.sleep(0)
    current.take(newer)
    answers[2].set_result(new)
    assert (await third).version == 3
