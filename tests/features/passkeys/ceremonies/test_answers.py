"""What is verified beside the signature: whose passkey it is, and how it counts.

Security rules 31, 32 and 33.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.people import (
    API,
    KIM,
    answer,
    ask,
    enroll,
    make_passkey_site,
    newest_event,
    prove_again,
    reason,
    sign_in,
)
from tests.support import BASE, Site, error_code

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_passkey_site(tmp_path)


async def test_a_credential_with_somebody_elses_user_handle_signs_nobody_in(site: Site) -> None:
    jo, hers = await enroll(site)
    _, theirs = await enroll(site, KIM)
    handle = (await jo.get(API)).json()["user_handle"]
    browser = site.browser()
    asked = await ask(browser)
    credential = theirs.get(asked["options"], origin=BASE)
    credential["response"]["userHandle"] = handle
    assert error_code(await answer(browser, asked, credential)) == "INVALID_CREDENTIAL"
    assert reason(site) == "user_handle"
    asked = await ask(browser)
    credential = hers.get(asked["options"], origin=BASE)
    del credential["response"]["userHandle"]
    assert error_code(await answer(browser, asked, credential)) == "INVALID_CREDENTIAL"
    assert reason(site) == "user_handle"
    assert await browser.who() is None


async def test_somebody_elses_passkey_renews_no_session(site: Site) -> None:
    jo, _ = await enroll(site)
    _, theirs = await enroll(site, KIM)
    site.clock.advance(400)
    asked = (await jo.get("/auth/api/v1/step")).json()["methods"][0]
    asked["options"]["allowCredentials"] = []
    body = {
        "method": "passkey",
        "ceremony_id": asked["ceremony_id"],
        "credential": theirs.get(asked["options"], origin=BASE),
    }
    refused = await jo.request("POST", "/auth/api/v1/step", json=body)
    assert error_code(refused) == "INVALID_CREDENTIAL"
    assert reason(site) == "other_user"
    assert error_code(await jo.request("POST", f"{API}/options")) == "STEP_UP_REQUIRED"


async def test_a_device_bound_passkey_that_counts_back_is_refused(site: Site) -> None:
    """Its key was copied: one of two has counted on (security rule 33)."""
    _, authenticator = await enroll(site, authenticator=Authenticator(is_synced=False))
    assert (await sign_in(site.browser(), authenticator, sign_count=9)).status_code == 200
    for count in (9, 8, 0):
        refused = await sign_in(site.browser(), authenticator, sign_count=count)
        assert error_code(refused) == "INVALID_CREDENTIAL"
        assert reason(site) == "sign_count"
    assert (await sign_in(site.browser(), authenticator, sign_count=10)).status_code == 200


async def test_a_synced_passkey_that_counts_back_is_let_in_and_recorded(site: Site) -> None:
    jo, authenticator = await enroll(site)
    assert (await sign_in(jo, authenticator, sign_count=9)).status_code == 200
    assert site.passwordless.events.recent(kind="passkey.count_fell") == []
    assert (await sign_in(jo, authenticator, sign_count=3)).status_code == 200
    assert newest_event(site, "passkey.count_fell").user_id is not None


async def test_an_authenticator_that_does_not_count_is_fine(site: Site) -> None:
    _, authenticator = await enroll(site, authenticator=Authenticator(is_synced=False))
    for _ in range(2):
        done = await sign_in(site.browser(), authenticator, sign_count=0)
        assert done.status_code == 200, done.text


async def test_a_renewed_session_is_phishing_resistant(site: Site) -> None:
    jo, authenticator = await enroll(site)
    site.clock.advance(400)
    assert error_code(await jo.request("POST", f"{API}/options")) == "STEP_UP_REQUIRED"
    done = await prove_again(jo, authenticator)
    assert done.status_code == 200, done.text
    assert (await jo.request("POST", f"{API}/options")).status_code == 200
    session = (await jo.get("/auth/api/v1/session")).json()["session"]
    assert session["methods"] == ["email_code", "passkey"]
