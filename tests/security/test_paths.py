"""What `next` may be, and what is behind the gate (security rules 8 and 9)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest

from tests.support import (
    BASE,
    Site,
    cookie_header,
    error_code,
    http_scope,
    led_to,
    make_site,
    run,
    socket_scope,
)

pytestmark = pytest.mark.anyio

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "/\t/evil.example/",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/ /evil.example",
    "/%2f/evil.example",
    "/%5cevil.example",
    "/%09/evil.example",
    "/..//evil.example",
    "/.//evil.example",
    "/%2e%2e//evil.example",
    "/a/../../evil",
    "/a/%2E%2e/b",
    "///evil.example",
    "////evil.example",
    "javascript:alert(1)",
    "/\x00/evil",
    "/\x7f",
    "evil.example",
    "?next=//evil.example",
    "#x",
    "@evil.example",
    "/" + "a" * 8192,
    "/%2F%2Fevil.example",
    "/%2fevil.example",
    "/a%2f..%2f..%2fevil",
    "/a%2F%2e%2E",
    "/a\r\nSet-Cookie: x=y",
    "/\udcff",
    "/%0d%0aSet-Cookie:x=y",
]


async def lands(site: Site, next: str, *, where: str) -> str:
    """Sign in with a `next`, in the query, in the form, or in both, and say where that leads."""
    jo = site.browser()
    wanted = quote(next.encode("utf-8", "surrogateescape"), safe="")
    if where == "query":
        page = await jo.get(f"/auth/login?next={wanted}")
        assert page.status_code == 200
        # What is not UTF-8 arrives as U+FFFD, in a path that is ours. Who chooses a language comes
        # back to this page, where it is refused once more.
        kept = re.findall(r'name="next" value="([^"]*)"', page.text)
        assert [v for v in kept if not v.startswith("/auth/login?")] == [] or "\udcff" in next
        return "/"
    body = f"email=jo%40example.com&next={wanted}".encode()
    form = {"content-type": "application/x-www-form-urlencoded"}
    asked = await jo.request("POST", "/auth/login", content=body, headers=form)
    if asked.status_code == 400:  # not UTF-8 at all
        return "/"
    done = await jo.type_code(site.mail().code)
    return str(led_to(done))


@pytest.mark.parametrize("where", ["query", "form"])
@pytest.mark.parametrize("next", ELSEWHERE)
async def test_an_open_redirect_by_next_lands_at_home(next: str, where: str) -> None:
    assert await lands(make_site(), next, where=where) == "/"


@pytest.mark.parametrize("next", ELSEWHERE)
async def test_an_open_redirect_after_logout_stays_with_us(next: str) -> None:
    site = make_site()
    jo = site.browser()
    body = b"next=" + quote(next.encode("utf-8", "surrogateescape"), safe="").encode()
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = await jo.request("POST", "/auth/logout", content=body, headers=form)
    assert answer.status_code == 400 or led_to(answer) == "/auth/logout"


@pytest.mark.parametrize(
    "next",
    [
        "/",
        "/a",
        "/a?b=c&d=%2F",
        "/a/?q=http://x//y#f",
        "/%C3%BC",
        "/a%20b",
        "/a%2Fb",
        "/a//b",
        "/explore?left=" + "x" * 8000,
        "/explore?" + "/&=" * 2700,  # three times as long in the form
    ],
)
async def test_a_next_of_ours_is_kept_to_the_letter(next: str) -> None:
    assert await lands(make_site(), next, where="form") == next


async def test_a_next_in_a_later_request_is_not_taken() -> None:
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com", next="/asked-for")
    form = {"code": str(site.mail().code), "next": "/planted"}
    done = await jo.post("/auth/verify?next=/planted", form)
    assert led_to(done) == "/asked-for"


async def test_a_next_is_taken_from_no_header_or_link() -> None:
    site = make_site()
    jo = site.browser(headers={"referer": f"{BASE}/planted"})
    await jo.ask("jo@example.com", next="/asked-for")
    await jo.get(str(site.mail().link) + "&next=/planted")
    done = await jo.press_link(site.mail().link)
    assert led_to(done) == "/asked-for"


# --- the gate (security rule 9) ------------------------------------------------------------------


async def test_everything_is_denied_by_default() -> None:
    site = make_site()
    visitor = site.browser()
    for path in ("/", "/x", "/favicon.ico", "/robots.txt", "/authx", "/Auth/login", "/docs"):
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE", "FOO"):
            assert (await visitor.request(method, path)).status_code == 401
    assert site.inner.scopes == []


TRICKS = [
    "/public/../private", "/public/./x", "/public//x", "//public/x", "/public/x/..", "/public/\\x",
    "/public\\x", "/public/x\n", "/public/\t", "/public/\x00", "/public/x\x7f", "/public/..",
    "/public/x/../../private", "/public", "/publicx", "/PUBLIC/x", "/public/x\r\n", "/a\n", "/a/",
    "/a/.", "/a//", "/ä", "", "/.", "/public/..;/x", "/public/.;a=b/x", "/public/..;",
]  # fmt: skip


@pytest.mark.parametrize("path", TRICKS)
async def test_a_path_that_two_readers_take_for_two_is_never_public(path: str) -> None:
    site = make_site(public=["/public/*", "/a"])
    for scope in (http_scope(path), http_scope(path, raw_path=None)):
        sent = await run(site.app, scope)
        assert sent[0]["status"] == 401
    sent = await run(site.app, socket_scope(path))
    assert sent == [{"type": "websocket.close", "code": 4401, "reason": "UNAUTHENTICATED"}]
    assert site.inner.scopes == []


@pytest.mark.parametrize(
    "raw",
    [
        b"/public/%2e%2e/private",
        b"/public/..%2fprivate",
        b"/public%2fx",
        b"/public/%5cx",
        b"/public/%252e%252e/x",
        b"/public/x%0a",
        b"/public/x%00",
        b"/public/x%7F",
        b"/public/%2E/x",
        b"/public/x%0d%0a",
        b"/public/%c0%ae%c0%ae/private",
        b"/public/..%C1%9Cprivate",
        b"/public/%e0%80%af",
        b"/public/%F0%80%80%AE%2",
    ],
)
async def test_a_raw_path_with_encoded_tricks_is_never_public(raw: bytes) -> None:
    """Some routers read `raw_path`, some decode twice."""
    site = make_site(public=["/public/*"])
    sent = await run(site.app, http_scope("/public/x", raw_path=raw))
    assert sent[0]["status"] == 401
    assert site.inner.scopes == []


@pytest.mark.parametrize("path", ["/public/x", "/public/x/y", "/public/", "/a", "/public/ü%20"])
async def test_what_is_public_is_open_and_anonymous(path: str) -> None:
    site = make_site(public=["/public/*", "/a"])
    sent = await run(site.app, http_scope(path, raw_path=b"/public/x?q=%2e%2e"))
    assert sent[0]["status"] == 200
    assert site.inner.scope["state"]["user"].is_authenticated is False


async def test_a_newline_behind_a_public_path_or_a_route_of_ours_matches_nothing() -> None:
    """A `$` in a regex lets `%0a` through; Starlette's routes do."""
    site = make_site(public=["/a"])
    assert (await run(site.app, http_scope("/a\n")))[0]["status"] == 401
    for path in ("/auth/login\n", "/auth/static/x\n", "/auth/health\n", "/auth\n/login"):
        assert (await run(site.app, http_scope(path)))[0]["status"] in (401, 404)


@pytest.mark.parametrize("root", ["", "/app"])
@pytest.mark.parametrize("has_root_in_path", [True, False])
async def test_the_gate_decides_below_the_root_path_and_at_a_slash(
    root: str, has_root_in_path: bool
) -> None:
    site = make_site(public=["/open"])
    front = root if has_root_in_path else ""
    for path, status in ((f"{front}/open", 200), (f"{front}/openx", 401), ("/appx/open", 401)):
        sent = await run(site.app, http_scope(path, root_path=root))
        assert sent[0]["status"] == status, path


@pytest.mark.parametrize(
    "forged", ["x-original-url", "x-rewrite-url", "x-forwarded-prefix", "host"]
)
async def test_the_gate_decides_on_the_path_and_not_on_a_header(forged: str) -> None:
    site = make_site(public=["/open"])
    answer = await site.browser(headers={forged: "/open"}).get("/private")
    assert answer.status_code == 401


async def test_an_absolute_url_in_the_host_header_does_not_move_the_path() -> None:
    """`request.url` is built from `Host`: deciding on it was a hole elsewhere."""
    site = make_site(public=["/open"])
    headers = [(b"host", b"app.example.com/open?")]
    assert (await run(site.app, http_scope("/private", headers=headers)))[0]["status"] == 401


async def test_unknown_scope_types_are_refused_unless_all_is_public() -> None:
    site = make_site()
    with pytest.raises(ValueError, match="webtransport"):
        await run(site.app, {"type": "webtransport", "path": "/"})
    assert site.inner.scopes == []
    seen: list[Any] = []

    async def app(scope: object, receive: object, send: object) -> None:
        seen.append(scope)

    scope = {"type": "webtransport", "path": "/", "user": "root", "state": {"user": "root"}}
    await run(make_site(app, public=["*"]).app, scope)
    assert (seen[0]["type"], seen[0]["path"]) == ("webtransport", "/")
    assert not seen[0]["user"].is_authenticated
    assert not seen[0]["state"]["user"].is_authenticated


# --- sockets -------------------------------------------------------------------------------------

REFUSED = [{"type": "websocket.close", "code": 4401, "reason": "UNAUTHENTICATED"}]


async def test_a_socket_without_a_login_is_refused_before_accept() -> None:
    site = make_site()
    assert await run(site.app, socket_scope()) == REFUSED
    extended = socket_scope(extensions={"websocket.http.response": {}})
    sent = await run(site.app, extended)
    assert [message["type"] for message in sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert sent[0]["status"] == 401
    assert site.inner.scopes == []


async def test_a_socket_opened_by_a_foreign_page_has_no_user() -> None:
    """Cross-site websocket hijacking: the browser sends the cookie, and another site's Origin."""
    site = make_site(allowed_origins=["https://www.example.com"])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    cookie = cookie_header(jo)
    for origin in (b"https://evil.example", b"null", b"http://app.example.com"):
        assert await run(site.app, socket_scope(headers=[*cookie, (b"origin", origin)])) == REFUSED
    two = [(b"origin", BASE.encode()), (b"origin", b"https://evil.example")]
    assert await run(site.app, socket_scope(headers=[*cookie, *two])) == REFUSED
    for fine in ([], [(b"origin", BASE.encode())], [(b"origin", b"https://www.example.com")]):
        sent = await run(site.app, socket_scope(headers=[*cookie, *fine]))
        assert sent[1] == {"type": "websocket.send", "text": "jo@example.com"}


async def test_a_foreign_page_on_a_public_socket_is_anonymous() -> None:
    site = make_site(public=["/open"])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    foreign = [*cookie_header(jo), (b"origin", b"https://evil.example")]
    sent = await run(site.app, socket_scope("/open", headers=foreign))
    assert sent[1]["text"] == "nobody"


async def test_our_own_paths_take_no_socket() -> None:
    site = make_site(public=["*"])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    scope = socket_scope("/auth/login", headers=cookie_header(jo))
    assert await run(site.app, scope) == REFUSED


# --- who is told how -----------------------------------------------------------------------------


async def test_a_person_comes_back_to_the_page_with_its_query() -> None:
    site = make_site(roomy=True)
    jo = site.browser(headers={"accept": "text/html"})
    long = "/explore?left=" + "%7B%22a%22:1%7D" * 200
    for url in ("/a%20b?x=%2F&y=1", "/100%25", "/%C3%BC", "/a%2520b", "/a:b@c", "/a%2Fb//c", long):
        denied = await jo.get(url)
        assert denied.status_code == 303
        login = await jo.get(led_to(denied))
        assert len(denied.headers["location"]) < 3 * len(url) + 100
        assert login.status_code == 200
        import html
        import re

        found = re.search(r'name="next" value="([^"]*)"', login.text)
        assert found is not None, url
        await jo.ask("jo@example.com", next=html.unescape(found[1]))
        done = await jo.type_code(site.mail().code)
        assert led_to(done) == url
        jo = site.browser(headers={"accept": "text/html"})
        site.clock.advance(60)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"accept": "text/html", "sec-fetch-mode": "navigate"}, 303),
        ({"accept": "text/html"}, 303),
        ({"accept": "text/html", "sec-fetch-mode": "cors"}, 401),
        ({"accept": "text/html", "hx-request": "true"}, 401),
        ({"accept": "text/html", "x-requested-with": "XMLHttpRequest"}, 401),
        ({"accept": "application/json"}, 401),
        ({"accept": "text/event-stream"}, 401),
        ({}, 401),
    ],
)
async def test_people_go_to_the_login_and_programs_get_401(
    headers: dict[str, str], status: int
) -> None:
    answer = await make_site().browser(headers=headers).get("/private")
    assert answer.status_code == status
    assert "Cookie" in answer.headers["vary"]
    assert answer.headers["cache-control"] == "no-store"
    if status == 401:
        assert error_code(answer) == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "current",
    [
        "http://[",
        "https://app.example.com/x",
        "//[::1",
        "javascript:x",
        "\x00",
        "é",
        "http://[::1]a",
    ],
)
async def test_no_header_of_htmx_makes_the_gate_fail_or_leads_elsewhere(current: str) -> None:
    headers = [(b"hx-request", b"true"), (b"hx-current-url", current.encode())]
    sent = await run(make_site().app, http_scope(headers=headers))
    assert sent[0]["status"] == 401
    target = dict(sent[0]["headers"])[b"hx-redirect"]
    assert target.startswith(b"/auth/login")


async def test_a_preflight_that_is_refused_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """A `CORSMiddleware` behind the login is never asked, and the browser tells nobody why."""
    browser = make_site().browser()
    real = {"origin": "https://x.example", "access-control-request-method": "GET"}
    await browser.request("OPTIONS", "/x", headers={"origin": "https://x.example"})
    assert caplog.messages == []
    for path in ("/x", "/y"):
        await browser.request("OPTIONS", path, headers=real)
    [told] = caplog.messages
    assert "put CORSMiddleware outside" in told


async def test_a_preflight_passes_only_where_that_is_set_and_it_is_a_real_one() -> None:
    real = {"origin": "https://x.example", "access-control-request-method": "GET"}
    assert (await make_site().browser().request("OPTIONS", "/x", headers=real)).status_code == 401
    site = make_site(preflight=True)
    assert (await site.browser().request("OPTIONS", "/x", headers=real)).status_code == 200
    assert site.inner.scope["state"]["user"].is_authenticated is False
    for missing in real:
        headers = {key: value for key, value in real.items() if key != missing}
        headers.setdefault("origin", "")
        answer = await site.browser().request("OPTIONS", "/x", headers=headers)
        assert answer.status_code == 401
    assert (await site.browser().request("GET", "/x", headers=real)).status_code == 401
    assert await run(site.app, socket_scope(headers=[(b"origin", b"x")])) == REFUSED
