"""Features of somebody else's, mounted as they are: each met a wall before."""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware import ConfigError, EmailLogin
from tests.features.trial.invitations import Invitations
from tests.features.trial.members import Members
from tests.features.trial.reports import Monthly, Weekly
from tests.security.factor import RIGHT, Factor, Policy
from tests.support import led_to, make_site

pytestmark = pytest.mark.anyio
ACME = "/auth/api/v1/orgs/acme/members"


async def test_a_path_may_have_names_in_its_middle_and_answers_no_other_path() -> None:
    site = make_site(features=[EmailLogin(), Members()])
    jo = site.browser()
    assert (await jo.get(ACME)).status_code == 401
    await jo.sign_in("jo@example.com")
    body = {"email": "kim@example.com"}
    assert (await jo.request("POST", ACME, json=body)).status_code == 201
    assert (await jo.get(ACME)).json() == {"members": ["kim@example.com"]}
    assert (await jo.get("/auth/orgs/acme/members")).json() == {"members": ["kim@example.com"]}
    assert (await jo.get("/auth/api/v1/orgs/other/members")).json() == {"members": []}
    shown = await jo.get(f"{ACME}/kim%40example.com")
    assert shown.json() == {"org": "acme", "member": "kim@example.com"}
    for path in ("/auth/api/v1/orgs/acme", "/auth/api/v1/orgs/acme/x", f"{ACME}/kim/x"):
        assert (await jo.get(path)).status_code == 404
    assert (await jo.request("DELETE", f"{ACME}/kim%40example.com")).status_code == 200
    assert (await jo.get(ACME)).json() == {"members": []}


async def test_a_foreign_page_writes_to_no_feature() -> None:
    site = make_site(features=[EmailLogin(), Members()])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    body, headers = {"email": "eve@example.com"}, {"origin": "https://evil.example"}
    assert (await jo.request("POST", ACME, json=body, headers=headers)).status_code == 403
    assert (await jo.get(ACME)).json() == {"members": []}


async def test_two_features_with_one_topic_are_told_and_with_two_lose_nothing() -> None:
    with pytest.raises(ConfigError, match=r"Weekly and Monthly .* 'reports'"):
        make_site(features=[EmailLogin(), Weekly(), Monthly()])
    weekly, monthly = Weekly(), Monthly("months")
    site = make_site(features=[EmailLogin(), weekly, monthly])
    await weekly.kit.jobs.put("reports", b"w")
    await monthly.kit.jobs.put("months", b"m")
    await site.browser().ask("jo@example.com")
    assert (weekly.written, monthly.written) == ([b"w"], [b"m"])
    assert site.mail("jo@example.com").code is not None


async def test_an_app_without_email_login_signs_in_by_another_method() -> None:
    site = make_site(features=[Invitations()])
    path = await site.passwordless.verbs(Invitations).invite("jo@example.com")
    jo = site.browser(headers={"accept": "text/html"})
    denied = await jo.get("/private")
    assert (await jo.get(led_to(denied))).status_code == 200, "the gate leads to a page"
    assert "Accept" in (await jo.get(f"/auth{path}")).text
    assert site.sessions == 0
    assert (await jo.post(f"/auth{path}", {})).status_code == 303
    assert await jo.who() == "jo@example.com"
    with pytest.raises(ConfigError, match="add EmailLogin"):
        await site.passwordless.send("jo@example.com")


async def test_an_invitation_works_once_also_for_many_at_once() -> None:
    feature = Invitations()
    site = make_site(features=[feature])
    path = await site.passwordless.verbs(Invitations).invite("jo@example.com")
    browsers = [site.browser() for _ in range(8)]
    answers = await asyncio.gather(*(browser.post(f"/auth{path}", {}) for browser in browsers))
    assert sorted(answer.status_code for answer in answers) == [303, *([410] * 7)]
    assert site.sessions == 1
    assert feature.welcomed == ["jo@example.com"], "queued with the take, and no second time"


async def test_the_rules_of_other_features_hold_for_every_method() -> None:
    site = make_site(features=[Invitations(), Factor(), Policy(address="mallory@example.com")])
    verbs = site.passwordless.verbs(Invitations)
    jo, mallory = site.browser(), site.browser()
    step = await jo.post(f"/auth{await verbs.invite('jo@example.com')}", {})
    assert led_to(step) == "/auth/step/secret"
    assert await jo.who() is None
    await jo.post("/auth/step/secret", {"secret": RIGHT})
    assert await jo.who() == "jo@example.com"
    refused = await mallory.post(f"/auth{await verbs.invite('mallory@example.com')}", {})
    assert refused.status_code == 403
    assert await mallory.who() is None
