"""The history of the settings: who changed what, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.features.dashboard.operators import OPS, make_dashboard
from tests.features.dashboard.settings.forms import SETTINGS, change, fields_of, save
from tests.features.dashboard.settings.test_section import text_of
from tests.support import led_to

pytestmark = pytest.mark.anyio

HISTORY = f"{SETTINGS}/history"
ATTEMPTS = "email_login.attempts"


async def test_it_says_who_changed_what_from_what_to_what(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    assert "Nothing was changed yet" in (await ops.get(HISTORY)).text
    await change(ops, "email_login", {ATTEMPTS: "4", "email_login.same_browser": "off"})
    await site.passwordless.settings.set({ATTEMPTS: 6}, by="command_line")
    text = text_of(await ops.get(HISTORY))
    assert "the command line Holds now" in text
    assert "Wrong codes of one login 4 → now 6 Less strict" in text
    assert f"{OPS} Let it hold again" in text
    assert "Same browser On → now Off Less strict" in text


async def test_any_version_can_hold_again_once_it_was_looked_at(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await change(ops, "email_login", {ATTEMPTS: "4"})
    await change(ops, "email_login", {ATTEMPTS: "6"})
    looked = await ops.get(f"{HISTORY}/1")
    assert "Now 6 Then 4" in text_of(looked)
    assert len(await site.passwordless.settings.history()) == 2
    assert led_to(await save(ops, looked)) == "/auth/dashboard/settings?done=saved"
    assert (await site.passwordless.settings.get(ATTEMPTS)).value == 4
    everything = await ops.get(f"{HISTORY}/0")
    assert (await save(ops, everything)).status_code == 303
    assert (await site.passwordless.settings.get(ATTEMPTS)).source == "default"
    assert "There is nothing to change" in (await ops.get(f"{HISTORY}/0")).text


async def test_going_back_overwrites_nothing_that_was_not_seen(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await change(ops, "email_login", {ATTEMPTS: "4"})
    looked = await ops.get(f"{HISTORY}/0")
    await site.passwordless.settings.set({ATTEMPTS: 6}, by="command_line")
    told = await save(ops, looked)
    assert told.status_code == 409
    assert "the command line" in text_of(told)
    assert (await site.passwordless.settings.get(ATTEMPTS)).value == 6
    assert fields_of(told, "/save")["seen"] == "2"


async def test_it_has_pages(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    for number in range(27):
        await site.passwordless.settings.set({"sessions.idle": 600 + number})
    first = await ops.get(HISTORY)
    assert "Version 27" in text_of(first)
    assert "Version 3 " in text_of(first)
    assert "Version 2 " not in text_of(first)
    second = await ops.get(f"{HISTORY}?before=3")
    assert "Version 2 " in text_of(second)
    assert "10 minutes" in text_of(second)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("?before=0", 400),
        ("?before=x", 400),
        ("?after=1", 400),
        ("/5", 404),
        ("/x", 400),
        ("/-1", 400),
        ("/99999999999999999999", 400),
    ],
)
async def test_a_version_that_there_is_not_is_refused(
    path: str, status: int, tmp_path: Path
) -> None:
    _, ops = await make_dashboard(tmp_path)
    assert (await ops.get(HISTORY + path)).status_code == status


async def test_a_setting_of_a_feature_that_is_gone_is_shown_by_its_name(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    from pwless_middleware.core.operators.settings import SettingsRecord

    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    values = {"gone.feature": ("a", "b")}
    assert await repositories.settings.add(SettingsRecord(1, 1, "operator:erased-x", values))
    text = text_of(await ops.get(HISTORY))
    assert "gone.feature – → now" in text
    assert "somebody who is gone" in text
