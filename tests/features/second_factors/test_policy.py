"""What organizations ask of second factors, beyond the deployment (security rules 45 and 55).

The demands of a feature stand for it here: `Mounted.policies` is how organizations make theirs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import EmailLogin, Passkeys
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.organizations.policy import ANYTHING, Policy
from pwless_middleware.features.second_factors import SecondFactors
from pwless_middleware.web.kit import Kit, Mounted
from tests.features.passkeys.authenticator import BE, BS, UP, Authenticator
from tests.features.passkeys.people import make_passkey
from tests.features.second_factors.people import (
    JO,
    STEP_API,
    App,
    by_mail,
    confirm_by_mail,
    do_step,
    enroll,
    id_of,
    make_factor_site,
    sign_in,
    verbs_of,
    wait_for_step,
)
from tests.support import BASE, ROOMY, Browser, Site, error_code

pytestmark = pytest.mark.anyio
FACTORS = "/auth/api/v1/factors"


class Demands:
    """Ask for what `policy` says, of every login."""

    name = "demands"

    def __init__(self) -> None:
        self.policy = ANYTHING

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(policies=(self._of,))

    async def _of(self, login: Login) -> Policy:
        return self.policy


demands = Demands()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make(tmp_path)


def make(folder: Path, **options: Any) -> Site:
    """Make a site whose organization asks for nothing yet."""
    demands.policy = ANYTHING
    features = [
        EmailLogin(send_limits=ROOMY),
        SecondFactors(**options),
        Passkeys(user_verification="preferred"),
        demands,
    ]
    return make_factor_site(folder, features=features)


async def answer_by_passkey(
    browser: Browser, login_id: str | None, authenticator: Authenticator
) -> Any:
    """Answer a step by a passkey."""
    shown = (await browser.get(STEP_API)).json()["methods"]
    prompt = next(one for one in shown if one["method"] == "passkey")
    body = {
        "login_id": login_id,
        "method": "passkey",
        "ceremony_id": prompt["ceremony_id"],
        "credential": authenticator.get(prompt["options"], origin=BASE, flags=UP | BE | BS),
    }
    return await browser.request("POST", STEP_API, json=body)


# --- whether it is asked for ---------------------------------------------------------------------


async def test_whoever_has_none_adds_one_in_the_login_of_an_organization_that_requires_it(
    site: Site,
) -> None:
    jo = site.browser()
    assert (await by_mail(jo)).status_code == 200
    demands.policy = Policy(mfa="required")
    asked = await wait_for_step(jo)
    begun = await jo.request(
        "POST", f"{STEP_API}/enroll", json={"method": "totp", "login_id": asked["login_id"]}
    )
    assert begun.status_code == 200, begun.text
    app = App(site, begun.json()["secret"])
    id = begun.json()["enrollment_id"]
    done = await do_step(jo, asked["login_id"], app.code(), enrollment_id=id)
    assert done.status_code == 200, done.text
    assert await jo.who() == JO


async def test_what_the_deployment_requires_no_organization_takes_back(tmp_path: Path) -> None:
    site = make(tmp_path, mfa="required")
    demands.policy = Policy(mfa="off", trusted_days=30)
    await enroll(site)
    assert (await wait_for_step(site.browser()))["steps"] == ["totp"]


async def test_off_and_an_organization_that_requires_it(tmp_path: Path) -> None:
    site = make(tmp_path, mfa="off")
    await enroll(site)
    assert (await by_mail(site.browser())).status_code == 200
    demands.policy = Policy(mfa="optional")
    assert (await wait_for_step(site.browser()))["steps"] == ["totp"]


async def test_the_last_one_stays_in_a_session_of_an_organization_that_requires_it(
    site: Site,
) -> None:
    app, jo = await enroll(site), site.browser()
    await sign_in(jo, app)
    demands.policy = Policy(mfa="required")
    refused = await jo.request("DELETE", f"{FACTORS}/{app.id}")
    assert error_code(refused) == "INVALID_ARGUMENT"
    demands.policy = ANYTHING
    assert (await jo.request("DELETE", f"{FACTORS}/{app.id}")).status_code == 204


# --- which of them count -------------------------------------------------------------------------


async def test_only_what_counts_is_asked_for(site: Site) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    await make_passkey(jo, Authenticator())
    await enroll(site)
    await verbs_of(site).make_recovery_codes(await id_of(site))
    demands.policy = Policy(second_factors=frozenset(["totp"]))
    assert (await wait_for_step(site.browser()))["steps"] == ["totp"]


async def test_what_does_not_count_is_proven_before_one_that_does_is_made(site: Site) -> None:
    """Else whoever reads the mails would make a second factor of their own (security rule 48)."""
    jo, authenticator = site.browser(), Authenticator()
    await jo.sign_in(JO)
    await make_passkey(jo, authenticator)
    demands.policy = Policy(mfa="required", second_factors=frozenset(["totp"]))
    later = site.browser()
    asked = await wait_for_step(later)
    assert asked["steps"] == ["passkey"]
    begin = {"method": "totp", "login_id": asked["login_id"]}
    too_soon = await later.request("POST", f"{STEP_API}/enroll", json=begin)
    assert error_code(too_soon) == "REQUEST_EXPIRED"
    proven = await answer_by_passkey(later, asked["login_id"], authenticator)
    assert error_code(proven) == "STEP_REQUIRED"
    asked = proven.json()["details"][0]
    assert asked["steps"] == ["totp"]
    assert (await later.get(STEP_API)).json()["enrolls"] is True
    page = await later.get("/auth/step/second-factor/new/totp")
    assert page.status_code == 200
    begin = {"method": "totp", "login_id": asked["login_id"]}
    begun = (await later.request("POST", f"{STEP_API}/enroll", json=begin)).json()
    app, id = App(site, begun["secret"]), begun["enrollment_id"]
    done = await do_step(later, asked["login_id"], app.code(), enrollment_id=id)
    assert done.status_code == 200, done.text
    assert await later.who() == JO


async def test_a_session_is_not_kept_fresh_by_what_does_not_count(site: Site) -> None:
    app, jo = await enroll(site), site.browser()
    await sign_in(jo, app)
    assert "Authenticator" in (await jo.get("/auth/step/up")).text
    demands.policy = Policy(second_factors=frozenset(["passkey"]))
    assert "Authenticator" not in (await jo.get("/auth/step/up")).text
    assert (await jo.get(STEP_API)).json()["methods"] == []
    refused = await do_step(jo, None, app.next_code())
    assert error_code(refused) == "LOGIN_DENIED"
    demands.policy = ANYTHING
    assert (await do_step(jo, None, app.next_code())).status_code == 200


async def test_the_page_that_asks_again_has_the_organizations_ways_alone(site: Site) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    assert "Email me a code" in (await jo.get("/auth/step/up")).text
    demands.policy = Policy(sso="required")
    assert "Email me a code" not in (await jo.get("/auth/step/up")).text


# --- trusted browsers ----------------------------------------------------------------------------


async def trust(browser: Browser, app: App) -> None:
    """Sign in by a mail and the app, and trust the browser."""
    await sign_in(browser, app)
    trusted = await browser.request("POST", f"{FACTORS}/trusted-browsers")
    assert trusted.status_code == 204, trusted.text


async def test_a_browser_is_trusted_for_the_days_of_the_organization(tmp_path: Path) -> None:
    site = make(tmp_path, trusted_days=30)
    app, jo = await enroll(site), site.browser()
    await trust(jo, app)
    assert (await by_mail(jo)).status_code == 200
    demands.policy = Policy(trusted_days=2)
    site.clock.advance(2 * 86400 - 60)
    assert (await by_mail(jo)).status_code == 200
    site.clock.advance(60)
    assert error_code(await by_mail(jo)) == "STEP_REQUIRED"


async def test_none_is_trusted_where_the_organization_has_no_days(tmp_path: Path) -> None:
    site = make(tmp_path, trusted_days=30)
    app, jo = await enroll(site), site.browser()
    await trust(jo, app)
    demands.policy = Policy(trusted_days=0)
    await wait_for_step(jo)
    assert 'name="trust"' not in (await jo.get("/auth/step/second-factor?method=totp")).text
    await sign_in(jo, app)
    refused = await jo.request("POST", f"{FACTORS}/trusted-browsers")
    assert error_code(refused) == "INVALID_ARGUMENT"


async def test_a_break_glass_login_is_always_asked_and_trusts_no_browser(tmp_path: Path) -> None:
    site = make(tmp_path, trusted_days=30, mfa="off")
    app, jo = await enroll(site), site.browser()
    demands.policy = Policy(mfa="optional")
    await trust(jo, app)
    demands.policy = Policy(sso="required", break_glass=frozenset([Address(JO)]))
    await wait_for_step(jo)
    assert 'name="trust"' not in (await jo.get("/auth/step/second-factor?method=totp")).text
    await sign_in(jo, app)
    refused = await jo.request("POST", f"{FACTORS}/trusted-browsers")
    assert error_code(refused) == "INVALID_ARGUMENT"


async def test_a_break_glass_login_makes_no_second_factor(site: Site) -> None:
    demands.policy = Policy(sso="required", mfa="required", break_glass=frozenset([Address(JO)]))
    assert error_code(await by_mail(site.browser())) == "LOGIN_DENIED"


async def test_a_session_without_is_asked_before_a_mail_renews_it(site: Site) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    demands.policy = Policy(mfa="required")
    answer = await confirm_by_mail(jo)
    assert "/step/second-factor/new" in answer.headers["location"]
