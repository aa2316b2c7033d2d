"""What a company's login counts for, and which role its groups give, behind a second factor too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import SecondFactors
from tests.features.second_factors.people import App, do_step, enroll, id_of
from tests.features.sso.sites import SSOSite
from tests.identity_providers.own_oidc import OwnProvider
from tests.support import Browser, led_to

pytestmark = pytest.mark.anyio

JO = "jo@acme.example"


async def make(provider: OwnProvider, folder: Path, **config: Any) -> SSOSite:
    """Make Acme, which requires a second factor."""
    acme = await SSOSite.make(folder, provider.config(**config), features=(SecondFactors(),))
    await acme.set_policy(mfa="required")
    return acme


async def finish_step(acme: SSOSite, browser: Browser, app: App) -> None:
    waits = await browser.request("GET", "/auth/api/v1/step")
    done = await do_step(browser, waits.json()["login_id"], app.next_code())
    assert done.status_code == 200, done.text


@pytest.mark.parametrize(
    ("counts", "amr", "is_enough"),
    [(True, ["pwd", "mfa"], True), (True, ["pwd"], False), (False, ["pwd", "mfa"], False)],
)
async def test_a_second_factor_of_the_provider_counts_where_the_connection_says_so(
    provider: OwnProvider, tmp_path: Path, counts: bool, amr: list[str], is_enough: bool
) -> None:
    acme = await make(provider, tmp_path, counts_mfa=counts)
    provider.claims["amr"] = amr
    jo = acme.site.browser()
    done = await acme.sign_in(jo, provider, next="/in")
    assert done.status_code == 303
    assert (led_to(done) == "/in") is is_enough
    assert (await jo.who() == JO) is is_enough


async def test_a_mail_and_a_company_login_are_not_two_factors(
    provider: OwnProvider, tmp_path: Path
) -> None:
    """Whoever reads the mail of a company mostly has its login."""
    acme = await make(provider, tmp_path)
    jo = acme.site.browser()
    assert led_to(await acme.sign_in(jo, provider)).startswith("/auth/step/")


async def test_the_role_is_given_once_the_second_factor_is_there(
    provider: OwnProvider, tmp_path: Path
) -> None:
    acme = await make(provider, tmp_path, roles=[["admins", "owner"]])
    app, provider.claims["groups"] = await enroll(acme.site, JO), ["admins"]
    jo = acme.site.browser()
    await acme.sign_in(jo, provider)
    assert await acme.floor.members.find(acme.organization.id, await id_of(acme.site, JO)) is None
    await finish_step(acme, jo, app)
    assert await jo.who() == JO
    assert acme.site.inner.scope["state"]["user"].role == "owner"


async def test_a_role_is_taken_away_with_the_group_and_left_where_nothing_is_said(
    provider: OwnProvider, tmp_path: Path
) -> None:
    config = {"roles": [["admins", "owner"]], "default_role": ""}
    acme = await SSOSite.make(tmp_path, provider.config(**config))
    id = acme.organization.id
    for groups, role in ((["admins"], "owner"), (["others"], "")):
        provider.claims["groups"] = groups
        await acme.sign_in(acme.site.browser(), provider)
        (member,) = await acme.floor.members.list(id)
        assert member.role == role
    await acme.floor.connections.change(acme.connection.id, config=provider.config())
    await acme.floor.members.set_role(id, member.user_id, "editor")
    await acme.sign_in(acme.site.browser(), provider)
    (member,) = await acme.floor.members.list(id)
    assert member.role == "editor"


async def test_who_is_new_is_called_as_the_provider_says_and_nobody_is_renamed(
    provider: OwnProvider, tmp_path: Path
) -> None:
    acme = await SSOSite.make(tmp_path, provider.config())
    people = acme.site.passwordless.people
    for name in ("Jo\u202e Doe ", "Somebody Else"):
        provider.claims["name"] = name
        await acme.sign_in(acme.site.browser(), provider)
        person = await people.find(JO)
        assert person is not None
        assert person.name == "Jo Doe"


async def test_who_is_forgotten_at_the_provider_meanwhile_is_not_let_in(
    provider: OwnProvider, tmp_path: Path
) -> None:
    """The connection is turned off between the answer and the session."""
    acme = await make(provider, tmp_path)
    app, jo = await enroll(acme.site, JO), acme.site.browser()
    await acme.sign_in(jo, provider)
    await acme.floor.connections.disable(acme.connection.id)
    waits = await jo.request("GET", "/auth/api/v1/step")
    done = await do_step(jo, waits.json()["login_id"], app.next_code())
    assert done.status_code == 403
    assert await jo.who() is None
