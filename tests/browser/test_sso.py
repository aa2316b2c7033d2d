"""Sign in with a company's login in Chromium: by OpenID Connect at two providers, and by SAML.

Chromium sends no Lax cookie with SAML's post from another site, and holds `form-action` against
every redirect after a form of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp

from pwless_middleware import (
    EmailLogin,
    Organizations,
    Outbox,
    PasswordlessMiddleware,
    SecondFactors,
)
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.features.sso.options import SSO
from pwless_middleware.features.sso.saml.metadata import read_metadata
from tests.browser.conftest import Demo, Visit, clean, in_a_thread
from tests.features.second_factors.people import id_of
from tests.identity_providers.nanoidp import PASSWORD, NanoIDP
from tests.identity_providers.oidc_provider import OIDCProvider
from tests.identity_providers.provider import CLIENT_SECRET
from tests.live import clock_of_today, served
from tests.organizations import add_app, floor_of, make_organization_site
from tests.sqlite_file import sqlite_url
from tests.support import KEY, ROOMY

PROVIDERS = ("oidc-provider", "nanoidp", "nanoidp by saml")
JO, BOSS = "jo@acme.example", "boss@acme.example"


def features() -> list[Any]:
    return [
        EmailLogin(send_limits=ROOMY),
        SecondFactors(),
        Organizations(),
        SSO(unsafe_loopback=True),
    ]


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    """Return which provider it is."""
    return str(request.param)


@pytest.fixture
def demo(tmp_path: Path, provider: str, request: pytest.FixtureRequest) -> Iterator[Demo]:
    """Serve an app for Acme, whose people have to sign in with its login."""
    outbox, clock = Outbox(), clock_of_today()
    there: OIDCProvider | NanoIDP = request.getfixturevalue(
        "oidc_provider" if provider == "oidc-provider" else "nanoidp"
    )
    kind, config = "oidc", there.config()
    if provider == "nanoidp by saml":
        xml = httpx.get(f"{there.issuer}/saml/metadata", timeout=30).content
        kind, config = "saml", read_metadata(xml, now=clock(), allow_loopback=True).to_config()
    in_a_thread(lambda: prepare(tmp_path, kind, config))

    def make(url: str) -> ASGIApp:
        return PasswordlessMiddleware(
            HTMLResponse('<link rel="icon" href="data:,">private'),
            secret_key=KEY,
            base_url=url,
            mailer=outbox,
            database=sqlite_url(tmp_path),
            features=features(),
            clock=clock,
        )

    with served(make) as url:
        yield Demo(url, outbox, clock)


async def prepare(folder: Path, kind: str, config: dict[str, Any]) -> None:
    """Set Acme up in the database, as a back office would."""
    site = make_organization_site(folder, features=features())
    floor = floor_of(site)
    acme = await floor.organizations.create("Acme", policy=Policy(join="sso"))
    await floor.domains.claim(acme.id, "acme.example")
    await floor.domains.mark_verified(acme.id, "acme.example")
    made = await floor.connections.create(acme.id, kind, "Acme login", config=config)
    if kind == "oidc":
        await floor.connections.set_secret(made.id, CLIENT_SECRET.encode())
    await floor.connections.enable(made.id)
    await floor.connections.mark_tested(made.id)
    boss = await id_of(site, BOSS)
    await add_app(site, boss)
    await floor.members.put(acme.id, boss)
    there = await floor.organizations.require(acme.id)
    policy = Policy(join="sso", sso="required", break_glass=frozenset([Address(BOSS)]))
    await floor.organizations.set_policy(acme.id, policy, seen=there.version)
    await site.passwordless._kit.require_database().aclose()


def ask(page: Page, email: str = JO) -> None:
    """Type an address on the login page, and press its button."""
    page.get_by_label("Email address").fill(email)
    page.get_by_role("button", name="Email me a code").click()


def sign_in_there(page: Page, provider: str) -> None:
    """Sign in at the provider, on pages of its own."""
    if provider == "oidc-provider":
        page.get_by_placeholder("Enter any login").fill(JO)
        page.get_by_placeholder("and password").fill("anything")
        page.get_by_role("button", name="Sign-in").click()
        page.get_by_role("button", name="Continue").click()
        return
    page.locator("input[name=username]").fill("jo")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("[type=submit]").first.click()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_an_address_of_the_company_leads_there_and_back_to_where_it_was_going(
    visit: Visit, demo: Demo, provider: str, scripts: bool
) -> None:
    visitor = visit(has_scripts=scripts)
    page = visitor.open("/reports?year=2026")
    ask(page)
    sign_in_there(page, provider)
    if not scripts and "saml" in provider:  # the provider's own form has no script to post it
        page.locator("[type=submit]").first.click()
    expect(page.get_by_text("private")).to_be_visible()
    # What the provider's own pages lack (nanoidp's are styled from another host) is not ours.
    visitor.problems[:] = [one for one in visitor.problems if one.startswith(demo.url)]
    assert page.url == f"{demo.url}/reports?year=2026"
    page.goto(f"{demo.url}/auth/account")
    expect(page.get_by_text(JO).first).to_be_visible()


@pytest.mark.parametrize("provider", PROVIDERS[:1], indirect=True)
def test_who_comes_from_another_site_is_asked_and_shown_the_way_out(
    visit: Visit, demo: Demo, provider: str
) -> None:
    page = visit().open("/auth/login")
    ask(page)
    start = page.url
    assert start.startswith("http://localhost")
    page.goto(f"{demo.url}/auth/login")
    ask(page)  # so soon again: a button
    expect(page.get_by_role("button", name="Continue with your company’s login")).to_be_visible()
    clean(page)
    page.get_by_role("link", name="I can’t reach my company’s login").click()
    clean(page)
    page.get_by_label("Email address").fill(BOSS)
    page.get_by_role("button", name="Email me a code").click()
    page.get_by_label("Code").fill(demo.code(BOSS))
    expect(page.get_by_text("authenticator app").first).to_be_visible()
