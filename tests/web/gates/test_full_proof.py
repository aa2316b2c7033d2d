"""What a person could lose their account by takes all that a login asks of them.

Whoever reads a person's mail, and is in since before they had a second factor or in their trusted
browser, neither takes the address from them nor deletes the account (security rule 26).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pwless_middleware.features.second_factors import SecondFactors
from tests.features.passkeys.people import enroll as enroll_passkey
from tests.features.passkeys.people import make_passkey_site
from tests.features.second_factors.people import (
    JO,
    by_mail,
    do_step,
    enroll,
    make_factor_site,
)
from tests.features.second_factors.test_trusted_browsers import make_trusted
from tests.own_account import ACCOUNT_API, ADDRESS, DELETE, NEW
from tests.support import Browser, Site, error_code, led_to

pytestmark = pytest.mark.anyio
ADDRESS_API = f"{ACCOUNT_API}/address"


async def refused(browser: Browser) -> set[str | None]:
    """Try each way, and return what is answered."""
    pages = [await browser.post(ADDRESS, {"email": NEW}), await browser.post(DELETE, {})]
    assert all("strength=second_factor" in str(led_to(page)) for page in pages)
    looks = [await browser.get(ADDRESS), await browser.get(DELETE)]
    assert all("strength=second_factor" in str(led_to(page)) for page in looks)
    changed = await browser.request("POST", ADDRESS_API, json={"email": NEW})
    deleted = await browser.request("DELETE", ACCOUNT_API)
    return {error_code(changed), error_code(deleted)}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path, second_factors=SecondFactors(trusted_days=30))


async def test_a_session_from_before_the_factor_is_asked_for_it(site: Site) -> None:
    old = site.browser()
    await old.sign_in(JO)
    app = await enroll(site)
    assert await refused(old) == {"STEP_UP_REQUIRED"}
    assert (await do_step(old, None, app.next_code())).status_code == 200
    assert (await old.post(ADDRESS, {"email": NEW})).status_code == 303
    assert (await old.request("DELETE", ACCOUNT_API)).status_code == 204


async def test_a_trusted_browser_is_asked_for_it_too(site: Site) -> None:
    jo, _ = await make_trusted(site)
    site.clock.advance(600)
    assert (await by_mail(jo)).status_code == 200
    assert await refused(jo) == {"STEP_UP_REQUIRED"}


@pytest.mark.parametrize("mfa", ["optional", "required", "off"])
async def test_who_has_none_or_is_not_asked_confirms_by_mail(tmp_path: Path, mfa: Any) -> None:
    site = make_factor_site(tmp_path)
    jo = site.browser()
    await jo.sign_in(JO)
    if mfa == "off":
        await enroll(site)
    await site.passwordless.settings.set({"second_factors.mfa": mfa}, by="operator:u-1")
    assert (await jo.request("DELETE", ACCOUNT_API)).status_code == 204


async def test_a_passkey_that_no_login_asks_for_is_not_asked_for_here(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    await enroll_passkey(site)
    jo = site.browser()
    await jo.sign_in(JO)
    assert (await jo.request("DELETE", ACCOUNT_API)).status_code == 204
