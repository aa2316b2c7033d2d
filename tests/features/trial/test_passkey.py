"""A passkey is its owner's, whoever has the owner's old address by now."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware import EmailLogin, User
from tests.features.trial.passkey import PasskeyLike
from tests.support import ROOMY, Browser, Site, error_code, make_site

pytestmark = pytest.mark.anyio


class Table:
    """A user table in which addresses move."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}

    async def find(self, email: str) -> User | None:
        return next((User(id, each) for id, each in self.rows.items() if each == email), None)

    async def create(self, email: str) -> User | None:
        self.rows[f"u{len(self.rows) + 1}"] = email
        return await self.find(email)

    async def load(self, user_id: str) -> User | None:
        return User(user_id, self.rows[user_id]) if user_id in self.rows else None


def enrolled(**options: Any) -> tuple[Site, PasskeyLike]:
    passkeys = PasskeyLike()
    features = [EmailLogin(send_limits=ROOMY), passkeys]
    return make_site(features=features, **options), passkeys


async def press(browser: Browser, credential: str, path: str = "/auth/passkeys/login") -> Any:
    options = await browser.request("POST", "/auth/passkeys/options", json={})
    challenge = options.json()["challenge"]
    return await browser.post(path, {"credential": credential, "challenge": challenge})


async def test_a_passkey_signs_in_its_owner_though_the_address_is_another_users_now() -> None:
    table = Table()
    site, passkeys = enrolled(users=table)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    passkeys.enroll("jos key", "u1", "jo@example.com")
    table.rows = {"u1": "jo@new.example", "u2": "jo@example.com"}  # given to somebody else

    again = site.browser()
    assert (await press(again, "jos key")).status_code == 303
    answer = (await again.get("/private")).json()
    assert (answer["id"], answer["email"]) == ("u1", "jo@new.example")
    new_owner = site.browser()
    await new_owner.sign_in("jo@example.com")
    assert (await new_owner.get("/private")).json()["id"] == "u2"


async def test_a_passkey_whose_owner_is_gone_signs_nobody_in_and_makes_nobody() -> None:
    table = Table()
    site, passkeys = enrolled(users=table)
    passkeys.enroll("jos key", "u1", "jo@example.com")
    assert (await press(site.browser(), "jos key")).status_code == 410
    table.rows = {"u2": "jo@example.com"}
    assert (await press(site.browser(), "jos key")).status_code == 410
    assert site.sessions == 0
    assert list(table.rows) == ["u2"]


async def test_an_owner_whose_address_no_rule_could_judge_is_refused() -> None:
    table = Table()
    table.rows = {"u1": "not an address"}
    site, passkeys = enrolled(users=table)
    passkeys.enroll("jos key", "u1", None)
    assert (await press(site.browser(), "jos key")).status_code == 403
    assert site.sessions == 0


async def test_without_a_table_a_passkey_is_of_the_user_whom_its_address_makes() -> None:
    site, passkeys = enrolled()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    user_id = (await jo.get("/private")).json()["id"]
    passkeys.enroll("jos key", user_id, "jo@example.com")
    again = site.browser()
    assert (await press(again, "jos key")).status_code == 303
    assert (await again.get("/private")).json()["id"] == user_id


@pytest.mark.parametrize("address", [None, "kim@example.com"])
async def test_without_a_table_an_id_that_is_not_its_addresss_is_nobody(
    address: str | None,
) -> None:
    """Else whoever chose the address of an enrollment would choose who is signed in."""
    site, passkeys = enrolled()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    user_id = (await jo.get("/private")).json()["id"]
    passkeys.enroll("a key", user_id, address)
    assert (await press(site.browser(), "a key")).status_code == 410
    assert site.sessions == 1


async def test_a_challenge_of_a_passkey_is_used_once() -> None:
    site, passkeys = enrolled()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    user_id = (await jo.get("/private")).json()["id"]
    passkeys.enroll("jos key", user_id, "jo@example.com")
    options = await jo.request("POST", "/auth/passkeys/options", json={})
    form = {"credential": "jos key", **options.json()}
    assert (await site.browser().post("/auth/passkeys/login", form)).status_code == 303
    assert (await site.browser().post("/auth/passkeys/login", form)).status_code == 410
    assert site.sessions == 2


async def test_the_json_answer_has_what_the_method_tells_and_what_all_logins_tell() -> None:
    site, passkeys = enrolled()
    backend = site.backend()
    sent = await backend.send("jo@example.com", state="mine")
    done = await backend.verify(sent.json()["auth_request_id"], code=site.mail().code)
    email = {"email", "state", "template", "passwordless_type"}
    assert email < done.json().keys()
    passkeys.enroll("jos key", done.json()["user_id"], "jo@example.com")
    options = await backend.browser.request("POST", "/auth/passkeys/options", json={})
    body = {"credential": "jos key", **options.json()}
    path = "/auth/api/v1/passkeys/login/verify"
    answer = await backend.browser.request("POST", path, json=body)
    assert answer.status_code == 200
    assert answer.json()["credential"] == "jos key"
    assert answer.json().keys() - {"credential"} == done.json().keys() - email | {"email"}
    body["credential"] = "nobodys"
    answer = await backend.browser.request("POST", path, json=body)
    assert (answer.status_code, error_code(answer)) == (410, "REQUEST_EXPIRED")


async def test_a_passkey_with_user_verification_is_worth_second_factor_and_more() -> None:
    site, passkeys = enrolled()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    session = await site.passwordless.sessions.find(str(jo.cookie()))
    assert session is not None
    assert session.strength == "any"
    passkeys.enroll("jos key", session.user_id, "jo@example.com")
    await press(jo, "jos key")
    session = await site.passwordless.sessions.find(str(jo.cookie()))
    assert session is not None
    assert (session.methods, session.strength) == (("passkey",), "phishing_resistant")
