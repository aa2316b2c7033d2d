"""No text escapes the catalogue in the dashboard: all of its pages, its errors and questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pwless_middleware.languages.languages import COMPLETE
from pwless_middleware.languages.names import name_of
from tests.features.dashboard import test_operators
from tests.features.dashboard.crawl import crawl
from tests.features.dashboard.delivery import test_section as delivery
from tests.features.dashboard.operators import OPS
from tests.features.dashboard.people import test_actions
from tests.features.dashboard.settings import test_section as settings
from tests.features.dashboard.test_pages import EVIL, live_in, site_of
from tests.features.organizations.dashboard import test_pages as organizations
from tests.features.sso.dashboard import test_connections
from tests.features.webhooks import test_webhooks
from tests.languages.pseudo import LEFT_TO_RIGHT
from tests.languages.stories import Reader, stories_of, told_in_pseudo
from tests.own_account import signed_in

pytestmark = pytest.mark.anyio

NAMES = ("Acme", "Beta", "taken", "billing", "Jo", "Firefox", "Linux", "ReadMailbox",
         "Google Workspace", "Microsoft Entra ID", "Okta",
         "OpenID Connect")  # fmt: skip
"""What people, organizations, products and servers are called."""
CODES = (LEFT_TO_RIGHT, "en", "de", "DE", "UTC", "CSV", "NDJSON", "org_", "backend", "passwordless",
         "users:read", "users", "organizations:read", "organizations", "events",
         "metrics")  # fmt: skip
"""Codes of languages, countries and forms of files, and what API keys are for."""
SAID = (
    EVIL,
    EVIL[:60],
    EVIL[:40],
    "script",
    "alert",
    "img",
    "src",
    "onerror",
    "onerro",
    "the server refuses the recipient",
)
"""What strangers and mail servers have said."""
LANGUAGES = tuple(name_of(code) for code in COMPLETE)
"""Each in itself."""
VARIABLES = ("asked_at", "expiry_time_relative, kind, subject_code")
"""What the hints of the editor of templates name, beside what has a dot."""
VALUES = (*NAMES, *LANGUAGES, *CODES, *SAID, *VARIABLES)


@pytest.fixture(autouse=True)
def told(folder: Path) -> Iterator[Reader]:
    with told_in_pseudo(folder, VALUES) as reader:
        yield reader


async def test_no_page_says_anything_past_the_catalogue(tmp_path: Path, told: Reader) -> None:
    site = site_of(tmp_path)
    ops = await signed_in(site, OPS)
    await live_in(site)
    await crawl(ops, skip=("/live",))
    assert told.texts > 50


globals().update(
    stories_of(test_operators, "test_an_admin_adds_somebody_new_who_gets_in_at_once")
    | stories_of(
        test_actions,
        "test_somebody_is_disabled_after_it_is_said_what_that_does_and_enabled",
        "test_somebody_is_deleted_by_typing_who_it_is",
    )
    | stories_of(delivery, "test_dropping_asks_once_more")
    | stories_of(
        settings,
        "test_a_change_is_shown_before_it_is_made_and_then_holds",
        "test_the_second_of_two_operators_is_told_and_overwrites_nothing",
    )
    | stories_of(
        organizations,
        "test_a_bad_field_is_told_beside_it",
        "test_a_policy_is_looked_at_before_it_holds",
        "test_running_sessions_are_held_to_the_policy_by_a_button",
    )
    | stories_of(test_connections, "test_a_set_up_link_is_shown_once_sent_and_revoked")
    | stories_of(test_webhooks, "test_a_webhook_is_made_and_its_secret_shown_once")
)
