"""Passkeys beside other second factors: nobody makes one by a mail alone who has another factor.

Else whoever reads a person's mail would make a passkey of their own, which counts as both factors,
and so go around the one that the person has (security rules 34 and 48).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import httpx
import pytest

from pwless_middleware import EmailLogin, Passkeys
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.second_factors import SecondFactors
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.people import API as PASSKEYS
from tests.features.passkeys.people import make_passkey
from tests.features.second_factors.people import (
    JO,
    STEP_API,
    by_mail,
    confirm_by_mail,
    do_step,
    enroll,
    id_of,
    make_factor_site,
    verbs_of,
    wait_for_step,
)
from tests.features.second_factors.test_trusted_browsers import make_trusted
from tests.support import BASE, ROOMY, Browser, Site, error_code

pytestmark = pytest.mark.anyio


def make_both_site(folder: Path, passkeys: Passkeys, factors: SecondFactors) -> Site:
    """Make a site with both; the passkeys' rule is asked first."""
    return make_factor_site(folder, features=[EmailLogin(send_limits=ROOMY), passkeys, factors])


async def ask_for_first(browser: Browser) -> dict[str, Any]:
    """Return what makes the first passkey in the step of a browser's pending login."""
    asked = (await browser.get(STEP_API)).json()
    [prompt] = [one for one in asked["methods"] if one["method"] == "passkey"]
    assert asked["enrolls"] is True
    return {**prompt, "login_id": asked["login_id"]}


async def make_first(browser: Browser, prompt: dict[str, Any]) -> httpx.Response:
    """Make it."""
    body = {name: prompt[name] for name in ("login_id", "method", "ceremony_id")}
    credential = Authenticator().create(prompt["options"], origin=BASE)
    return await browser.request("POST", STEP_API, json={**body, "credential": credential})


async def has_none(site: Site) -> bool:
    """Whether Jo has no passkey."""
    return not await site.passwordless.verbs(Passkeys).list(await id_of(site))


@pytest.mark.parametrize("mfa", ["optional", "off"])
async def test_a_required_passkey_is_made_after_the_app_that_is_there(
    tmp_path: Path, mfa: Any
) -> None:
    site = make_both_site(tmp_path, Passkeys(required=True), SecondFactors(mfa=mfa))
    app, jo = await enroll(site), site.browser()
    asked = await wait_for_step(jo)
    assert asked["steps"] == ["totp", "passkey"]
    assert (await jo.get(STEP_API)).json()["enrolls"] is False
    page = await jo.get("/auth/step/passkey/new")
    assert page.status_code == 410, "its page neither"
    waits = await do_step(jo, asked["login_id"], app.next_code())
    assert error_code(waits) == "STEP_REQUIRED"
    assert (await make_first(jo, await ask_for_first(jo))).status_code == 200


async def test_nor_in_a_browser_that_is_trusted(tmp_path: Path) -> None:
    site = make_both_site(tmp_path, Passkeys(), SecondFactors(trusted_days=30))
    jo, _ = await make_trusted(site)
    await site.passwordless.settings.set({"passkeys.required": True}, by="operator:u-1")
    assert (await wait_for_step(jo))["steps"] == ["totp", "passkey"]


async def test_a_login_that_began_before_the_app_makes_none(tmp_path: Path) -> None:
    """Whoever reads the mail waits at the step in which the first factor is made."""
    site = make_both_site(tmp_path, Passkeys(), SecondFactors(mfa="required"))
    await id_of(site)
    early, late = site.browser(), site.browser()
    for browser in (early, late):
        assert error_code(await by_mail(browser)) == "STEP_REQUIRED"
    prompt = await ask_for_first(early)
    await enroll(site)
    assert error_code(await make_first(early, prompt)) == "REQUEST_EXPIRED"
    assert (await late.get(STEP_API)).json()["methods"] == []
    assert (await late.get("/auth/step/passkey/new")).status_code == 410
    assert await has_none(site)


async def test_a_session_from_before_the_app_makes_none(tmp_path: Path) -> None:
    site = make_both_site(tmp_path, Passkeys(), SecondFactors())
    old = site.browser()
    await old.sign_in(JO)
    app = await enroll(site)
    refused = await old.request("POST", f"{PASSKEYS}/options")
    assert error_code(refused) == "STEP_UP_REQUIRED"
    assert (await do_step(old, None, app.next_code())).status_code == 200
    assert (await make_passkey(old, Authenticator())).status_code == 201


async def test_nor_one_in_a_trusted_browser_whose_person_confirms_by_mail(tmp_path: Path) -> None:
    site = make_both_site(tmp_path, Passkeys(), SecondFactors(trusted_days=30))
    jo, _ = await make_trusted(site)
    site.clock.advance(600)
    await by_mail(jo)
    site.clock.advance(600)
    await confirm_by_mail(jo)
    refused = await jo.request("POST", f"{PASSKEYS}/options")
    assert error_code(refused) == "STEP_UP_REQUIRED"


async def test_none_is_offered_where_the_app_was_not_asked_for(tmp_path: Path) -> None:
    """The offer could not be taken; see `test_offer_page` for who can."""
    site = make_both_site(tmp_path, Passkeys(), SecondFactors())
    await enroll(site)
    flow = site.passwordless.verbs(Passkeys)._flow
    user_id = await id_of(site)
    assert not await flow.fits(user_id, enrolls=True, strength="any")
    assert await flow.fits(user_id, enrolls=True, strength="second_factor")
    await verbs_of(site).reset(user_id)
    assert await flow.fits(user_id, enrolls=True, strength="any")


async def test_of_two_that_are_removed_at_once_the_last_one_stays(tmp_path: Path) -> None:
    """Each is there as the other one goes. Whoever has none would make the next by a mail alone."""
    site = make_both_site(tmp_path, Passkeys(), SecondFactors())
    apps, passkeys = verbs_of(site), site.passwordless.verbs(Passkeys)
    removals: list[Awaitable[None]] = []
    people = [f"p{number}@example.com" for number in range(3)]
    for email in people:
        jo = site.browser()
        await jo.sign_in(email)
        assert (await make_passkey(jo, Authenticator())).status_code == 201
        app, user_id = await enroll(site, email), await id_of(site, email)
        (passkey,) = await passkeys.list(user_id)
        removals += [apps.remove(user_id, app.id), passkeys.remove(user_id, passkey.id)]
    await site.passwordless.settings.set({"second_factors.mfa": "required"})
    done = await asyncio.gather(*removals, return_exceptions=True)
    for one in zip(done[::2], done[1::2], strict=True):
        assert [type(it) for it in one if it is not None] == [InvalidArgument]
