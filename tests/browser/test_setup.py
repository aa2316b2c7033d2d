"""A customer's administrator sets up their login in a browser, with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from pwless_middleware import EmailLogin, Outbox, PasswordlessMiddleware
from pwless_middleware.features.organizations import Organizations
from pwless_middleware.features.sso.options import SSO
from tests.browser.conftest import SECRET_KEY, Demo, Visit, Visitor, both_ways, too_wide, violations
from tests.identity_providers.saml import SAMLProvider
from tests.live import clock_of_today, served
from tests.sqlite_file import sqlite_url
from tests.support import API_KEY, WhoAmI

SETUP = "/auth/sso/setup"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """Serve a site whose customers set up their own login."""
    outbox, clock = Outbox(), clock_of_today()

    def make(url: str) -> object:
        return PasswordlessMiddleware(
            WhoAmI(),
            secret_key=SECRET_KEY,
            base_url=url,
            mailer=outbox,
            database=sqlite_url(tmp_path),
            features=[EmailLogin(), Organizations(), SSO()],
            api_keys={"backend": API_KEY},
        )

    with served(make) as url:
        yield Demo(url, outbox, clock)


def make_link(demo: Demo) -> str:
    """Have a server make an organization and a link, and return the link."""
    headers = {"authorization": f"Bearer {API_KEY}"}
    with httpx.Client(base_url=f"{demo.url}/auth/api/v1", headers=headers, timeout=30) as client:
        made = client.post("/organizations", json={"name": "Acme"}).json()
        id = made["organization"]["id"]
        link = client.post(f"/organizations/{id}/setup-links", json={}).json()
        return str(link["url"])


def open_setup(demo: Demo, visitor: Visitor) -> Page:
    """Open a link, and press its button."""
    page = visitor.open(make_link(demo))
    page.get_by_role("button", name="Begin in this browser").click()
    page.wait_for_url("**/sso/setup")
    return page


@both_ways
def test_a_saml_provider_is_entered_by_its_file_or_its_text(demo: Demo, visitor: Visitor) -> None:
    page = open_setup(demo, visitor)
    page.get_by_role("link", name="Go on").click()
    page.get_by_role("link", name="Provider", exact=False).first.click()
    page.get_by_role("button", name="Another provider, by SAML 2.0").click()
    metadata = SAMLProvider().make_metadata()
    if visitor.has_scripts:
        file = {"name": "idp.xml", "mimeType": "text/xml", "buffer": metadata}
        page.get_by_label("Or choose the file").set_input_files(file)  # type: ignore[arg-type]
        expect(page.get_by_label("Or the metadata themselves")).to_have_value(metadata.decode())
    else:
        expect(page.get_by_label("Or choose the file")).to_be_hidden()
        page.get_by_label("Or the metadata themselves").fill(metadata.decode())
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("button", name="Begin the test")).to_be_visible()


def test_the_pages_are_for_phones_and_everybody_and_values_are_copied(
    demo: Demo, visit: Visit
) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    visitor = visit(viewport={"width": 320, "height": 700}, permissions=permissions)
    page = open_setup(demo, visitor)
    page.goto(f"{SETUP}/provider")
    page.get_by_role("button", name="Google Workspace", exact=True).click()
    page.wait_for_url("**/connections/*")
    assert violations(page) == []
    assert too_wide(page, 320) == []
    page.goto(f"{SETUP}/domains")
    page.get_by_label("Domain").fill("a-rather-long-name-of-a-company.example")
    page.get_by_role("button", name="Add the domain").click()
    page.get_by_role("button", name="Copy: Name").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "_pwless-challenge.a-rather-long-name-of-a-company.example"
    assert violations(page) == []
    assert too_wide(page, 320) == []
