"""The settings' pages: what holds, what a change does before it is made, and two at once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from pwless_middleware import EmailLogin, Passkeys, SecondFactors, SessionPolicy
from pwless_middleware.features.dashboard import Dashboard
from pwless_middleware.kit import Kit, LiveSettings, Mounted, Setting
from pwless_middleware.languages.languages import COMPLETE
from tests.features.dashboard.operators import (
    HELP,
    OPS,
    make_dashboard,
    make_dashboard_site,
)
from tests.features.dashboard.settings.forms import (
    SETTINGS,
    change,
    fields_of,
    fill,
    look,
    open_form,
    save,
)
from tests.own_account import signed_in
from tests.support import ROOMY, Site, led_to

pytestmark = pytest.mark.anyio

LIFETIME, ALLOW = "email_login.lifetime", "email_login.allow"
KIM = "kim@acme.example"


def text_of(answer: httpx.Response) -> str:
    """Return a page's text, its tags left out."""
    main = answer.text.partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


async def value_of(site: Site, name: str) -> object:
    return (await site.passwordless.settings.get(name)).value


async def make_two(folder: Path) -> tuple[Site, Any, Any]:
    """Make a site with two admins who have just signed in."""
    dashboard = Dashboard(operators=[OPS, KIM])
    site = make_dashboard_site(folder, dashboard=dashboard)
    return site, await signed_in(site, OPS), await signed_in(site, KIM)


# --- what holds -----------------------------------------------------------------------------------


async def test_every_setting_is_shown_with_its_value_and_where_it_comes_from(
    tmp_path: Path,
) -> None:
    email = EmailLogin(lifetime=120, send_limits=ROOMY, allow=lambda address: True)
    site, ops = await make_dashboard(
        tmp_path,
        features=[email, Passkeys(), SecondFactors()],
        sessions=SessionPolicy(idle=3600),
    )
    await site.passwordless.settings.set({"second_factors.trusted_days": 7})
    page = await ops.get(SETTINGS)
    for one in await site.passwordless.settings.list():
        assert f">{one.name}</code>" in page.text
    text = text_of(page)
    assert f"{LIFETIME} 2 minutes Fixed in code 5 minutes 1 minute to 1 hour" in text
    assert f"{ALLOW} A function in your code Fixed in code Everybody" in text
    assert "second_factors.trusted_days 7 days Set by an operator 0 days 0 days to 30 days" in text
    assert "sessions.idle 1 hour Fixed in code 7 days" in text
    assert "sessions.absolute 30 days Default" in text
    assert "email_login.kind A link and a code Default" in text
    assert "Version 1, since" in text


async def test_who_looks_sees_all_of_it_and_no_way_to_change_it(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    helper = await signed_in(site, HELP)
    page = await helper.get(SETTINGS)
    assert page.status_code == 200
    assert "/dashboard/settings/email_login" not in page.text
    assert (await helper.get(f"{SETTINGS}/email_login")).status_code == 404
    assert (await helper.get(f"{SETTINGS}/history")).status_code == 200
    assert (await helper.get(f"{SETTINGS}/history/0")).status_code == 404


async def test_what_code_fixes_is_no_field_and_cannot_be_sent(tmp_path: Path) -> None:
    email = EmailLogin(lifetime=120, send_limits=ROOMY)
    site, ops = await make_dashboard(tmp_path, features=[email])
    form = await open_form(ops, "email_login")
    assert LIFETIME not in form
    answer = await look(ops, "email_login", form, **{LIFETIME: "90", f"{LIFETIME}:unit": "seconds"})
    assert "That holds already." in answer.text
    values = '{"email_login.lifetime": 90}'
    saved = await ops.post(f"{SETTINGS}/save", {"seen": "0", "values": values})
    assert saved.status_code == 409
    assert "given in code" in saved.text
    assert await value_of(site, LIFETIME) == 120


# --- a change -------------------------------------------------------------------------------------


async def test_a_change_is_shown_before_it_is_made_and_then_holds(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    values = {LIFETIME: "10", f"{LIFETIME}:unit": "minutes", "email_login.rotate_on_resend": "on"}
    looked = await fill(ops, "email_login", values)
    assert looked.status_code == 200
    text = text_of(looked)
    assert "Lifetime of code and link Less strict Now 5 minutes Then 10 minutes Affects" in text
    assert "Codes and links can be used for longer." in text
    assert "New code with each resend Now Off Then On Affects Every email" in text
    assert await value_of(site, LIFETIME) == 300
    assert await site.passwordless.settings.history() == []
    done = await save(ops, looked)
    assert led_to(done) == "/auth/dashboard/settings?done=saved"
    assert "The change holds now." in (await ops.get(led_to(done))).text
    assert await value_of(site, LIFETIME) == 600
    (made,) = await site.passwordless.settings.history()
    assert made.by.startswith("operator:")
    assert [one.name for one in made.changes] == [LIFETIME, "email_login.rotate_on_resend"]


async def test_a_change_is_an_event_that_names_the_operator(tmp_path: Path) -> None:
    told: list[Any] = []
    site, ops = await make_dashboard(tmp_path, on_event=told.append)
    await change(ops, "email_login", {"email_login.attempts": "4"})
    await asyncio.sleep(0)
    (event,) = [one for one in told if one.kind == "settings.changed"]
    assert event.details == {"name": "email_login.attempts", "from": "", "to": "4"}
    person = await site.passwordless.people.find(OPS)
    assert person is not None
    assert event.by == f"operator:{person.id}"


@pytest.mark.parametrize(
    ("name", "value", "says", "is_looser"),
    [
        (ALLOW, "*@acme.example", "Everybody Then *@acme.example", False),
        ("email_login.signup", "off", "Now On Then Off", False),
        ("email_login.same_browser", "off", "Whoever gets hold of a link can sign in", True),
        ("email_login.kind", "OTP", "Now A link and a code Then A code", False),
        ("email_login.send_limits.overall_per_hour", "100", "Now No limit Then 100", False),
        ("email_login.send_limits.per_minute", "3", "More emails can be asked for", True),
    ],
)
async def test_a_change_that_is_less_strict_is_marked(
    name: str, value: str, says: str, is_looser: bool, tmp_path: Path
) -> None:
    _, ops = await make_dashboard(tmp_path, features=[EmailLogin()])
    text = text_of(await fill(ops, "email_login", {name: value}))
    assert says in text
    assert ("Less strict" in text) is is_looser


async def test_a_wider_allow_list_is_marked_and_a_narrower_one_is_not(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await site.passwordless.settings.set({ALLOW: ["*@acme.example", "jo@x.example"]})
    wider = text_of(await fill(ops, "email_login", {ALLOW: "*@acme.example\r\n*@x.example"}))
    assert "People can sign in who could not before." in wider
    narrower = text_of(await fill(ops, "email_login", {ALLOW: "ops@acme.example"}))
    assert "Less strict" not in narrower


async def test_of_a_long_list_what_is_added_and_removed_is_shown(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    people = [f"p{number}@x.example" for number in range(40)]
    await site.passwordless.settings.set({ALLOW: [*people, OPS]})
    changed = [*people[:-1], "kim@x.example", OPS]
    looked = await fill(ops, "email_login", {ALLOW: "\n".join(changed)})
    text = text_of(looked)
    assert "and 21 more" in text
    assert "Added kim@x.example Removed p39@x.example" in text
    await save(ops, looked)
    history = text_of(await ops.get(f"{SETTINGS}/history"))
    assert "Added : kim@x.example Removed : p39@x.example".replace(" :", ":") in history


class Shop:
    """A feature of somebody's, which says no more of its setting than it has to."""

    def mount(self, kit: Kit) -> Mounted:
        most = Setting(
            name="most", meaning="Items at once.", kind="number", default=5, least=1, most=9
        )
        live = LiveSettings("shop", [most], make=lambda values: values["most"], given={})
        return Mounted(settings=live)


async def test_the_settings_of_a_feature_of_somebodys_are_there_as_well(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path, features=[Shop()])
    assert "most Items at once. shop.most 5 Default 5 1 to 9" in text_of(await ops.get(SETTINGS))
    await change(ops, "shop", {"shop.most": "9"})
    assert await value_of(site, "shop.most") == 9


async def test_who_would_sign_themselves_out_is_told(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    out = text_of(await fill(ops, "email_login", {ALLOW: "*@elsewhere.example"}))
    assert "You are not on this list yourself" in out
    assert "yourself" not in text_of(await fill(ops, "email_login", {ALLOW: "*@acme.example"}))
    everybody = await fill(ops, "sessions", {"now": "sessions.not_before"})
    assert "Your own session began before" in text_of(everybody)
    saved = await save(ops, everybody)
    assert saved.status_code == 303
    assert (await ops.get(SETTINGS)).status_code == 303


async def test_what_was_set_can_be_taken_back(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await change(ops, "email_login", {"email_login.attempts": "4"})
    page = await ops.get(f"{SETTINGS}/email_login")
    assert 'name="reset" value="email_login.attempts"' in page.text
    looked = await fill(ops, "email_login", {"reset": "email_login.attempts"})
    assert "Now 4 Then 5" in text_of(looked)
    await save(ops, looked)
    assert (await site.passwordless.settings.get("email_login.attempts")).source == "default"


async def test_what_holds_only_together_is_changed_together(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    longer = {LIFETIME: "1", f"{LIFETIME}:unit": "hours"}
    refused = await fill(ops, "email_login", longer)
    assert refused.status_code == 400
    assert "This does not go with the rest: set a whole number from 60 to 600." in text_of(refused)
    assert fields_of(refused, "/email_login")[LIFETIME] == "1"
    most = "email_login.max_lifetime"
    together = {"email_login.kind": "LINK", most: "60", f"{most}:unit": "minutes"}
    await change(ops, "email_login", longer | together)
    assert await value_of(site, LIFETIME) == 3600


async def test_the_languages_are_chosen_from_those_that_there_are(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    form = await open_form(ops, "languages")
    assert {name for name in form if ":" in name} == {f"languages.offered:{c}" for c in COMPLETE}
    none = {name: value for name, value in form.items() if ":" not in name}
    refused = await look(ops, "languages", none)
    assert "Choose one at least." in refused.text
    german = none | {"languages.offered:de": "on", "languages.default": "de"}
    looked = await look(ops, "languages", german)
    assert "Then Deutsch (beta)" in text_of(looked)
    await save(ops, looked)
    assert await value_of(site, "languages.offered") == ("de",)
    assert 'lang="de"' in (await ops.get(SETTINGS)).text


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "values", "says"),
    [
        ("email_login", {"email_login.attempts": "11"}, "Enter a whole number, 3 to 10."),
        ("email_login", {"email_login.attempts": "²"}, "Enter a whole number, 3 to 10."),
        ("email_login", {"email_login.attempts": ""}, "Enter a whole number, 3 to 10."),
        ("email_login", {"email_login.attempts": "9" * 4000}, "Enter a whole number, 3 to 10."),
        ("email_login", {f"{LIFETIME}:unit": "years"}, "1 minute to 1 hour."),
        ("email_login", {"email_login.kind": "SMS"}, "Choose one of the list."),
        ("email_login", {"email_login.signup": ""}, "Choose one of the list."),
        ("email_login", {ALLOW: "  \r\n "}, "Enter 1 to 1000, each on its own line."),
        ("email_login", {ALLOW: "nobody"}, "'nobody' is neither an address"),
        ("sessions", {"sessions.not_before": "tomorrow"}, "Enter a day and a time."),
        ("sessions", {"sessions.not_before": "2026-13-01T00:00"}, "Enter a day and a time."),
        ("sessions", {"sessions.not_before": "2400-01-01T00:00"}, "Enter a moment that has passed"),
        ("sessions", {"sessions.not_before": "0001-01-01T00:00"}, "Enter a day and a time."),
        ("brand", {"brand.color": "red"}, "set a colour such as"),
        ("brand", {"brand.name": ""}, "Enter 1 to 100 characters."),
        ("brand", {"brand.logo": "javascript:alert(1)"}, "set a path that begins with one slash"),
    ],
)
async def test_what_cannot_be_is_told_beside_its_field_and_kept_there(
    group: str, values: dict[str, str], says: str, tmp_path: Path
) -> None:
    site, ops = await make_dashboard(tmp_path)
    answer = await fill(ops, group, values)
    assert answer.status_code == 400
    assert says in text_of(answer)
    assert answer.text.count('role="alert"') == 1
    assert await site.passwordless.settings.history() == []
    name, value = next(iter(values.items()))
    if ":" not in name and group != "sessions" and "Choose" not in says:
        assert fields_of(answer, f"/{group}")[name].strip() == value.strip()


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        (f"{SETTINGS}/nothing", {"seen": "0"}, 404),
        (f"{SETTINGS}/email_login", {"seen": "7"}, 404),
        (f"{SETTINGS}/email_login", {"seen": "x"}, 400),
        (f"{SETTINGS}/email_login", {}, 400),
        (f"{SETTINGS}/save", {"seen": "0"}, 400),
        (f"{SETTINGS}/save", {"seen": "0", "values": "{"}, 400),
        (f"{SETTINGS}/save", {"seen": "0", "values": '{"nothing": 1}'}, 409),
        (f"{SETTINGS}/save", {"seen": "0", "values": '{"email_login.allow": [1]}'}, 409),
        (f"{SETTINGS}/save", {"seen": "0", "values": '{"email_login.lifetime": 1.5}'}, 409),
        (f"{SETTINGS}/save", {"seen": "9", "values": '{"email_login.attempts": 4}'}, 409),
        (f"{SETTINGS}/save", {"seen": "0", "version": "-1"}, 400),
        (f"{SETTINGS}/save", {"seen": "0", "version": "5"}, 409),
        (f"{SETTINGS}/save", {"seen": "0", "reset": "nothing"}, 409),
    ],
)
async def test_a_form_that_was_tampered_with_changes_nothing(
    path: str, form: dict[str, str], status: int, tmp_path: Path
) -> None:
    site, ops = await make_dashboard(tmp_path)
    assert (await ops.post(path, form)).status_code == status
    assert await site.passwordless.settings.history() == []


@pytest.mark.parametrize("path", ["?done=x&more=1", "?done", "/email_login?seen=3"])
async def test_a_query_that_there_is_not_is_refused(path: str, tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    assert (await ops.get(SETTINGS + path)).status_code == 400
    assert (await ops.get(f"{SETTINGS}/nothing")).status_code == 404


async def test_a_text_that_is_markup_is_shown_as_text(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    name = '"><script>alert(1)</script>'
    looked = await fill(ops, "brand", {"brand.name": name})
    await save(ops, looked)
    history = await ops.get(f"{SETTINGS}/history")
    for page in (looked, await ops.get(SETTINGS), await ops.get(f"{SETTINGS}/brand"), history):
        assert page.status_code == 200
        assert "<script>alert" not in page.text
    assert await value_of(site, "brand.name") == name


async def test_what_was_typed_is_not_lost_to_a_further_proof(tmp_path: Path) -> None:
    """The form itself asks for what its button needs."""
    site, ops = await make_dashboard(tmp_path)
    site.clock.advance(301)
    assert (await ops.get(SETTINGS)).status_code == 200
    answer = await ops.get(f"{SETTINGS}/email_login")
    assert led_to(answer).startswith("/auth/step/up")


# --- two operators at once ------------------------------------------------------------------------


async def test_the_second_of_two_operators_is_told_and_overwrites_nothing(tmp_path: Path) -> None:
    site, ops, kim = await make_two(tmp_path)
    attempts = "email_login.attempts"
    first = await fill(ops, "email_login", {attempts: "4"})
    second = await fill(kim, "email_login", {attempts: "6"})
    assert (await save(ops, first)).status_code == 303
    told = await save(kim, second)
    assert told.status_code == 409
    text = text_of(told)
    assert "Somebody was quicker" in text
    assert f"Wrong codes of one login 5 4 {OPS}" in text
    assert "Now 4 Then 6" in text
    assert await value_of(site, attempts) == 4
    assert (await save(kim, told)).status_code == 303
    assert await value_of(site, attempts) == 6


async def test_of_two_who_press_the_button_at_the_same_time_one_is_told(tmp_path: Path) -> None:
    """Each by a process of their own, on one database."""
    dashboard = Dashboard(operators=[OPS, KIM])
    one = make_dashboard_site(tmp_path, dashboard=dashboard)
    same = {"store": one.store, "clock": one.clock, "outbox": one.outbox}
    other = make_dashboard_site(tmp_path, dashboard=dashboard, **same)
    ops, kim = await signed_in(one, OPS), await signed_in(other, KIM)
    pressed = [
        save(ops, await fill(ops, "email_login", {"email_login.attempts": "4"})),
        save(kim, await fill(kim, "email_login", {"email_login.attempts": "6"})),
    ]
    answers = await asyncio.gather(*pressed)
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    set_by_first = 4 if answers[0].status_code == 303 else 6
    assert (await one.passwordless.settings.get("email_login.attempts")).value == set_by_first
    assert len(await one.passwordless.settings.history()) == 1


async def test_a_form_that_was_open_for_long_changes_what_was_typed_and_nothing_else(
    tmp_path: Path,
) -> None:
    """The other fields hold what was shown then; sending them takes nothing back."""
    site, ops, kim = await make_two(tmp_path)
    old = await open_form(kim, "email_login")
    await change(ops, "email_login", {"email_login.attempts": "4"})
    looked = await look(kim, "email_login", old, **{"email_login.kind": "OTP"})
    assert looked.status_code == 200
    assert "attempts" not in fields_of(looked, "/save")["values"]
    await save(kim, looked)
    assert await value_of(site, "email_login.attempts") == 4
    assert await value_of(site, "email_login.kind") == "OTP"


async def test_the_second_is_told_as_soon_as_they_look(tmp_path: Path) -> None:
    _, ops, kim = await make_two(tmp_path)
    old = await open_form(kim, "email_login")
    await change(ops, "email_login", {"email_login.attempts": "4"})
    told = await look(kim, "email_login", old, **{"email_login.attempts": "6"})
    assert told.status_code == 409
    assert "Somebody was quicker" in told.text


async def test_a_change_that_no_longer_goes_with_the_rest_is_told(tmp_path: Path) -> None:
    site, ops, kim = await make_two(tmp_path)
    minutes = {f"{LIFETIME}:unit": "minutes", "email_login.max_lifetime:unit": "minutes"}
    first = await fill(ops, "email_login", {**minutes, "email_login.max_lifetime": "5"})
    second = await fill(kim, "email_login", {**minutes, LIFETIME: "10"})
    assert (await save(ops, first)).status_code == 303
    told = await save(kim, second)
    assert told.status_code == 409
    assert "from 600 to 600" in told.text
    assert await value_of(site, LIFETIME) == 300


async def test_what_cannot_be_decided_anew_is_told_with_what_was_changed(tmp_path: Path) -> None:
    """Somebody else has set the same, and something that it does not go with."""
    site, ops, kim = await make_two(tmp_path)
    minutes = {f"{LIFETIME}:unit": "minutes", "email_login.max_lifetime:unit": "minutes"}
    second = await fill(kim, "email_login", {**minutes, LIFETIME: "10"})
    first = {**minutes, "email_login.max_lifetime": "5", LIFETIME: "4"}
    await change(ops, "email_login", first)
    told = await save(kim, second)
    assert told.status_code == 409
    assert f"Lifetime of code and link 5 minutes 4 minutes {OPS}" in text_of(told)
    assert "This does not go with the rest" in text_of(told)
    assert 'action="/auth/dashboard/settings/save"' not in told.text
    assert await value_of(site, LIFETIME) == 240


async def test_what_was_set_to_never_is_set_by_an_empty_field(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await site.passwordless.settings.set({"sessions.not_before": 1_000})
    looked = await fill(ops, "sessions", {"sessions.not_before": ""})
    assert "Then Never" in text_of(looked)
    assert "Sessions that it has ended hold again." in text_of(looked)
    await save(ops, looked)
    assert await value_of(site, "sessions.not_before") == 0


async def test_a_page_while_the_database_hangs_is_503(
    tmp_path: Path, stop_database: Callable[[Site], None]
) -> None:
    site, ops = await make_dashboard(tmp_path)
    looked = await fill(ops, "email_login", {"email_login.attempts": "4"})
    stop_database(site)
    assert (await ops.get(SETTINGS)).status_code == 503
    assert (await save(ops, looked)).status_code == 503


@pytest.fixture
def stop_database() -> Callable[[Site], None]:
    """Return what has a site's database not be asked for settings any more."""

    def stop(site: Site) -> None:
        from pwless_middleware.errors import StoreError

        class Down:
            def __getattr__(self, name: str) -> Any:
                async def refuse(*args: Any, **options: Any) -> Any:
                    raise StoreError("the database cannot be asked")

                return refuse

        current: Any = site.passwordless.settings._current
        current.repository = Down()

    return stop


async def test_every_group_has_a_form_that_changes_nothing_by_itself(tmp_path: Path) -> None:
    """What is shown reads back as what holds, for every kind of field."""
    site, ops = await make_dashboard(tmp_path, features=[Passkeys(), SecondFactors()])
    values = {
        "second_factors.required_from": 1_800_000_061,
        "second_factors.reset_wait": 90_000,
        "sessions.not_before": 1_700_000_001,
        ALLOW: ["*@acme.example", "jo@x.example"],
        "email_login.send_limits.overall_per_hour": 7,
    }
    await site.passwordless.settings.set(values)
    for group in site.passwordless._kit.settings.groups:
        answer = await look(ops, group, await open_form(ops, group))
        assert "That holds already." in answer.text, group
