"""The configured origin alone decides; no cross-site writes (security rules 7 and 10)."""

from __future__ import annotations

import logging

import pytest

from pwless_middleware import ConfigError, EmailLogin
from tests.support import (
    BASE,
    JSON_BASE,
    Browser,
    Site,
    cookie_header,
    error_code,
    led_to,
    make_site,
    our_paths,
    run,
    socket_scope,
)

pytestmark = pytest.mark.anyio

LIES = {
    "host": "malicious.example",
    "x-forwarded-host": "malicious.example",
    "x-forwarded-proto": "http",
    "x-forwarded-prefix": "/malicious",
    "forwarded": "host=malicious.example;proto=http",
    "x-original-url": "https://malicious.example/",
    "x-rewrite-url": "/malicious",
    "x-forwarded-port": "1",
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_forged_host_changes_no_link_redirect_or_check(lie: str) -> None:
    site = make_site()
    jo = site.browser(headers={lie: LIES[lie]})
    asked = await jo.ask("jo@example.com", next="/a")
    assert led_to(asked) == "/auth/verify"
    assert str(site.mail().link).startswith(f"{BASE}/auth/link?")
    assert "malicious" not in site.mail().text + site.mail().html
    done = await jo.press_link(site.mail().link)
    assert led_to(done) == "/a"
    denied = await site.browser(headers={lie: LIES[lie], "accept": "text/html"}).get("/x")
    assert led_to(denied) == "/auth/login?next=%2Fx"
    forged = await jo.post("/auth/logout", {}, headers={"origin": "https://evil.example"})
    assert forged.status_code == 403


async def writes(browser: Browser, **headers: str) -> dict[str, int]:
    """Send every write of ours with these headers; give path to status."""
    found = {}
    for path, route in our_paths(browser.home.passwordless).items():
        for method in route.methods:
            if method != "GET":
                kind = {"json": {}} if route.kind == "api" else {"form": {"all": "1"}}
                sent = {"origin": "", **headers}
                answer = await browser.request(method, f"/auth{path}", headers=sent, **kind)  # type: ignore[arg-type]
                found[f"{method} {path}"] = answer.status_code
    return found


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"origin": "null", "sec-fetch-site": "same-site"},
        {"origin": "null", "sec-fetch-site": "none"},
        {"origin": "null", "sec-fetch-site": "same-origin, same-origin"},
        {"origin": "https://app.example.com.evil.example"},
        {"origin": "https://app.example.com:8443"},
        {"origin": "http://app.example.com"},
        {"origin": "https://APP.example.com"},
        {"origin": "https://app.example.com/"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"referer": f"{BASE}/auth/login"},
        {},
    ],
)
async def test_a_write_from_elsewhere_is_refused_everywhere_and_changes_nothing(
    headers: dict[str, str],
) -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    await jo.ask("kim@example.com")
    before = site.snapshot()
    answers = await writes(jo, **headers)
    # A server's: it reads no cookie, and wants its form (RFC 6749 §4.4.2).
    assert answers.pop("POST /oauth/token") == 415
    assert len(answers) >= 11
    assert set(answers.values()) <= {401, 403}, answers
    assert site.snapshot() == before
    assert await jo.who() == "jo@example.com"


async def test_a_form_of_ours_behind_a_proxy_that_hides_referrers_is_ours() -> None:
    """`Referrer-Policy: no-referrer`, added in front, makes browsers say `Origin: null`."""
    site = make_site()
    jo = site.browser(headers={"origin": "null", "sec-fetch-site": "same-origin"})
    assert (await jo.ask("jo@example.com")).status_code == 303
    assert (await jo.type_code(site.mail().code)).status_code == 303
    assert (await jo.request("DELETE", "/auth/api/v1/session")).status_code == 403
    sent = await jo.call("send", {"email": "jo@example.com"})
    assert error_code(sent) == "FORBIDDEN_ORIGIN"
    assert (await jo.get("/private")).status_code == 200
    hidden = [(b"origin", b"null"), (b"sec-fetch-site", b"same-origin"), *cookie_header(jo)]
    messages = await run(site.app, socket_scope("/private", headers=hidden))
    assert [message["type"] for message in messages] == ["websocket.close"]
    assert (await jo.post("/auth/logout", {})).status_code == 303


@pytest.mark.parametrize("name", ["origin", "sec-fetch-site"])
async def test_a_header_that_stands_twice_says_nothing(name: str) -> None:
    site = make_site()
    lines = [("origin", "null"), ("sec-fetch-site", "same-origin")]
    twice = [*lines, *(line for line in lines if line[0] == name)]
    answer = await site.browser().request(
        "POST", "/auth/login", form={"email": "jo@example.com"}, headers=twice
    )
    assert answer.status_code == 403
    assert site.outbox.messages == []


async def test_two_origin_headers_are_no_origin() -> None:
    site = make_site()
    jo = site.browser()
    answer = await jo.request(
        "POST", "/auth/login", form={"email": "jo@example.com"},
        headers=[("origin", BASE), ("origin", "https://evil.example")],
    )  # fmt: skip
    assert answer.status_code == 403
    assert site.outbox.messages == []


@pytest.mark.parametrize("sites", [("same-origin", "cross-site"), ("cross-site", "same-origin")])
@pytest.mark.parametrize("origin", [[("origin", "")], [("origin", "null")]])
async def test_two_sec_fetch_site_headers_say_nothing(
    sites: tuple[str, str], origin: list[tuple[str, str]]
) -> None:
    site = make_site()
    headers = [*origin, *(("sec-fetch-site", each) for each in sites)]
    answer = await site.browser().request(
        "POST", "/auth/login", form={"email": "jo@example.com"}, headers=headers
    )
    assert answer.status_code == 403
    assert site.outbox.messages == []


async def test_sec_fetch_site_same_origin_stands_in_for_a_missing_origin() -> None:
    site = make_site()
    headers = {"origin": "", "sec-fetch-site": "same-origin"}
    jo = site.browser()
    answer = await jo.post("/auth/login", {"email": "jo@example.com"}, headers=headers)
    assert answer.status_code == 303


async def test_a_logout_planted_on_another_site_signs_nobody_out() -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    headers = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert (await jo.post("/auth/logout", {}, headers=headers)).status_code == 403
    assert (await jo.request("DELETE", "/auth/api/v1/session", headers=headers)).status_code == 403
    assert await jo.who() == "jo@example.com"


async def test_a_login_planted_on_another_site_signs_nobody_in_as_the_attacker() -> None:
    """Login CSRF: the attacker's link token, posted by the victim's browser."""
    site = make_site(features=[EmailLogin(same_browser=False)])
    eve, jo = site.browser(), site.browser(ip="198.51.100.9")
    await eve.ask("eve@example.com")
    from tests.support import token_of

    form = {"link_token": token_of(site.mail().link)}
    answer = await jo.post("/auth/link", form, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert await jo.who() is None


@pytest.mark.parametrize("pattern", ["*", "https://*.example.com"])
def test_a_pattern_is_no_allowed_origin(pattern: str) -> None:
    with pytest.raises(ConfigError, match="is a pattern: list each origin"):
        make_site(allowed_origins=[pattern])


async def test_an_allowed_origin_may_use_the_json_api_and_not_the_pages() -> None:
    site = make_site(allowed_origins=["https://www.example.com"])
    headers = {"origin": "https://www.example.com"}
    jo = site.browser()
    sent = await jo.call("send", {"email": "jo@example.com"}, headers=headers)
    assert sent.status_code == 200
    page = await jo.post("/auth/login", {"email": "jo@example.com"}, headers=headers)
    assert page.status_code == 403
    foreign = await jo.call(
        "send", {"email": "jo@example.com"}, headers={"origin": "https://www.example.com.evil"}
    )
    assert (foreign.status_code, error_code(foreign)) == (403, "FORBIDDEN_ORIGIN")


async def test_a_caller_that_shows_nothing_of_itself_is_unauthenticated() -> None:
    site = make_site()
    answer = await site.browser().call("send", {"email": "jo@example.com"}, headers={"origin": ""})
    assert (answer.status_code, error_code(answer)) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("authorization", ["Bearer pwk_wrong", "Bearer ", "Basic eDp5", "Bearer x"])
async def test_a_bad_key_is_not_made_good_by_an_origin_and_cookies(authorization: str) -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    headers = {"authorization": authorization, "origin": BASE}
    answer = await jo.call("send", {"email": "kim@example.com"}, headers=headers)
    assert answer.status_code == 401
    assert "www-authenticate" in answer.headers


async def test_a_key_needs_no_origin_and_ignores_a_foreign_one() -> None:
    site = make_site()
    backend = site.backend()
    backend.browser.headers["origin"] = "https://evil.example"
    assert (await backend.send("jo@example.com")).status_code == 200


async def test_no_answer_of_ours_has_a_cors_header() -> None:
    site = make_site(allowed_origins=["https://www.example.com"])
    jo = site.browser(headers={"origin": "https://www.example.com"})
    for path in ("/auth/login", f"{JSON_BASE}/send", "/auth/api/v1/session", "/auth/none"):
        for method in ("GET", "POST", "OPTIONS"):
            answer = await jo.request(method, path, headers={"access-control-request-method": "X"})
            assert not [name for name in answer.headers if name.startswith("access-control")]


# --- who the client is ---------------------------------------------------------------------------


async def sends(site: Site, *, peer: str, forwarded: str, count: int = 21) -> list[int]:
    """Send to new addresses from one peer and give the statuses; `{n}` counts."""
    statuses = []
    for n in range(count):
        visitor = site.browser(ip=peer, headers={"x-forwarded-for": forwarded.format(n=n)})
        email = f"jo{len(site.outbox.messages)}x{n}@example.com"
        statuses.append((await visitor.ask(email)).status_code)
    return statuses


async def test_a_forged_forwarding_header_makes_no_new_client() -> None:
    site = make_site()
    assert (await sends(site, peer="203.0.113.1", forwarded="198.51.100.{n}"))[-1] == 429


@pytest.mark.parametrize(
    ("hops", "forwarded"),
    [
        (1, "198.51.100.{n}, 192.0.2.1"),
        (2, "198.51.100.{n}, 192.0.2.1, 10.0.0.9"),
        (["10.0.0.0/8"], "198.51.100.{n}, 192.0.2.1"),
    ],
)
async def test_behind_proxies_the_header_is_read_from_the_right(
    hops: object, forwarded: str
) -> None:
    site = make_site(trusted_proxies=hops)
    assert (await sends(site, peer="10.0.0.1", forwarded=forwarded))[-1] == 429


@pytest.mark.parametrize(
    ("hops", "forwarded"),
    [
        (1, "198.51.100.{n}"),
        (["10.0.0.0/8"], "198.51.100.{n}"),
        # What the visitor wrote, the visitor as the first proxy saw them, and that proxy.
        (2, "192.0.2.1, 198.51.100.{n}, 10.0.0.9"),
        (2, "198.51.100.{n}, 10.0.0.9"),
        (["10.0.0.0/8"], "192.0.2.1, 198.51.100.{n}, 10.0.0.9"),
    ],
)
async def test_behind_proxies_every_client_has_its_own_limit(hops: object, forwarded: str) -> None:
    site = make_site(trusted_proxies=hops)
    assert set(await sends(site, peer="10.0.0.1", forwarded=forwarded)) == {303}


async def test_a_peer_that_is_no_trusted_proxy_is_not_believed() -> None:
    site = make_site(trusted_proxies=["10.0.0.0/8"])
    assert (await sends(site, peer="203.0.113.1", forwarded="198.51.100.{n}"))[-1] == 429


async def test_a_private_peer_with_a_forwarding_header_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = make_site()
    with caplog.at_level(logging.WARNING, logger="pwless.clients"):
        await sends(site, peer="10.0.0.1", forwarded="198.51.100.{n}", count=5)
    assert [record.event for record in caplog.records] == ["untrusted_proxy"]  # type: ignore[attr-defined]
    assert "trusted_proxies" in caplog.text


async def test_a_direct_visitor_is_no_reason_to_warn(caplog: pytest.LogCaptureFixture) -> None:
    await make_site().browser(ip="10.0.0.1").ask("jo@example.com")
    await make_site().browser(ip="203.0.113.1", headers={"via": "x"}).ask("jo@example.com")
    assert [r for r in caplog.records if r.name == "pwless.clients"] == []
