"""What people and programs are told at the gate; the attacks are in tests/security/test_paths."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pwless_middleware import Brand
from pwless_middleware.errors import StoreError
from pwless_middleware.stores.memory import MemoryStore
from tests.support import (
    BASE,
    Slow,
    cookie_header,
    error_code,
    http_scope,
    led_to,
    make_site,
    run,
    said,
)

pytestmark = pytest.mark.anyio
PERSON = {"accept": "text/html,*/*;q=0.8", "sec-fetch-mode": "navigate"}


async def test_a_form_posted_after_the_session_ran_out_is_not_silently_lost() -> None:
    site = make_site()
    answer = await site.browser(headers=PERSON).post("/orders", {"item": "1"})
    assert answer.status_code == 401
    assert "not lost" in said(answer)
    assert 'href="/auth/login"' in answer.text
    assert "Cookie" in answer.headers["vary"]
    program = await site.browser(headers={"accept": "application/json"}).post("/orders", {})
    assert error_code(program) == "UNAUTHENTICATED"


async def test_a_store_that_is_down_is_told_to_people_with_a_page_and_to_programs_in_json() -> None:
    store: Any = Slow(MemoryStore())
    site = make_site(store=store)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    site.forget_sessions()

    async def fail() -> None:
        raise StoreError("no connection")

    store.before["read"] = fail
    page = await site.browser(cookies=jo.cookies, headers=PERSON).get("/x")
    assert (page.status_code, page.headers["retry-after"]) == (503, "2")
    assert "not available right now" in said(page).lower()
    program = await jo.get("/x")
    assert error_code(program) == "STORE_UNAVAILABLE"


async def test_an_htmx_request_is_sent_to_the_login_of_its_page() -> None:
    headers = {"hx-request": "true", "hx-current-url": "https://app.example.com/a/b?c=d#e"}
    answer = await make_site().browser(headers=headers).get("/fragment")
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/auth/login?next=%2Fa%2Fb%3Fc%3Dd"
    assert answer.json()["details"][0]["login_url"] == answer.headers["hx-redirect"]
    bare = await make_site().browser(headers={"hx-request": "true"}).get("/fragment")
    assert bare.headers["hx-redirect"] == "/auth/login"


@pytest.mark.parametrize(
    ("path", "raw", "root", "shown"),
    [
        ("/app/a b", b"/app/a%20b", "/app", "%2Fapp%2Fa%2520b"),
        ("/a b", b"/a%20b", "/app", "%2Fapp%2Fa%2520b"),
        ("/a b", None, "", "%2Fa%2520b"),
        ("/ü", b"", "", "%2F%25C3%25BC"),
        ("/x", b"/something/else", "", "%2Fx"),
    ],
)
async def test_a_person_comes_back_to_what_the_browser_showed(
    path: str, raw: bytes | None, root: str, shown: str
) -> None:
    scope = http_scope(path, raw_path=raw, root_path=root, headers=[(b"accept", b"text/html")])
    headers = dict((await run(make_site().app, scope))[0]["headers"])
    assert headers[b"location"] == f"{BASE}{root}/auth/login?next={shown}".encode()


async def test_a_client_without_an_address_and_one_without_a_header_are_clients_too() -> None:
    for options in ({}, {"trusted_proxies": 1}, {"trusted_proxies": ["10.0.0.0/8"]}):
        site = make_site(**options)
        for client in (None, ("", 0), ("testclient", 1), ("10.0.0.1", 1)):
            headers = [
                (b"origin", b"https://app.example.com"),
                (b"content-type", b"application/x-www-form-urlencoded"),
            ]
            scope = http_scope("/auth/login", method="POST", headers=headers, client=client)
            body = f"email=jo{client and len(client[0])}@example.com".encode()
            sent = await run(
                site.app, scope, [{"type": "http.request", "body": body, "more_body": False}]
            )
            assert sent[0]["status"] == 303, (options, client)


async def test_a_unix_socket_behind_a_trusted_proxy_is_told_apart_by_what_the_proxy_says() -> None:
    site = make_site(trusted_proxies=["10.0.0.0/8"])
    statuses = []
    for n in range(25):
        for forwarded, mapped in (("198.51.100.7, 10.0.0.2", "::ffff:10.0.0.1"), ("bad", None)):
            client = (mapped, 1) if mapped else ("10.0.0.9", 1)
            headers = [
                (b"origin", b"https://app.example.com"),
                (b"content-type", b"application/x-www-form-urlencoded"),
                (b"x-forwarded-for", forwarded.encode()),
            ]
            scope = http_scope("/auth/login", method="POST", headers=headers, client=client)
            body = f"email=jo{n}{'a' if mapped else 'b'}@example.com".encode()
            sent = await run(
                site.app, scope, [{"type": "http.request", "body": body, "more_body": False}]
            )
            statuses.append(sent[0]["status"])
    assert statuses == [303] * 40 + [429] * 10


async def test_a_page_that_names_a_request_of_nobody_is_told_that_it_has_expired() -> None:
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com")
    for request_id in ("forged", "x" * 70):
        form = {"request_id": request_id, "code": str(site.mail().code)}
        assert (await jo.post("/auth/verify", form)).status_code == 410
    nobody = site.browser()
    assert (await nobody.post("/auth/resend", {})).status_code == 410
    assert (await jo.type_code(site.mail().code)).status_code == 303


async def test_static_files_are_kept_for_ever_and_nothing_else_stands_there() -> None:
    site = make_site()
    jo = site.browser()
    page = (await jo.get("/auth/login")).text
    paths = re.findall(r'(?:href|src)="(/auth/static/[^"]+)"', page)
    assert len(paths) >= 3
    for path in paths:
        answer = await jo.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    for path in (
        "/auth/static/",
        "/auth/static/x.css",
        "/auth/static/../login",
        "/auth/static/a/b",
    ):
        assert (await run(site.app, http_scope(path)))[0]["status"] == 404
    assert cookie_header(jo) == [(b"cookie", b"")]


async def test_a_page_of_the_version_before_finds_its_files_during_a_deployment() -> None:
    """Both ways; kept for a minute only, since the address promises another content."""
    old, new = (make_site(brand=Brand("Acme", color=c)).browser() for c in ("#b3261e", "#1e6bb3"))
    for page, other in ((old, new), (new, old)):
        html = (await page.get("/auth/login")).text
        [sheet] = re.findall(r'"(/auth/static/brand\.[^"]+)"', html)
        answer = await other.get(sheet)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=60"
        assert answer.headers["content-type"] == "text/css; charset=utf-8"
        assert answer.text != (await page.get(sheet)).text


async def test_a_form_of_a_frame_whose_session_is_over_is_answered_in_the_frame() -> None:
    visitor = make_site().browser(headers={"accept": "text/html"})
    answer = await visitor.post("/private", {"a": "b"})
    assert answer.status_code == 401
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    asked = await visitor.ask("jo@example.com")
    verify = await visitor.get(led_to(asked))
    assert verify.headers["x-frame-options"] == "SAMEORIGIN"


# --- libraries that fetch pages ------------------------------------------------------------------

PAGE = {"referer": "https://app.example.com/board?x=1", "sec-fetch-mode": "cors"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_inertia_loads_the_login_as_a_page_of_its_own(method: str) -> None:
    """Its protocol, "External redirects": 409 with `X-Inertia-Location`, for any method."""
    headers = {"x-inertia": "true", "x-requested-with": "XMLHttpRequest", **PAGE}
    visitor = make_site().browser(headers={"accept": "text/html, application/xhtml+xml", **headers})
    answer = await visitor.request(method, "/orders/5?tab=a")
    assert answer.status_code == 409
    place = "%2Forders%2F5%3Ftab%3Da" if method == "GET" else "%2Fboard%3Fx%3D1"
    assert answer.headers["x-inertia-location"] == f"{BASE}/auth/login?next={place}"
    assert error_code(answer) == "UNAUTHENTICATED"
    assert "Cookie" in answer.headers["vary"]


async def test_a_turbo_frame_breaks_out_to_the_page_that_leads_to_the_login() -> None:
    """Turbo shows a frame's answer as a page where `turbo-visit-control` says `reload`."""
    turbo = {"accept": "text/html, application/xhtml+xml", "turbo-frame": "orders", **PAGE}
    answer = await make_site().browser(headers=turbo).get("/orders/frame")
    assert answer.status_code == 401
    assert '<meta name="turbo-visit-control" content="reload">' in answer.text
    assert 'href="/auth/login?next=%2Fboard%3Fx%3D1" data-turbo="false"' in answer.text
    assert "not saved" not in said(answer)


async def test_a_form_that_turbo_sends_is_not_silently_lost() -> None:
    turbo = {"accept": "text/vnd.turbo-stream.html, text/html, application/xhtml+xml", **PAGE}
    answer = await make_site().browser(headers=turbo).post("/orders", {"item": "1"})
    assert answer.status_code == 401
    assert "not saved" in said(answer)
    assert "turbo-visit-control" not in answer.text


async def test_a_page_visit_of_turbo_gets_no_html_and_so_loads_the_page() -> None:
    turbo = {"accept": "text/html, application/xhtml+xml", "x-turbo-request-id": "1", **PAGE}
    answer = await make_site().browser(headers=turbo).get("/orders")
    assert error_code(answer) == "UNAUTHENTICATED"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_unpoly_shows_the_way_to_the_login(method: str) -> None:
    unpoly = {"accept": "*/*", "x-up-version": "3.8.0", "x-up-target": "main", **PAGE}
    answer = await make_site().browser(headers=unpoly).request(method, "/orders")
    assert answer.status_code == 401
    assert "<main" in answer.text, "what Unpoly renders of a failed answer by default"
    assert 'href="/auth/login?next=%2Fboard%3Fx%3D1"' in answer.text


@pytest.mark.parametrize("referer", ["http://[", "//evil.example/x", "javascript:x", ""])
async def test_no_referrer_makes_the_gate_fail_or_leads_elsewhere(referer: str) -> None:
    for name in ("x-inertia", "turbo-frame"):
        headers = {name: "x", "referer": referer, "sec-fetch-mode": "cors"}
        answer = await make_site().browser(headers=headers).post("/orders", {})
        assert answer.status_code in (401, 409)
        assert "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(
    ("name", "status"),
    [("turbo-frame", 401), ("x-turbo-request-id", 401), ("x-up-version", 401), ("x-inertia", 409),
     ("hx-request", 401), ("x-requested-with", 401)],
)  # fmt: skip
async def test_libraries_are_known_without_fetch_metadata(name: str, status: int) -> None:
    """Over plain http and in older browsers: there a redirect landed in the frame."""
    answer = await make_site().browser(headers={"accept": "text/html", name: "1"}).get("/orders")
    assert answer.status_code == status


async def test_a_page_load_is_one_whatever_header_of_a_library_it_brings() -> None:
    for name in ("x-inertia", "turbo-frame", "x-up-version"):
        answer = await make_site().browser(headers={**PERSON, name: "x"}).get("/orders")
        assert led_to(answer) == "/auth/login?next=%2Forders"
