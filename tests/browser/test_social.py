"""Sign in with an account at a certified provider, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp

from pwless_middleware import OIDC, EmailLogin, Outbox, PasswordlessMiddleware
from tests.browser.conftest import SECRET_KEY, Demo, Visit, clean
from tests.identity_providers.oidc_provider import OIDCProvider
from tests.live import clock_of_today, served
from tests.support import ROOMY

JO = "jo@acme.example"


@pytest.fixture
def demo(tmp_path: Path, oidc_provider: OIDCProvider) -> Iterator[Demo]:
    """Serve an app where people sign in by mail, or with their account at the provider."""
    outbox, clock = Outbox(), clock_of_today()

    def make(url: str) -> ASGIApp:
        social = OIDC(
            "acme",
            issuer=oidc_provider.issuer,
            name="Acme",
            client_id=oidc_provider.client_id,
            client_secret=oidc_provider.client_secret,
            unsafe_loopback=True,
        )
        return PasswordlessMiddleware(
            HTMLResponse('<link rel="icon" href="data:,">private'),
            secret_key=SECRET_KEY,
            base_url=url,
            mailer=outbox,
            database=f"sqlite:///{tmp_path}/pwless.db",
            features=[EmailLogin(send_limits=ROOMY), social],
            clock=clock,
        )

    with served(make) as url:
        yield Demo(url, outbox, clock)


def sign_in_there(page: Page, login: str) -> None:
    """Sign in at the provider, and consent; both are pages of its own."""
    page.get_by_placeholder("Enter any login").fill(login)
    page.get_by_placeholder("and password").fill("anything")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()


def test_a_person_signs_in_at_the_provider_proves_the_address_once_and_comes_back(
    visit: Visit, demo: Demo
) -> None:
    visitor = visit()
    page = visitor.open("/reports?year=2026#section")
    clean(page)
    page.get_by_role("button", name="Continue with Acme").click()
    sign_in_there(page, JO)
    expect(page.get_by_text("Just this once")).to_be_visible()
    clean(page)
    page.get_by_label("Code").fill(demo.code(JO))  # which sends itself
    expect(page.get_by_text("private")).to_be_visible()
    assert page.url.startswith(f"{demo.url}/reports?year=2026")
    page.goto(f"{demo.url}/auth/account/linked")
    expect(page.get_by_text(JO).first).to_be_visible()
    clean(page)

    # Elsewhere, and later, the button is enough.
    again = visit(has_scripts=False).open("/auth/login")
    again.get_by_role("button", name="Continue with Acme").click()
    sign_in_there(again, JO)
    expect(again.get_by_text("private")).to_be_visible()


def test_who_cancels_at_the_provider_is_told_and_can_try_again(visit: Visit, demo: Demo) -> None:
    page = visit().open("/auth/login")
    page.get_by_role("button", name="Continue with Acme").click()
    page.get_by_role("link", name="[ Cancel ]").click()
    expect(page.get_by_role("heading", name="Signing in did not work")).to_be_visible()
    clean(page)
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("button", name="Continue with Acme")).to_be_visible()
