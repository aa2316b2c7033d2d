"""Two kinds of caller, never mixed: a server with a key, a browser with its origin and cookies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from pwless_middleware import ConfigError
from pwless_middleware.web.identity.keys import ConfiguredKeys
from tests.features.email_login.test_api import check_error, started
from tests.support import API_KEY, BASE, JSON_BASE, Browser, Site, http_scope, make_site, run

pytestmark = pytest.mark.anyio

OTHER = "pwk_" + "Another0Key1Of2Thirty3Two4Chars5"
FRIEND = "https://www.example.org"
SEND = {"email": "jo@example.com"}


def two_keys(**options: Any) -> Site:
    """Make a site with two keys and one allowed origin."""
    keys = {"backend": API_KEY, "worker": OTHER}
    return make_site(api_keys=keys, allowed_origins=[FRIEND], roomy=True, **options)


async def test_no_credentials_are_401() -> None:
    browser = two_keys().browser()
    response = await browser.call("send", SEND, headers={"origin": ""})
    check_error(response, 401, 16, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer pwk_" + "0" * 32,
        f"Bearer {API_KEY}x",
        f"Bearer {API_KEY[:-1]}",
        f"Bearer {API_KEY.lower()}",
        API_KEY,
        f"Basic {API_KEY}",
        "Bearer",
        "Bearer ",
        "",
        f"Bearer {API_KEY} {API_KEY}",
        "Bearer pws_" + "A" * 60,
    ],
)
async def test_a_key_that_is_not_known_is_401_even_from_a_page_of_ours(authorization: str) -> None:
    site = two_keys()
    headers = [("authorization", authorization or " "), ("origin", BASE)]
    response = await site.browser().call("send", SEND, headers=headers)
    check_error(response, 401, 16, "UNAUTHENTICATED")
    assert not site.outbox.messages


async def test_two_keys_in_one_request_are_none() -> None:
    headers = [("authorization", f"Bearer {API_KEY}"), ("authorization", f"Bearer {OTHER}")]
    response = await two_keys().browser().call("send", SEND, headers=headers)
    check_error(response, 401, 16, "UNAUTHENTICATED")


async def test_every_key_is_compared_whichever_matches() -> None:
    """The time tells neither how many keys there are before it, nor how much of one was right."""
    keys = ConfiguredKeys({"backend": API_KEY, "worker": OTHER})
    assert keys.name_of(API_KEY) == "backend"
    assert keys.name_of(OTHER) == "worker"
    assert keys.name_of("pwk_") is None


@pytest.mark.parametrize(
    "keys",
    [
        {"a b": API_KEY},
        {"": API_KEY},
        {"a": "pwk_short"},
        {"a": "Zk3vQ8sLw2Yt6Rb9Xn4Mc7Jd1Hg5Fp0aZk3v"},
        {"a": API_KEY, "b": API_KEY},
        {"a": API_KEY + "\n"},
    ],
)
def test_bad_keys_are_a_config_error(keys: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="api_keys"):
        make_site(api_keys=keys)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "https://app.example.com/",
        "HTTPS://APP.EXAMPLE.COM",
        "null",
    ],
)
async def test_a_foreign_origin_is_403_on_every_call(origin: str) -> None:
    site = two_keys()
    headers = {"origin": origin}
    for verb in ("send", "resend", "verify"):
        response = await site.browser().call(verb, SEND, headers=headers)
        check_error(response, 403, 7, "FORBIDDEN_ORIGIN")
    assert not site.outbox.messages


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_a_browser_that_hides_its_origin_is_403(site: str) -> None:
    headers = [("origin", ""), ("sec-fetch-site", site)]
    response = await two_keys().browser().call("send", SEND, headers=headers)
    check_error(response, 403, 7, "FORBIDDEN_ORIGIN")


async def test_two_origins_are_not_ours() -> None:
    headers = [("origin", BASE), ("origin", BASE)]
    response = await two_keys().browser().call("send", SEND, headers=headers)
    check_error(response, 403, 7, "FORBIDDEN_ORIGIN")


async def test_a_page_of_an_allowed_origin_may_call_and_so_may_a_same_origin_fetch() -> None:
    site = two_keys()
    friend = {"origin": FRIEND}
    browser = site.browser()
    assert (await browser.call("send", SEND, headers=friend)).status_code == 200
    fetch = [("origin", ""), ("sec-fetch-site", "same-origin")]
    assert (await site.browser().call("send", SEND, headers=fetch)).status_code == 200
    # Reading is not allowed to other origins by us: that is the host's CORSMiddleware's.
    assert (
        await browser.request("OPTIONS", f"{JSON_BASE}/send", headers=friend)
    ).status_code == 405


async def test_a_request_with_a_key_reads_and_sets_no_cookies() -> None:
    site = two_keys()
    browser = site.browser()
    await browser.sign_in("ann@example.com")
    session, device = browser.cookie(), browser.cookie("device")
    sent = await browser.call("send", SEND)
    assert "set-cookie" in sent.headers
    flow = browser.cookie("flow")

    key = {"authorization": f"Bearer {API_KEY}", "origin": "https://evil.example"}
    sent_by_key = await browser.call("send", SEND, headers=key)
    assert sent_by_key.status_code == 200
    assert "set-cookie" not in sent_by_key.headers
    assert sent_by_key.json()["passwordless_type"] == "OTP"
    code = site.mail().code
    # The browser's own challenge is not the key's, although its flow cookie comes along.
    body = {"auth_request_id": sent.json()["auth_request_id"], "code": code}
    response = await browser.call("verify", body, headers=key)
    check_error(response, 410, 9, "REQUEST_EXPIRED")
    body = {"auth_request_id": sent_by_key.json()["auth_request_id"], "code": code}
    response = await browser.call("verify", body, headers=key)
    assert response.status_code == 200
    assert "set-cookie" not in response.headers
    # The login of the key has not ended the browser's session: it never saw the cookie.
    assert (browser.cookie(), browser.cookie("device"), browser.cookie("flow")) == (
        session, device, flow,
    )  # fmt: skip
    assert await browser.who() == "ann@example.com"


async def test_a_challenge_belongs_to_the_key_that_made_it() -> None:
    site = two_keys()
    request_id = await started(site.backend())
    code = site.mail().code
    before = site.snapshot()
    strangers: list[Browser] = [site.backend(OTHER).browser, site.browser()]
    for stranger in strangers:
        body = {"auth_request_id": request_id, "code": code}
        check_error(await stranger.call("verify", body), 410, 9, "REQUEST_EXPIRED")
        body = {"auth_request_id": request_id}
        check_error(await stranger.call("resend", body), 410, 9, "REQUEST_EXPIRED")
    with pytest.raises(Exception, match="expired"):
        await site.passwordless.verify(auth_request_id=request_id, code=code or "")
    assert len(site.outbox.messages) == 1
    assert len(site.snapshot()[0]) == len(before[0])  # type: ignore[arg-type]
    assert (await site.backend().verify(request_id, code=code)).status_code == 200


async def test_a_browser_s_challenge_needs_its_flow_cookie() -> None:
    site = two_keys()
    browser = site.browser()
    sent = (await browser.call("send", SEND)).json()
    code = site.mail().code
    body = {"auth_request_id": sent["auth_request_id"], "code": code}
    for stranger in (site.browser(), site.backend().browser):
        check_error(await stranger.call("verify", body), 410, 9, "REQUEST_EXPIRED")
    assert (
        await browser.call("resend", {"auth_request_id": sent["auth_request_id"]})
    ).status_code == 200
    assert (await browser.call("verify", body)).status_code == 200


async def test_a_server_may_be_behind_another_address_for_each_call() -> None:
    site = two_keys()
    request_id = await started(site.backend(ip="198.51.100.1"))
    backend = site.backend(ip="198.51.100.2")
    assert (await backend.verify(request_id, code=site.mail().code)).status_code == 200


# --- what HTTP owes ----------------------------------------------------------------------------

PATHS = {
    f"{JSON_BASE}/send": {"POST"},
    f"{JSON_BASE}/resend": {"POST"},
    f"{JSON_BASE}/verify": {"POST"},
    "/auth/api/v1/session": {"GET", "HEAD", "DELETE"},
    "/auth/api/v1/sessions": {"GET", "HEAD", "DELETE"},
    "/auth/api/v1/sessions/x": {"DELETE"},
    "/auth/api/v1/openapi.json": {"GET", "HEAD"},
    "/auth/health": {"GET", "HEAD"},
}


@pytest.mark.parametrize("path", PATHS)
async def test_another_method_is_405_with_allow(path: str) -> None:
    site = two_keys()
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"):
        if method not in PATHS[path]:
            response = await site.backend().browser.request(method, path)
            assert response.status_code == 405
            assert response.headers["cache-control"] == "no-store"
            assert set(response.headers["allow"].split(", ")) == PATHS[path]
            if method != "HEAD":
                check_error(response, 405, 12, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    "path",
    ["/auth/api/v1", "/auth/api/v1/", "/auth/api/v2/session", f"{JSON_BASE}/send/", "/auth/api/"],
)
async def test_another_path_is_404_in_json(path: str) -> None:
    check_error(await two_keys().browser().get(path), 404, 5, "NOT_FOUND")


@pytest.mark.parametrize("size", [16 * 1024 + 1, 10**6])
async def test_too_large_is_413_declared_or_not(size: int) -> None:
    site = two_keys()
    content = b'{"email": "jo@example.com", "x": "%b"}' % (b"a" * size)
    headers = {"content-type": "application/json"}
    url = f"{JSON_BASE}/send"
    browser = site.backend().browser
    response = await browser.request("POST", url, content=content, headers=headers)
    check_error(response, 413, 3, "CONTENT_TOO_LARGE")
    lying = {**headers, "content-length": "10"}
    response = await browser.request("POST", url, content=content, headers=lying)
    check_error(response, 413, 3, "CONTENT_TOO_LARGE")
    assert not site.outbox.messages


@pytest.mark.parametrize("digits", [6, 12, 5_000])
async def test_a_length_that_is_too_large_however_it_is_written_is_413_unread(digits: int) -> None:
    """`int` refuses more than 4,300 digits."""
    site = two_keys()
    length = b"9" * digits
    headers = [(b"origin", BASE.encode()), (b"content-type", b"application/json")]
    scope = http_scope(
        f"{JSON_BASE}/send", method="POST", headers=[*headers, (b"content-length", length)]
    )

    async def receive() -> Message:
        raise AssertionError("the body was read")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await site.app(scope, receive, send)
    assert sent[0]["status"] == 413


async def test_zeros_before_a_length_add_nothing_to_it() -> None:
    browser = two_keys().backend().browser
    content = b'{"email": "jo@example.com"}'
    headers = {"content-type": "application/json", "content-length": f"{len(content):020}"}
    answer = await browser.request("POST", f"{JSON_BASE}/send", content=content, headers=headers)
    assert answer.status_code == 200


async def test_exactly_16_kib_are_read() -> None:
    frame = b'{"email": "jo@example.com", "x": ""}'
    content = frame[:-2] + b"a" * (16 * 1024 - len(frame)) + frame[-2:]
    response = (
        await two_keys()
        .backend()
        .browser.request(
            "POST",
            f"{JSON_BASE}/send",
            content=content,
            headers={"content-type": "application/json"},
        )
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("content-type", "text/plain")],
        [("content-type", "application/x-www-form-urlencoded")],
        [("content-type", "application/json; charset=latin-1")],
        [("content-type", "application/jsonp")],
        [("content-type", "application/json"), ("content-type", "application/json")],
        [("content-type", "application/json"), ("content-encoding", "gzip")],
    ],
)
async def test_what_is_not_json_is_415(headers: list[tuple[str, str]]) -> None:
    site = two_keys()
    response = await site.backend().browser.request(
        "POST", f"{JSON_BASE}/send", content=b'{"email":"jo@example.com"}', headers=headers
    )
    check_error(response, 415, 3, "UNSUPPORTED_MEDIA_TYPE")
    assert not site.outbox.messages


@pytest.mark.parametrize(
    "kind",
    ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'],
)
async def test_json_may_name_its_charset(kind: str) -> None:
    response = (
        await two_keys()
        .backend()
        .browser.request(
            "POST",
            f"{JSON_BASE}/send",
            content=b'{"email":"jo@example.com"}',
            headers={"content-type": kind},
        )
    )
    assert response.status_code == 200


_NAMES = [
    "authorization", "origin", "cookie", "content-type", "content-length", "content-encoding",
    "sec-fetch-site", "user-agent", "x-forwarded-for",
]  # fmt: skip
_WORDS = [
    "Bearer", "pwk_", "pws_", "__Host-pwless=", "__Host-pwless-flow=", "null", ".", "~", "=", ";",
    "10", "gzip", "same-origin", "application/json", ";charset=", BASE, API_KEY,
]  # fmt: skip
_parts = st.sampled_from([b" ", *(word.encode() for word in _WORDS)]) | st.binary(max_size=8)


async def test_no_header_brings_a_5xx() -> None:
    cases: list[list[tuple[bytes, bytes]]] = []

    @given(st.lists(st.tuples(st.sampled_from(_NAMES), st.lists(_parts, max_size=6)), max_size=6))
    def collect(headers: list[tuple[str, list[bytes]]]) -> None:
        cases.append([(name.encode(), b"".join(value)) for name, value in headers])

    collect()
    site = two_keys(bearer=True)
    for headers in cases:
        for method, path in (
            ("POST", f"{JSON_BASE}/send"), ("POST", f"{JSON_BASE}/verify"),
            ("GET", "/auth/api/v1/session"), ("DELETE", "/auth/api/v1/sessions/x"),
            ("GET", "/private"),
        ):  # fmt: skip
            scope = http_scope(path, method=method, headers=headers)
            start, *_ = await run(site.app, scope)
            assert start["status"] < 500, (headers, path)
