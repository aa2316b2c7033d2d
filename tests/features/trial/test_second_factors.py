"""A step that two methods satisfy, and whose check writes as the step is taken."""

from __future__ import annotations

import pytest

from pwless_middleware import EmailLogin
from tests.features.trial.second_factors import SecondFactors
from tests.support import ROOMY, Browser, Site, error_code, led_to, make_site

pytestmark = pytest.mark.anyio
PAGE = "/auth/step/second"


def guarded() -> tuple[Site, SecondFactors]:
    factors = SecondFactors()
    return make_site(features=[EmailLogin(send_limits=ROOMY), factors]), factors


async def pending(site: Site) -> Browser:
    jo = site.browser()
    await jo.ask("jo@example.com")
    asked = await jo.type_code(site.mail().code)
    assert (asked.status_code, led_to(asked)) == (303, PAGE)
    return jo


@pytest.mark.parametrize(("method", "code"), [("totp", "7"), ("recovery_code", "horse-battery")])
async def test_either_method_satisfies_the_step(method: str, code: str) -> None:
    site, _ = guarded()
    jo = await pending(site)
    done = await jo.post(PAGE, {"method": method, "code": code})
    assert (done.status_code, led_to(done)) == (303, "/")
    session = await site.passwordless.sessions.find(str(jo.cookie()))
    assert session is not None
    assert (session.methods, session.strength) == (("email_code", method), "second_factor")


async def test_a_program_is_told_both_methods_and_gets_the_first_methods_answer() -> None:
    site, _ = guarded()
    backend = site.backend()
    sent = await backend.send("jo@example.com", state="mine", template="SIGNUP")
    asked = await backend.verify(sent.json()["auth_request_id"], code=site.mail().code)
    assert error_code(asked) == "STEP_REQUIRED"
    detail = asked.json()["details"][0]
    assert detail["steps"] == ["totp"]
    assert detail["step_methods"] == [["totp", "recovery_code"]]
    body = {"login_id": detail["login_id"], "method": "recovery_code", "code": "horse-battery"}
    done = await backend.browser.request("POST", "/auth/api/v1/step", json=body)
    answer = done.json()
    assert done.status_code == 200
    assert (answer["email"], answer["state"]) == ("jo@example.com", "mine")
    assert (answer["template"], answer["passwordless_type"]) == ("SIGNUP", "OTP")


async def test_a_counter_is_written_as_the_step_is_taken_and_is_not_used_again() -> None:
    site, factors = guarded()
    jo = await pending(site)
    assert (await jo.post(PAGE, {"method": "totp", "code": "7"})).status_code == 303
    user_id = (await jo.get("/private")).json()["id"]
    assert await factors.last_counter(user_id) == 7
    again = await pending(site)
    assert (await again.post(PAGE, {"method": "totp", "code": "7"})).status_code == 400
    assert (await again.post(PAGE, {"method": "totp", "code": "8"})).status_code == 303


async def test_nothing_is_written_by_a_step_that_another_request_has_taken() -> None:
    site, factors = guarded()
    jo = await pending(site)
    user_id = ""
    real = site.store.take

    async def lost(key: str, *args: object, **kwargs: object) -> bool:
        return await real(key + "x", *args, **kwargs)  # type: ignore[arg-type]

    site.store.take = lost  # type: ignore[method-assign]
    assert (await jo.post(PAGE, {"method": "totp", "code": "7"})).status_code == 410
    site.store.take = real  # type: ignore[method-assign]
    assert site.sessions == 0
    assert (await jo.post(PAGE, {"method": "totp", "code": "7"})).status_code == 303
    user_id = (await jo.get("/private")).json()["id"]
    assert await factors.last_counter(user_id) == 7


async def test_a_recovery_code_is_used_once() -> None:
    site, _ = guarded()
    form = {"method": "recovery_code", "code": "horse-battery"}
    assert (await (await pending(site)).post(PAGE, form)).status_code == 303
    assert (await (await pending(site)).post(PAGE, form)).status_code == 400
    assert site.sessions == 1


async def test_each_way_has_the_five_tries_of_a_login() -> None:
    site, _ = guarded()
    jo = await pending(site)
    for method in ("totp", "recovery_code"):
        for _ in range(5):
            assert (await jo.post(PAGE, {"method": method, "code": "-1"})).status_code == 400
    for method, code in (("totp", "7"), ("recovery_code", "horse-battery")):
        assert (await jo.post(PAGE, {"method": method, "code": code})).status_code == 429
    assert site.sessions == 0
