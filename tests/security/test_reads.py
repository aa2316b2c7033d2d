"""GET and HEAD change nothing, whoever sends them and however often (security rule 5)."""

from __future__ import annotations

import pytest

from pwless_middleware import EmailLogin
from tests.support import Site, led_to, make_site, our_paths, said, token_of

pytestmark = pytest.mark.anyio


def reading_paths(site: Site) -> list[str]:
    paths = our_paths(site.passwordless)
    return [*(path for path, route in paths.items() if "GET" in route.methods), "/nothing"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("has_flow", [True, False])
async def test_a_scanner_that_opens_every_page_changes_nothing(method: str, has_flow: bool) -> None:
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com")
    mail = site.mail()
    visitor = jo if has_flow else site.browser(ip="198.51.100.50")
    cookies = dict(visitor.cookies)
    before = site.snapshot()
    for path in reading_paths(site):
        for query in (f"?link_token={token_of(mail.link)}&code={mail.code}", ""):
            answer = await visitor.request(method, f"/auth{path}{query}")
            assert answer.status_code < 500
            assert "set-cookie" not in answer.headers, path
    assert site.snapshot() == before
    assert visitor.cookies == cookies
    assert len(site.outbox.messages) == 1
    assert (await jo.type_code(mail.code)).status_code == 303


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_opening_pages_ends_no_session(method: str) -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    before = site.snapshot()
    for path in reading_paths(site):
        await jo.request(method, f"/auth{path}?all=1&others=1&next=/")
    assert site.snapshot() == before
    assert await jo.who() == "jo@example.com"


async def test_head_is_like_get_without_a_body() -> None:
    site = make_site()
    jo = site.browser()
    for path in ("/auth/login", "/auth/verify", "/auth/link", "/auth/health", "/auth/nothing"):
        get, head = await jo.get(path), await jo.request("HEAD", path)
        assert head.status_code == get.status_code
        assert head.content == b""
        assert head.headers == get.headers


async def test_a_mail_scanner_that_presses_the_button_signs_nobody_in() -> None:
    """It runs scripts and posts forms; what it lacks is the flow cookie (better-auth #9690)."""
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com")
    scanner = site.browser(ip="198.51.100.50")
    page = await scanner.get(str(site.mail().link))
    assert page.status_code == 200
    assert token_of(site.mail().link) not in page.text
    # The page's one button grants limits of its own, and leads to the login.
    pressed = await scanner.post(str(site.mail().link), {"here": "1"})
    assert (pressed.status_code, led_to(pressed)) == (303, "/auth/login")
    assert await scanner.who() is None
    answer = await scanner.press_link(site.mail().link)
    assert answer.status_code == 403
    assert "Opening it here has not used it up" in said(answer)
    assert site.sessions == 0
    assert (await jo.press_link(site.mail().link)).status_code == 303


async def test_a_stranger_does_not_learn_whether_a_link_still_lives() -> None:
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com")
    link = str(site.mail().link)
    stranger = site.browser(ip="198.51.100.50")
    fresh = await stranger.get(link)
    await jo.press_link(link)
    used = await stranger.get(link)
    assert (fresh.status_code, fresh.text) == (used.status_code, used.text)
    pressed = await stranger.press_link(link)
    assert pressed.status_code == 403


async def test_without_same_browser_the_page_shows_a_button_and_still_spends_nothing() -> None:
    site = make_site(features=[EmailLogin(same_browser=False)])
    await site.browser().ask("jo@example.com")
    link = str(site.mail().link)
    other = site.browser(ip="198.51.100.50")
    before = site.snapshot()
    page = await other.get(link)
    assert "<form" in page.text
    assert "data-auto-submit" not in page.text, "a script in a scanner would press it"
    assert site.snapshot() == before
    assert (await other.press_link(link)).status_code == 303
    assert await other.who() == "jo@example.com"


async def test_only_the_browser_that_asked_gets_the_page_that_submits_itself() -> None:
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com")
    assert "data-auto-submit" in (await jo.get(str(site.mail().link))).text
    stranger = await site.browser().get(str(site.mail().link))
    assert "data-auto-submit" not in stranger.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_the_three_calls_take_post_alone(method: str) -> None:
    site = make_site()
    before = site.snapshot()
    for verb in ("send", "resend", "verify"):
        answer = await site.backend().browser.request(
            method, f"/auth/api/v1/passwordless/email/{verb}", json={"email": "jo@example.com"}
        )
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert site.snapshot() == before
