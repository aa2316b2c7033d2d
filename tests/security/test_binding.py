"""A code works only with the handle of its own request (security rule 6).

No handle can be made from another.
"""

from __future__ import annotations

import base64
import itertools

import pytest

from pwless_middleware import EmailLogin
from tests.support import (
    API_KEY,
    BASE,
    KEY,
    OTHER_KEY,
    Site,
    challenge_of,
    error_code,
    make_site,
    token_of,
)

pytestmark = pytest.mark.anyio
SECOND_KEY = "pwk_" + "q7" * 20


def both() -> Site:
    return make_site(api_keys={"backend": API_KEY, "second": SECOND_KEY}, roomy=True)


async def test_a_code_read_out_to_an_attacker_is_no_use_in_his_browser() -> None:
    site = both()
    jo = site.browser()
    await jo.ask("jo@example.com")
    code = site.mail().code
    eve = site.browser(ip="198.51.100.6")
    assert (await eve.type_code(code)).status_code == 410
    await eve.ask("eve@example.com")
    assert (await eve.type_code(code)).status_code in (303, 400)  # by chance her own
    assert await eve.who() != "jo@example.com"
    assert (await jo.type_code(code)).status_code == 303


async def test_two_requests_for_one_address_have_codes_of_their_own() -> None:
    """Eve asks for Jo's address too, and Jo types her code into Eve's page."""
    site = both()
    jo, eve = site.browser(), site.browser(ip="198.51.100.6")
    await jo.ask("jo@example.com")
    code = site.mail().code
    await eve.ask("jo@example.com")
    assert site.mail().code != code
    assert (await eve.type_code(code)).status_code == 400
    assert (await jo.type_code(code)).status_code == 303


async def test_a_page_cannot_name_a_request_that_its_browser_does_not_hold() -> None:
    site = both()
    jo, eve = site.browser(), site.browser(ip="198.51.100.6")
    sent = await jo.call("send", {"email": "jo@example.com"})
    request_id, code = sent.json()["auth_request_id"], str(site.mail().code)
    await eve.ask("eve@example.com")
    for path in ("/auth/verify", "/auth/resend"):
        answer = await eve.post(path, {"request_id": request_id, "code": code})
        assert answer.status_code == 410
    body = {"auth_request_id": request_id, "code": code}
    for verb in ("verify", "resend"):
        answer = await eve.call(verb, body)
        assert (answer.status_code, error_code(answer)) == (410, "REQUEST_EXPIRED")
    assert len(site.outbox.messages) == 2
    assert (await jo.call("verify", body)).status_code == 200


async def test_a_challenge_belongs_to_the_kind_of_caller_and_the_key_that_made_it() -> None:
    site = both()
    first, second, jo = site.backend(), site.backend(SECOND_KEY), site.browser()
    mine = (await first.send("jo@example.com")).json()["auth_request_id"]
    code = site.mail().code
    assert (await second.verify(mine, code=code)).status_code == 410
    assert (await second.resend(mine)).status_code == 410
    answer = await jo.call("verify", {"auth_request_id": mine, "code": code})
    assert answer.status_code == 410
    browsers = (await jo.call("send", {"email": "kim@example.com"})).json()["auth_request_id"]
    theirs = site.mail().code
    for backend in (first, second):
        assert (await backend.verify(browsers, code=theirs)).status_code == 410
        assert (await backend.resend(browsers)).status_code == 410
    assert (await first.verify(mine, code=code)).status_code == 200


async def test_a_host_that_calls_python_does_not_share_challenges_with_a_backend() -> None:
    from pwless_middleware.errors import RequestExpired

    site = both()
    sent = await site.passwordless.send("jo@example.com")
    answer = await site.backend().verify(sent.auth_request_id, code=site.mail().code)
    assert answer.status_code == 410
    theirs = (await site.backend().send("kim@example.com")).json()["auth_request_id"]
    with pytest.raises(RequestExpired):
        await site.passwordless.verify(auth_request_id=theirs, code=site.mail().code)
    await site.passwordless.verify(
        auth_request_id=sent.auth_request_id, code=site.mail("jo@example.com").code
    )


async def test_no_handle_is_accepted_in_the_place_of_another() -> None:
    """Each has a MAC of its own: who holds the mail has neither the cookie nor the request id."""
    site = both()
    jo = site.browser()
    sent = await jo.call("send", {"email": "jo@example.com"})
    mail = site.mail()
    done = site.browser(cookies=jo.cookies)
    await done.press_link(mail.link)
    await jo.call("send", {"email": "jo@example.com"})
    handles = {
        "link": token_of(site.mail().link),
        "request": sent.json()["auth_request_id"],
        "flow": str(jo.cookie("flow")),
        "session": str(done.cookie()),
        "device": str(done.cookie("device")),
    }
    bare = base64.urlsafe_b64decode(handles["request"] + "==")[:28]
    handles["bare id"] = base64.urlsafe_b64encode(bare).rstrip(b"=").decode()
    for name, place in itertools.product(handles, ("", "flow", "device", "pending")):
        if name == (place or "session"):
            continue
        thief = site.browser(cookies={jo.cookie_name(place): handles[name]})
        assert await thief.who() is None, (name, place)
        assert (await thief.type_code(site.mail().code)).status_code == 410, (name, place)
        assert (await thief.press_link(site.mail().link)).status_code == 403, (name, place)
    for name, handle in handles.items():
        if name != "link":
            assert (await jo.post("/auth/link", {"link_token": handle})).status_code == 410, name
        if name != "request":
            body = {"auth_request_id": handle, "code": site.mail().code}
            assert (await jo.call("verify", body)).status_code == 410, name
            answer = await site.backend().verify(handle, code=site.mail().code)
            assert answer.status_code in (400, 410), name
        bearer = {"authorization": f"Bearer pws_{handle}"}
        assert (await jo.get("/auth/api/v1/session", headers=bearer)).status_code == 401, name


async def test_a_link_must_belong_to_the_request_that_is_named() -> None:
    site = make_site(features=[EmailLogin(link_uris=["https://www.example.com/magic"])])
    backend = site.backend()
    uri = {"magiclink_auth_uri": "https://www.example.com/magic"}
    first = (await backend.send("jo@example.com", **uri)).json()["auth_request_id"]
    token = token_of(site.mail().link)
    second = (await backend.send("kim@example.com", **uri)).json()["auth_request_id"]
    assert (await backend.verify(second, link_token=token)).status_code == 410
    assert (await backend.verify(first, link_token="x" * 60)).status_code == 410
    assert (await backend.verify(first, link_token=token)).status_code == 200


@pytest.mark.parametrize(
    "other",
    [
        {"secret_key": OTHER_KEY},
        {"base_url": "https://staging.example.com"},
        {"cookie_name": "other"},
    ],
)
async def test_handles_of_another_key_stage_or_brand_are_not_accepted(
    other: dict[str, str],
) -> None:
    """Two stages may share the key, and even the store."""
    site = both()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    options = {"base_url": BASE, "secret_key": KEY, "store": site.store, **other}
    strange = make_site(roomy=True, **options)  # type: ignore[arg-type]
    name = strange.browser().cookie_name()
    renamed = name.replace("pwless", other.get("cookie_name", "pwless"))
    visitor = strange.browser(cookies={renamed: str(jo.cookie())})
    assert await visitor.who() is None
    sent = (await site.backend().send("kim@example.com")).json()["auth_request_id"]
    assert (await strange.backend().verify(sent, code=site.mail().code)).status_code == 410


async def test_single_use_does_not_depend_on_how_the_token_is_spelled() -> None:
    """Damaged links are read, and keyed by the decoded id: each spelling is the same one use."""
    site = both()
    spellings = ["{}=", "{}\n", " {}", "{}.", "link_token={}", "{}"]
    for shape in spellings:
        jo = site.browser()
        await jo.ask("jo@example.com")
        token = token_of(site.mail().link)
        for other in (token[:-1] + ("a" if token[-1] != "a" else "b"), token[1:], token[:-1]):
            assert (await jo.post("/auth/link", {"link_token": other})).status_code == 410
        replay = site.browser(cookies=jo.cookies)
        first = await jo.post("/auth/link", {"link_token": shape.format(token)})
        assert first.status_code == 303, shape
        for again in spellings:
            spent = await replay.post("/auth/link", {"link_token": again.format(token).upper()})
            assert spent.status_code == 410


async def test_code_after_link_and_link_after_code_are_used() -> None:
    site = both()
    for first, then in (("code", "link"), ("link", "code")):
        jo = site.browser()
        await jo.ask("jo@example.com")
        mail, replay = site.mail(), site.browser(cookies=jo.cookies)
        done = await (jo.type_code(mail.code) if first == "code" else jo.press_link(mail.link))
        assert done.status_code == 303
        again = await (
            replay.type_code(mail.code) if then == "code" else replay.press_link(mail.link)
        )
        assert again.status_code == 410


async def test_a_cookie_value_is_no_token_and_a_token_is_no_cookie_value() -> None:
    site = make_site(bearer=True, roomy=True)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    sent = await site.backend().send("kim@example.com")
    verified = await site.backend().verify(sent.json()["auth_request_id"], code=site.mail().code)
    token = verified.json()["session_token"]
    for text in (str(jo.cookie()), "pws_" + str(jo.cookie()), token.removeprefix("pws_")):
        visitor = site.browser(headers={"authorization": f"Bearer {text}"})
        assert await visitor.who() is None
    for text in (token, token.removeprefix("pws_")):
        assert await site.browser(cookies={jo.cookie_name(): text}).who() is None
    assert await site.browser(headers={"authorization": f"Bearer {token}"}).who() == (
        "kim@example.com"
    )


async def test_a_code_alone_has_no_link_and_a_link_alone_no_code() -> None:
    """What the mail does not carry is not accepted either."""
    site = make_site(features=[EmailLogin(kind="OTP")])
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert site.mail().link is None
    keyring = site.passwordless.cookies._keyring
    token = keyring.link_token(challenge_of(site))
    assert (await jo.post("/auth/link", {"link_token": token})).status_code == 410

    site = make_site(features=[EmailLogin(kind="LINK")])
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert site.mail().code is None
    keyring = site.passwordless.cookies._keyring
    code = keyring.code(challenge_of(site), "standard")
    assert (await jo.type_code(code)).status_code == 400
    assert (await jo.press_link(site.mail().link)).status_code == 303
