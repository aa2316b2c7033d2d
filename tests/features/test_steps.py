"""The JSON resource of steps, with a feature of somebody else's that a step is done by."""

from __future__ import annotations

import pytest

from pwless_middleware import EmailLogin
from tests.features.trial.second_factors import SecondFactors
from tests.support import Browser, Site, error_code, make_site

pytestmark = pytest.mark.anyio
STEP = "/auth/api/v1/step"


def guarded() -> Site:
    return make_site(features=[EmailLogin(), SecondFactors()])


async def waiting(site: Site) -> tuple[Browser, str]:
    """Return a browser that has typed its code, and the id of its pending login."""
    jo = site.browser()
    sent = await jo.call("send", {"email": "jo@example.com"})
    body = {"auth_request_id": sent.json()["auth_request_id"], "code": site.mail().code}
    asked = await jo.call("verify", body)
    assert error_code(asked) == "STEP_REQUIRED"
    return jo, asked.json()["details"][0]["login_id"]


async def test_a_browser_is_told_what_is_asked_for_and_signs_in_by_it() -> None:
    site = guarded()
    jo, login_id = await waiting(site)
    told = await jo.get(STEP)
    assert told.status_code == 200
    assert told.json()["login_id"] == login_id
    assert told.json()["enrolls"] is False
    methods = {one["method"]: one for one in told.json()["methods"]}
    assert methods.keys() == {"totp", "recovery_code"}
    assert methods["totp"]["digits"] == 6
    body = {"login_id": login_id, "method": "totp", "code": "7"}
    done = await jo.request("POST", STEP, json=body)
    assert done.status_code == 200, done.text
    assert done.json()["email"] == "jo@example.com"
    assert await jo.who() == "jo@example.com"


async def test_a_step_is_done_by_nobody_else() -> None:
    site = guarded()
    jo, login_id = await waiting(site)
    body = {"login_id": login_id, "method": "totp", "code": "7"}
    for other in (site.browser(), site.backend().browser):
        assert (await other.get(f"{STEP}?login_id={login_id}")).status_code == 410
        assert (await other.request("POST", STEP, json=body)).status_code == 410
    foreign = {"origin": "https://evil.example"}
    refused = await jo.request("POST", STEP, json=body, headers=foreign)
    assert error_code(refused) == "FORBIDDEN_ORIGIN"
    assert (await jo.request("POST", STEP, json=body)).status_code == 200


async def test_wrong_answers_are_counted_in_a_login_and_at_a_live_session_alike() -> None:
    site = guarded()
    jo, login_id = await waiting(site)
    right = {"login_id": login_id, "method": "totp", "code": "7"}
    assert (await jo.request("POST", STEP, json=right)).status_code == 200
    wrong = {"method": "recovery_code", "code": "wrong"}
    left = []
    for _ in range(5):
        answer = await jo.request("POST", STEP, json=wrong)
        assert error_code(answer) == "INVALID_CODE"
        left.append(answer.json()["details"][0]["attempts_left"])
    assert left == [4, 3, 2, 1, 0]
    spent = await jo.request("POST", STEP, json={**wrong, "code": "horse-battery"})
    assert error_code(spent) == "TOO_MANY_ATTEMPTS"
    assert await jo.who() == "jo@example.com"


async def test_a_live_session_is_renewed_by_a_fresh_proof() -> None:
    site = guarded()
    jo, login_id = await waiting(site)
    body = {"login_id": login_id, "method": "totp", "code": "7"}
    assert (await jo.request("POST", STEP, json=body)).status_code == 200
    before = (await jo.get("/auth/api/v1/session")).json()["session"]
    old_cookie = jo.cookie()
    site.clock.now += 1000
    told = await jo.get(STEP)
    assert "login_id" not in told.json()
    assert {one["method"] for one in told.json()["methods"]} == {"totp", "recovery_code"}
    again = await jo.request("POST", STEP, json={"method": "totp", "code": "8"})
    assert again.status_code == 200, again.text
    after = (await jo.get("/auth/api/v1/session")).json()["session"]
    assert after["id"] != before["id"]
    assert int(after["authenticated_at"]) == int(before["authenticated_at"]) + 1000
    assert jo.cookie() != old_cookie
    assert site.sessions == 1


@pytest.mark.parametrize("body", [{}, {"method": 1}, {"method": "sms"}, {"method": "totp"}])
async def test_a_bad_body_names_its_field_and_counts_nothing(body: dict[str, object]) -> None:
    site = guarded()
    jo, login_id = await waiting(site)
    before = site.snapshot()
    answer = await jo.request("POST", STEP, json={"login_id": login_id, **body})
    assert error_code(answer) == "INVALID_ARGUMENT"
    field = answer.json()["details"][0]["validation_error_info"]["field_violations"][0]["field"]
    assert field == ("code" if body == {"method": "totp"} else "method")
    assert site.snapshot() == before


async def test_nobody_is_asked_for_nothing() -> None:
    site = guarded()
    stranger = site.browser()
    assert (await stranger.get(STEP)).status_code == 401
    answer = await stranger.request("POST", STEP, json={"method": "totp", "code": "7"})
    assert answer.status_code == 401
    assert (await make_site().browser().get(STEP)).status_code == 404


async def test_what_recovers_has_tries_of_its_own() -> None:
    """Whoever has the tries of the one used up still has the other (security rule 42)."""
    site = guarded()
    jo, login_id = await waiting(site)
    for _ in range(5):
        wrong = {"login_id": login_id, "method": "totp", "code": "-1"}
        assert error_code(await jo.request("POST", STEP, json=wrong)) == "INVALID_CODE"
    locked = {"login_id": login_id, "method": "totp", "code": "7"}
    assert error_code(await jo.request("POST", STEP, json=locked)) == "TOO_MANY_ATTEMPTS"
    right = {"login_id": login_id, "method": "recovery_code", "code": "horse-battery"}
    assert (await jo.request("POST", STEP, json=right)).status_code == 200


async def test_what_recovers_is_locked_alone() -> None:
    site = guarded()
    jo, login_id = await waiting(site)
    for _ in range(5):
        wrong = {"login_id": login_id, "method": "recovery_code", "code": "wrong"}
        assert error_code(await jo.request("POST", STEP, json=wrong)) == "INVALID_CODE"
    locked = {"login_id": login_id, "method": "recovery_code", "code": "horse-battery"}
    assert error_code(await jo.request("POST", STEP, json=locked)) == "TOO_MANY_ATTEMPTS"
    right = {"login_id": login_id, "method": "totp", "code": "7"}
    assert (await jo.request("POST", STEP, json=right)).status_code == 200


async def test_nothing_is_sent_or_enrolled_where_no_method_can() -> None:
    site = guarded()
    jo, login_id = await waiting(site)
    for action in ("send", "enroll"):
        body = {"login_id": login_id, "method": "totp"}
        assert (await jo.request("POST", f"{STEP}/{action}", json=body)).status_code == 404
