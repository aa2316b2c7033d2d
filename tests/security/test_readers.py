"""Cookies, forms, JSON and codes are read strictly (security rules 11 and 12)."""

from __future__ import annotations

import pytest

from pwless_middleware import EmailLogin
from tests.support import ROOMY, Browser, Site, cookie_header, http_scope, make_site, run, said

pytestmark = pytest.mark.anyio


async def signed_in(site: Site) -> Browser:
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    return jo


async def who(site: Site, *cookies: bytes) -> int:
    headers = [(b"cookie", cookie) for cookie in cookies]
    sent = await run(site.app, http_scope(headers=headers))
    return int(sent[0]["status"])


async def test_a_second_cookie_of_our_name_planted_by_a_sister_domain_is_no_session() -> None:
    site = make_site()
    jo = await signed_in(site)
    own = cookie_header(jo)[0][1]
    name = jo.cookie_name().encode()
    assert await who(site, own) == 200
    for planted in (b"x", b"", own.partition(b"=")[2].partition(b";")[0]):
        assert await who(site, name + b"=" + planted + b"; " + own) == 401
        assert await who(site, own + b"; " + name + b"=" + planted) == 401
        assert await who(site, own, name + b"=" + planted) == 401, "in two headers"


@pytest.mark.parametrize("space", [b"\x85", b"\xa0", b"\x0b", b"\x0c", b"\x1f", b"\x00", b"\r"])
async def test_a_name_with_a_strange_space_is_not_ours(space: bytes) -> None:
    """Starlette's own parser strips `\\x85` and `\\xa0`, and so would see a second cookie."""
    site = make_site()
    jo = await signed_in(site)
    own = cookie_header(jo)[0][1]
    name, _, value = own.partition(b"=")
    value = value.partition(b";")[0]
    assert await who(site, space + name + b"=" + value) == 401
    assert await who(site, own + b";" + space + name + b"=planted") == 200, "and hides nothing"


@pytest.mark.parametrize("good", [b" %s", b"\t%s", b"a=b;%s", b"a=b; %s ;c=d", b"%s\t"])
async def test_space_and_tab_around_a_cookie_are_trimmed(good: bytes) -> None:
    site = make_site()
    jo = await signed_in(site)
    pair = f"{jo.cookie_name()}={jo.cookie()}".encode()
    assert await who(site, good % pair) == 200


@pytest.mark.parametrize("shape", ['"{}"', "{} x", "{}é", "{},", "%22{}%22", " {}x", "{}="])
async def test_a_value_is_taken_as_it_stands(shape: str) -> None:
    site = make_site()
    jo = await signed_in(site)
    pair = f"{jo.cookie_name()}={shape.format(jo.cookie())}".encode("latin-1")
    assert await who(site, pair) == 401


@pytest.mark.parametrize("name", ["pwless", "__host-pwless", "__Host-pwless ", "x__Host-pwless"])
async def test_a_name_that_is_almost_ours_is_not_ours(name: str) -> None:
    site = make_site()
    jo = await signed_in(site)
    assert await who(site, f"{name}={jo.cookie()}".encode()) == 401


# --- forms ---------------------------------------------------------------------------------------

FORM = "application/x-www-form-urlencoded"


async def post(browser: Browser, body: bytes, kind: str = FORM, **more: str) -> int:
    headers = {"content-type": kind, **more}
    path = "/auth/login"
    return (await browser.request("POST", path, content=body, headers=headers)).status_code


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"email=jo@example.com", 303),
        (b"email=jo%40example.com&x=", 303),
        (b"email=jo@example.com&email=jo@example.com", 400),
        (b"email=jo@example.com&%65mail=eve@example.com", 400),
        (b"email=jo@example.com&x=%ff", 400),
        (b"email=jo@example.com&x=\xff", 400),
        (b"email=jo@example.com&broken", 400),
        (b"&".join([b"email=jo@example.com", *(b"x%d=" % n for n in range(15))]), 303),
        (b"&".join([b"email=jo@example.com", *(b"x%d=" % n for n in range(16))]), 400),
        (b"email=jo@example.com&x=" + b"a" * (32 * 1024 - 23), 303),
        (b"email=jo@example.com&x=" + b"a" * (32 * 1024 - 22), 413),
        (b"", 400),
    ],
)
async def test_a_form_is_read_strictly(body: bytes, status: int) -> None:
    site = make_site()
    before = site.snapshot()
    assert await post(site.browser(), body) == status
    assert (site.snapshot() == before) is (status != 303)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FORM, 303),
        (FORM + "; charset=UTF-8", 303),
        (FORM.upper(), 303),
        (FORM + "; charset=utf-7", 415),
        ("text/plain", 415),
        ("application/json", 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
async def test_a_form_has_one_type(kind: str, status: int) -> None:
    assert await post(make_site().browser(), b"email=jo@example.com", kind) == status


async def test_a_compressed_body_is_not_unpacked() -> None:
    answer = await post(make_site().browser(), b"x", **{"content-encoding": "gzip"})
    assert answer == 415


async def test_a_body_that_lies_about_its_length_is_stopped_as_it_comes() -> None:
    site = make_site()
    read = []
    chunks = iter([b"x" * 10_000] * 1000)

    async def receive() -> dict[str, object]:
        read.append(1)
        return {"type": "http.request", "body": next(chunks), "more_body": True}

    sent = []

    async def send(message: object) -> None:
        sent.append(message)

    headers = [(b"content-type", FORM.encode()), (b"origin", b"https://app.example.com"),
               (b"content-length", b"10")]  # fmt: skip
    scope = http_scope("/auth/login", method="POST", headers=headers)
    await site.app(scope, receive, send)
    assert sent[0]["status"] == 413  # type: ignore[index]
    assert len(read) == 4


async def test_a_body_that_never_ends_in_full_changes_nothing() -> None:
    site = make_site()
    before = site.snapshot()
    headers = [(b"content-type", FORM.encode()), (b"origin", b"https://app.example.com")]
    scope = http_scope("/auth/login", method="POST", headers=headers)
    half = {"type": "http.request", "body": b"email=jo@example.com", "more_body": True}
    sent = await run(site.app, scope, [half])
    assert sent[0]["status"] == 400
    assert site.snapshot() == before


# --- JSON ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b'{"email":"jo@example.com","email":"eve@example.com"}',
        b'{"email":"jo@example.com","x":{"a":1,"a":2}}',
        b'{"email":"jo@example.com","x":NaN}',
        b'{"email":"jo@example.com","x":Infinity}',
        b'{"email":"jo@example.com","x":1e999}',
        b'{"email":"jo@example.com","x":"\\ud800"}',
        b'{"email":"jo@example.com","\\udfff":1}',
        b'{"email":"jo@example.com","x":"\xff"}',
        b'\xef\xbb\xbf{"email":"jo@example.com"}',
        '{"email":"jo@example.com"}'.encode("utf-16"),
        b'{"email":"jo@example.com","x":' + b"[" * 8 + b"]" * 8 + b"}",
        b'{"x":' + b"[" * 8000 + b"}",
        b'{"email":"jo@example.com","x":' + b"1" * 5000 + b"}",
        b'[{"email":"jo@example.com"}]',
        b'"jo@example.com"',
        b'{"email":"jo@example.com"} {}',
        b"{'email':'jo@example.com'}",
        b'{"email":"jo@example.com",}',
        b"null",
        b"",
    ],
)
async def test_json_that_two_readers_take_for_two_is_refused(body: bytes) -> None:
    site = make_site()
    before = site.snapshot()
    headers = {"content-type": "application/json"}
    answer = await site.backend().browser.request(
        "POST", "/auth/api/v1/passwordless/email/send", content=body, headers=headers
    )
    assert answer.status_code == 400
    assert site.snapshot() == before


# --- codes ---------------------------------------------------------------------------------------


def spelled(code: str, zero: int) -> str:
    """Write digits in another script."""
    return "".join(chr(zero + int(c)) for c in code)


@pytest.mark.parametrize("zero", [0x11066, 0x1D7CE, 0x1FBF0])
async def test_digits_that_no_keyboard_has_are_no_digits(zero: int) -> None:
    """The table is closed: `str.isdigit` and `int` take some hundred more."""
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com")
    answer = await jo.type_code(spelled(str(site.mail().code), zero))
    assert answer.status_code == 400
    assert "6 digits" in said(answer)
    assert await jo.who() is None


@pytest.mark.parametrize(
    "shape", ["+{}", "{}_", "{}.0", "{},50", "0.{}", "0x{}", "{}\x00", "\x1b{}", "{}e1", "{0}{0}"]
)
async def test_a_code_inside_of_something_else_is_refused(shape: str) -> None:
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert (await jo.type_code(shape.format(site.mail().code))).status_code == 400


@pytest.mark.parametrize("letters", ["ſ" * 8, "ß" * 4, "ﬀ" * 4, "Ⓑ" * 8])
async def test_letters_that_only_become_ours_in_upper_case_are_refused(letters: str) -> None:
    site = make_site(features=[EmailLogin(code="high", send_limits=ROOMY)])
    jo = site.browser()
    await jo.ask("jo@example.com")
    answer = await jo.type_code(letters)
    assert answer.status_code == 400
    assert "tries left" not in said(answer), "not judged as a code"
