"""Internal tools of other people, as the guide's page wraps them, in a real browser.

Their pages come alive over a socket or by script, so each is opened in Chromium with the cookie of
somebody who has signed in, and has to greet that person.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.apps.places import ROOT, Site, needs, served

needs("nicegui", "shiny", "dash", "streamlit", "marimo", "a2wsgi")

TOOLS = ("NiceGUI", "Shiny", "Dash", "Streamlit", "marimo")
"""Their headings in the guide, below which the recipes stand."""


@pytest.fixture(scope="module", params=TOOLS)
def tool(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Serve one of them."""
    recipe = {"PWLESS_TEST_RECIPE": f"tools#{request.param}"}
    with served("tests.apps.served.guide_app:app", ROOT, recipe) as site:
        yield site


def test_a_tool_greets_who_has_signed_in_and_stops_everybody_else(
    tool: Site, browser: Browser
) -> None:
    with tool.newcomer() as person:
        assert person.http.get(tool.base_url).status_code == 401
        person.sign_in("/", email="member@example.com")
        name, value = person.session_cookie
        context = browser.new_context()
        context.add_cookies([{"name": name, "value": value, "url": tool.base_url}])
        page = context.new_page()
        page.goto(tool.base_url)
        greeting = page.get_by_text("Hello, member@example.com")
        expect(greeting).to_be_visible(timeout=30_000)
        person.sign_out()
        answer = page.goto(tool.base_url)
        assert answer is not None
        assert "/auth/login" in page.url
        context.close()
