"""The JSON resource of passkeys: a login, one's own, and whoever tries something else.

Security rules 30 and 35.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from pwless_middleware import RedisStore, Store
from pwless_middleware.core.keys.base64url import unb64
from pwless_middleware.features.passkeys.ceremonies.ceremonies import LIFETIME
from tests.features.passkeys.authenticator import BE, BS, UP, Authenticator
from tests.features.passkeys.people import (
    API,
    JO,
    KIM,
    answer,
    ask,
    enroll,
    id_of,
    make_passkey,
    make_passkey_site,
    newest_event,
    prove_again,
    reason,
    sign_in,
)
from tests.support import (
    API_KEY,
    BASE,
    Browser,
    Site,
    error_code,
    retry_after,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_passkey_site(tmp_path, bearer=True)


# --- sign in -------------------------------------------------------------------------------------


async def test_a_browser_signs_in_by_a_touch(site: Site) -> None:
    jo, authenticator = await enroll(site)
    user_id = (await jo.get("/private")).json()["id"]
    other = site.browser()
    done = await sign_in(other, authenticator)
    assert done.status_code == 200, done.text
    assert done.json() == {"email": JO, "user_id": user_id, "is_new_user": False}
    assert await other.who() == JO
    session = (await other.get("/auth/api/v1/session")).json()["session"]
    assert session["methods"] == ["passkey"]
    assert (await other.request("DELETE", "/auth/api/v1/sessions")).status_code == 204
    created = newest_event(site, "session.created")
    assert (created.methods, created.user_id) == (("passkey",), user_id)
    assert newest_event(site, "login.verified").attempt == created.attempt


async def test_a_login_is_worth_second_factor_that_nobody_relays(site: Site) -> None:
    _, authenticator = await enroll(site)
    other = site.browser()
    await sign_in(other, authenticator)
    (session,) = [
        one
        for one in await site.passwordless.sessions.list((await other.get("/private")).json()["id"])
        if one.methods == ("passkey",)
    ]
    assert session.strength == "phishing_resistant"


async def test_a_server_signs_somebody_in_and_gets_a_token(site: Site) -> None:
    _, authenticator = await enroll(site)
    server = site.backend().browser
    asked = await ask(server)
    done = await answer(server, asked, authenticator.get(asked["options"], origin=BASE))
    assert done.status_code == 200, done.text
    assert "set-cookie" not in done.headers
    token = done.json()["session_token"]
    read = await site.browser().get("/private", headers={"authorization": f"Bearer {token}"})
    assert read.json()["email"] == JO


async def test_the_options_are_the_same_for_everybody_and_name_nobody(site: Site) -> None:
    known, _ = await enroll(site)
    for browser in (site.browser(), known):
        asked = await browser.request("POST", f"{API}/login/options")
        content = asked.json()
        assert content["options"].pop("challenge")
        assert content["options"] == {
            "timeout": 300_000,
            "rpId": "app.example.com",
            "allowCredentials": [],
            "userVerification": "required",
        }
        assert (content["expires_at"], content["expires_in"]) == (
            str(site.clock.now + LIFETIME),
            LIFETIME,
        )


async def test_several_tabs_of_a_browser_work(site: Site) -> None:
    _, authenticator = await enroll(site)
    browser = site.browser()
    first = await ask(browser, platform_authenticator=True)
    cookie = browser.cookie("passkeys")
    second = await ask(browser)
    assert browser.cookie("passkeys") == cookie
    done = await answer(browser, first, authenticator.get(first["options"], origin=BASE))
    assert done.status_code == 200, done.text
    done = await answer(browser, second, authenticator.get(second["options"], origin=BASE))
    assert done.status_code == 200, done.text


async def test_a_login_ends_the_session_that_was_there(site: Site) -> None:
    jo, authenticator = await enroll(site)
    old = dict(jo.cookies)
    assert (await sign_in(jo, authenticator)).status_code == 200
    assert await site.browser(cookies=old).who() is None


async def test_two_people_on_one_device_are_told_apart(site: Site) -> None:
    _, authenticator = await enroll(site)
    kim = site.browser()
    await kim.sign_in(KIM)
    assert (await make_passkey(kim, authenticator)).status_code == 201
    emails = []
    for passkey in authenticator.passkeys:
        browser = site.browser()
        asked = await ask(browser)
        credential = authenticator.get(asked["options"], origin=BASE, passkey=passkey)
        emails.append((await answer(browser, asked, credential)).json()["email"])
    assert emails == [JO, KIM]


# --- ceremonies ----------------------------------------------------------------------------------


async def test_an_answer_is_taken_once(site: Site) -> None:
    _, authenticator = await enroll(site)
    browser = site.browser()
    asked = await ask(browser)
    credential = authenticator.get(asked["options"], origin=BASE)
    answers = await asyncio.gather(*(answer(browser, asked, credential) for _ in range(5)))
    assert sorted(one.status_code for one in answers) == [200, 410, 410, 410, 410]
    assert (await answer(browser, asked, credential)).status_code == 410
    assert site.sessions == 2
    assert reason(site) == "used"


@pytest.mark.parametrize("kind", ["redis", "sql"])
async def test_an_answer_is_taken_once_by_two_processes_over_one_store(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    def make_store() -> Store | None:
        if kind == "sql":
            return None  # the database's own
        return RedisStore(request.getfixturevalue("redis_url"), prefix=prefix)

    prefix = f"test-{token_hex(8)}"
    one = make_passkey_site(tmp_path, store=make_store())
    other = make_passkey_site(tmp_path, store=make_store(), clock=one.clock, outbox=one.outbox)
    _, authenticator = await enroll(one)
    browser = one.browser()
    asked = await ask(browser)
    credential = authenticator.get(asked["options"], origin=BASE)
    browsers = [site.browser(cookies=browser.cookies) for site in (one, other) * 3]
    answers = await asyncio.gather(*(answer(each, asked, credential) for each in browsers))
    assert sorted(each.status_code for each in answers) == [200, *[410] * 5]
    for site in (one, other):
        await site.passwordless.lifetime.close()


async def test_a_wrong_answer_spends_the_challenge_too(site: Site) -> None:
    _, authenticator = await enroll(site)
    browser = site.browser()
    asked = await ask(browser)
    wrong = authenticator.get(asked["options"], origin="https://evil.example")
    assert error_code(await answer(browser, asked, wrong)) == "INVALID_CREDENTIAL"
    right = authenticator.get(asked["options"], origin=BASE)
    assert error_code(await answer(browser, asked, right)) == "REQUEST_EXPIRED"


async def test_a_challenge_of_another_browser_key_or_purpose_is_no_good(site: Site) -> None:
    jo, authenticator = await enroll(site)
    browser, server = site.browser(), site.backend().browser
    asked = await ask(browser)
    credential = authenticator.get(asked["options"], origin=BASE)
    for stranger in (site.browser(), server, jo):
        if stranger is not server:
            await ask(stranger)
        assert error_code(await answer(stranger, asked, credential)) == "REQUEST_EXPIRED"
        assert reason(site) == "other_holder"
    made_for_server = await ask(server)
    credential = authenticator.get(made_for_server["options"], origin=BASE)
    assert (await answer(browser, made_for_server, credential)).status_code == 410
    for_step_up = (await jo.get("/auth/api/v1/step")).json()["methods"][0]
    credential = authenticator.get(for_step_up["options"], origin=BASE)
    assert (await answer(jo, for_step_up, credential)).status_code == 410
    assert reason(site) == "other_ceremony"
    cookieless = site.browser()
    assert error_code(await answer(cookieless, asked, credential)) == "REQUEST_EXPIRED"


async def test_a_challenge_of_another_key_of_the_same_host_is_no_good(tmp_path: Path) -> None:
    second_key = API_KEY[:-4] + "Qq7Z"
    keys = {"backend": API_KEY, "other": second_key}
    site = make_passkey_site(tmp_path, api_keys=keys)
    _, authenticator = await enroll(site)
    asked = await ask(site.backend().browser)
    credential = authenticator.get(asked["options"], origin=BASE)
    other = site.backend(second_key).browser
    assert (await answer(other, asked, credential)).status_code == 410
    assert (await answer(site.backend().browser, asked, credential)).status_code == 200


async def test_a_challenge_lives_for_300_seconds(site: Site) -> None:
    _, authenticator = await enroll(site)
    browser = site.browser()
    asked = await ask(browser)
    site.clock.advance(LIFETIME)
    credential = authenticator.get(asked["options"], origin=BASE)
    assert error_code(await answer(browser, asked, credential)) == "REQUEST_EXPIRED"
    assert reason(site) == "expired"


async def test_options_are_asked_a_thousand_times_and_nothing_is_stored(site: Site) -> None:
    browser = site.browser()
    await ask(browser)
    before = site.snapshot()
    answers = [await browser.request("POST", f"{API}/login/options") for _ in range(1000)]
    assert [one.status_code for one in answers].count(200) == 119
    refused = answers[-1]
    assert error_code(refused) == "RATE_LIMITED"
    assert 0 < retry_after(refused) <= 60
    assert site.snapshot() == before
    assert newest_event(site, "limit.reached").reason == "options_by_client"
    await ask(site.browser(ip="198.51.100.77"))  # nobody else has to wait


async def test_wrong_answers_are_counted_and_right_ones_are_not(site: Site) -> None:
    _, authenticator = await enroll(site)
    for _ in range(35):
        assert (await sign_in(site.browser(), authenticator)).status_code == 200
    for _ in range(30):
        done = await sign_in(site.browser(), authenticator, origin="https://evil.example")
        assert error_code(done) == "INVALID_CREDENTIAL"
    done = await sign_in(site.browser(), authenticator)
    assert error_code(done) == "TOO_MANY_ATTEMPTS"
    assert 0 < retry_after(done) <= 600
    other_place = site.browser(ip="198.51.100.77")
    assert (await sign_in(other_place, authenticator)).status_code == 200


# --- all that is wrong is one answer -------------------------------------------------------------


async def test_every_refusal_of_a_credential_looks_the_same(site: Site) -> None:
    _, authenticator = await enroll(site)
    seen = set()
    wrongs: tuple[tuple[dict[str, Any], str], ...] = (
        ({"origin": "http://app.example.com"}, "origin"),
        ({"origin": "https://app.example.com:8443"}, "origin"),
        ({"origin": "https://app.example.com.evil.example"}, "origin"),
        ({"flags": UP | BE | BS}, "not_verified"),
        ({"rp_id": "example.com"}, "rp_id"),
    )
    for tampering, why in wrongs:
        refused = await sign_in(site.browser(), authenticator, **tampering)
        assert reason(site) == why, tampering
        seen.add((refused.status_code, refused.text))
    (one,) = seen
    assert one[0] == 400
    assert json.loads(one[1])["details"][0]["error_code"] == "INVALID_CREDENTIAL"


async def test_a_person_who_is_disabled_or_deleted_is_refused_as_for_a_bad_credential(
    site: Site,
) -> None:
    jo, authenticator = await enroll(site)
    user_id = (await jo.get("/private")).json()["id"]
    bad = await sign_in(site.browser(), authenticator, origin="https://evil.example")
    people = site.passwordless.people
    await people.disable(user_id, by="operator:test")
    refused = await sign_in(site.browser(), authenticator)
    assert (refused.status_code, refused.text) == (bad.status_code, bad.text)
    await people.enable(user_id, by="operator:test")
    assert (await sign_in(site.browser(), authenticator)).status_code == 200
    await people.delete(user_id, by="operator:test")
    refused = await sign_in(site.browser(), authenticator)
    assert error_code(refused) == "INVALID_CREDENTIAL"
    assert reason(site) == "unknown"  # erased with the person


# --- shapes --------------------------------------------------------------------------------------

BAD_VALUES: tuple[object, ...] = (
    *(None, True, 5, 5.5, "", "x" * 20_000, "ä", "=", "AA==", "A A", "\x00", "%"),
    *([], {}, ["x"], {"a": 1}, "A" * 2000),
)


def change(value: dict[str, Any], path: str, new: object) -> dict[str, Any]:
    """Return a copy with another value at a path of names with dots."""
    found = copy.deepcopy(value)
    *outer, last = path.split(".")
    place = found
    for name in outer:
        place = place[name]
    place[last] = new
    return found


ASSERTION_PATHS = (
    "ceremony_id", "credential", "credential.id", "credential.rawId", "credential.type",
    "credential.response", "credential.response.clientDataJSON",
    "credential.response.authenticatorData", "credential.response.signature",
    "credential.response.userHandle", "credential.authenticatorAttachment",
    "credential.clientExtensionResults",
)  # fmt: skip
ATTESTATION_PATHS = (
    "ceremony_id", "credential", "name", "credential.id", "credential.rawId", "credential.type",
    "credential.response", "credential.response.clientDataJSON",
    "credential.response.attestationObject", "credential.response.transports",
)  # fmt: skip


async def check_shapes(
    browser: Browser, site: Site, path: str, whole: Mapping[str, Any], fields: tuple[str, ...]
) -> None:
    """Send every field with every bad value: 4xx, the field named, and nothing stored."""
    for name in fields:
        for value in BAD_VALUES:
            before = site.snapshot()
            sent = change(dict(whole), name, value)
            answered = await browser.request("POST", path, json=sent)
            told = (name, str(value)[:20], answered.status_code, answered.text[:300])
            assert answered.status_code in (400, 410, 413, 201), told
            if answered.status_code == 201:
                pytest.fail(f"taken: {told}")
            if error_code(answered) == "INVALID_ARGUMENT":
                detail = answered.json()["details"][0]["validation_error_info"]
                named = [one["field"] for one in detail["field_violations"]]
                named += ["credential.id"] * ("credential.rawId" in named)  # they are compared
                assert any(one.startswith(name) or name.startswith(one) for one in named), told
                assert site.snapshot() == before, told


async def test_every_field_of_a_login_is_read_strictly(site: Site) -> None:
    _, authenticator = await enroll(site)
    browser = site.browser()
    asked = await ask(browser)
    credential = authenticator.get(asked["options"], origin=BASE)
    whole = {"ceremony_id": asked["ceremony_id"], "credential": credential}
    mandatory = ASSERTION_PATHS[:9]
    await check_shapes(browser, site, f"{API}/login/verify", whole, mandatory)
    assert site.sessions == 1


async def test_every_field_of_a_new_passkey_is_read_strictly(site: Site) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    asked = await ask(jo, "/options")
    credential = Authenticator().create(asked["options"], origin=BASE)
    whole = {"ceremony_id": asked["ceremony_id"], "credential": credential}
    mandatory = tuple(path for path in ATTESTATION_PATHS if path not in ("name",))[:8]
    await check_shapes(jo, site, API, whole, mandatory)
    for name in ("x" * 61, 5, ["x"], "a\nb", "a\u202eb"):
        refused = await jo.request("POST", API, json={**whole, "name": name})
        assert refused.status_code == 400, name
        assert '"name"' in refused.text
    assert (await jo.get(API)).json()["passkeys"] == []


@pytest.mark.parametrize(
    ("path", "field"),
    [("/login/options", "platform_authenticator"), ("/options", "conditional")],
)
async def test_every_field_of_asking_is_read_strictly(site: Site, path: str, field: str) -> None:
    jo = site.browser()
    await jo.sign_in(JO)
    values: tuple[object, ...] = ("yes", 1, [], {}, 0.5)
    for value in values:
        refused = await jo.request("POST", API + path, json={field: value})
        assert error_code(refused) == "INVALID_ARGUMENT"
        assert f'"{field}"' in refused.text
    for content, kind, status in (
        (b"[]", "application/json", 400),
        (b"{", "application/json", 400),
        (b'{"a":1,"a":1}', "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"{" + b" " * 20_000 + b"}", "application/json", 413),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b"{}", "", 415),
    ):
        headers = {"content-type": kind} if kind else {}
        answered = await jo.request("POST", API + path, content=content, headers=headers)
        assert answered.status_code == status, content
    for content in (b"{}", b'{"%s":null,"unknown":1}' % field.encode()):
        taken = await jo.request(
            "POST", API + path, content=content, headers={"content-type": "application/json"}
        )
        assert taken.status_code == 200


# --- one's own -----------------------------------------------------------------------------------


async def test_a_person_lists_renames_and_removes_their_passkeys(site: Site) -> None:
    jo, authenticator = await enroll(site)
    (kept,) = (await jo.get(API)).json()["passkeys"]
    assert (kept["name"], kept["is_synced"]) == ("Google Password Manager", True)
    assert kept["transports"] == ["hybrid", "internal"]
    assert (kept["created_at"], "used_at" in kept) == (str(site.clock.now), False)
    site.clock.advance(7)
    assert (await sign_in(site.browser(), authenticator)).status_code == 200
    renamed = await jo.request("PATCH", f"{API}/{kept['id']}", json={"name": " My phone "})
    assert renamed.status_code == 200
    assert renamed.json()["name"] == "My phone"
    listed = (await jo.get(API)).json()
    assert listed["passkeys"] == [renamed.json()]
    assert listed["passkeys"][0]["used_at"] == str(site.clock.now)
    assert (listed["rp_id"], listed["user_name"]) == ("app.example.com", JO)
    assert len(unb64(listed["user_handle"]) or b"") == 32
    assert (await prove_again(jo, authenticator)).status_code == 200
    removed = await jo.request("DELETE", f"{API}/{kept['id']}")
    assert removed.status_code == 204
    assert (await jo.get(API)).json()["passkeys"] == []
    assert error_code(await sign_in(site.browser(), authenticator)) == "INVALID_CREDENTIAL"
    kinds = [event.kind for event in site.passwordless.events.recent()]
    assert {"passkey.added", "passkey.renamed", "passkey.removed"} <= set(kinds)


async def test_a_browser_is_told_to_forget_a_passkey_that_is_nobodys(site: Site) -> None:
    jo, authenticator = await enroll(site)
    await prove_again(jo, authenticator)
    (kept,) = (await jo.get(API)).json()["passkeys"]
    await jo.request("DELETE", f"{API}/{kept['id']}")
    refused = await sign_in(site.browser(), authenticator)
    assert refused.json()["details"][0]["unknown_credential_id"] == kept["id"]
    assert reason(site) == "unknown"
    elsewhere = await sign_in(site.browser(), authenticator, origin="https://evil.example")
    assert "unknown_credential_id" not in elsewhere.text
    assert reason(site) == "origin"


async def test_another_persons_passkeys_are_out_of_reach(site: Site) -> None:
    jo, _ = await enroll(site)
    (kept,) = (await jo.get(API)).json()["passkeys"]
    kim = site.browser()
    await kim.sign_in(KIM)
    for id in (kept["id"], "x", "AA", "A" * 3000, "%00"):
        path = f"{API}/{id}"
        assert (await kim.request("PATCH", path, json={"name": "Mine"})).status_code == 404, id
        assert (await kim.request("DELETE", path)).status_code == 404, id
    assert (await jo.get(API)).json()["passkeys"] == [kept]
    assert (await kim.get(API)).json()["passkeys"] == []
    assert "user_handle" not in (await kim.get(API)).json()


@pytest.mark.parametrize("name", [None, 5, "", " ", "x" * 61, "a\nb", "\u202e", [], {}])
async def test_a_name_is_a_short_line(site: Site, name: object) -> None:
    jo, _ = await enroll(site)
    (kept,) = (await jo.get(API)).json()["passkeys"]
    refused = await jo.request("PATCH", f"{API}/{kept['id']}", json={"name": name})
    assert error_code(refused) == "INVALID_ARGUMENT"
    assert '"name"' in refused.text


async def test_nobody_makes_or_sees_a_passkey_without_a_session(site: Site) -> None:
    stranger = site.browser()
    for method, path in (
        *(("GET", ""), ("POST", ""), ("POST", "/options")),
        *(("PATCH", "/AA"), ("DELETE", "/AA")),
    ):
        answered = await stranger.request(method, API + path, json={} if method != "GET" else None)
        assert error_code(answered) == "UNAUTHENTICATED", path
    for path in ("", "/options"):
        backend = site.backend().browser
        assert (await backend.request("POST", API + path, json={})).status_code == 401


async def test_another_site_makes_no_passkey_in_a_visitors_session(site: Site) -> None:
    """Whoever could would sign in as the visitor from then on."""
    jo = site.browser()
    await jo.sign_in(JO)
    asked = await ask(jo, "/options")
    credential = Authenticator().create(asked["options"], origin=BASE)
    body = {"ceremony_id": asked["ceremony_id"], "credential": credential}
    for path, sent in (("", body), ("/options", {}), ("/login/verify", body)):
        for headers in ({"origin": "https://evil.example"}, {"origin": "null"}):
            refused = await jo.request("POST", API + path, json=sent, headers=headers)
            assert error_code(refused) == "FORBIDDEN_ORIGIN", path
    assert (await jo.get(API)).json()["passkeys"] == []


async def test_a_session_token_does_what_a_cookie_does(site: Site) -> None:
    _, authenticator = await enroll(site)
    server = site.backend().browser
    asked = await ask(server)
    done = await answer(server, asked, authenticator.get(asked["options"], origin=BASE))
    app = site.browser(headers={"authorization": f"Bearer {done.json()['session_token']}"})
    second = Authenticator()
    assert (await make_passkey(app, second)).status_code == 201
    assert len((await app.get(API)).json()["passkeys"]) == 2
    assert (await app.request("DELETE", f"{API}/{id_of(authenticator)}")).status_code == 204
    assert error_code(await sign_in(site.browser(), authenticator)) == "INVALID_CREDENTIAL"
    assert (await sign_in(site.browser(), second)).status_code == 200
