"""The menu of languages on the pages before a login."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest

from pwless_middleware.languages import languages
from tests.features.dashboard.operators import make_dashboard
from tests.own_account import ADDRESS, PROFILE, make_kept_site, signed_in
from tests.support import Site, led_to, make_site, token_of, wrong

pytestmark = pytest.mark.anyio

EMAIL = "jo@example.com"
LANGUAGE = "/auth/language"


@pytest.fixture
def site() -> Site:
    return make_site(languages=["en", "de"], roomy=True)


def back_of(html: str) -> str | None:
    """Return where the menu of a page comes back to; `None` where there is no menu."""
    form = r'action="/auth/language">\s*<input type="hidden" name="next" value="([^"]*)"'
    found = re.search(form, html)
    return found[1].replace("&amp;", "&") if found else None


async def test_who_chooses_a_language_is_on_the_same_page_in_it(site: Site) -> None:
    browser = site.browser()
    url = "/auth/login?" + f"next={quote('/a?b=c', safe='')}&organization=acme"
    page = await browser.get(url)
    assert '<button name="language" value="en" aria-current="true">' in page.text
    back = back_of(page.text)
    done = await browser.post(LANGUAGE, {"language": "de", "next": back or ""})
    assert led_to(done) == url
    assert browser.cookies["pwless-language"] == "de"
    page = await browser.get(led_to(done))
    assert page.headers["content-language"] == "de"
    assert 'value="de" aria-current="true"' in page.text


async def test_pages_on_the_way_in_have_the_menu(site: Site) -> None:
    browser = site.browser()
    refused = await browser.post("/auth/login", {"email": "no address", "next": "/a?b"})
    assert back_of(refused.text) == "/auth/login?next=%2Fa%3Fb"
    await browser.ask(EMAIL)
    assert back_of((await browser.get("/auth/verify")).text) == "/auth/verify"
    again = await browser.post("/auth/verify", {"code": wrong(site.mail().code)})
    assert back_of(again.text) == "/auth/verify"
    assert back_of((await browser.get("/auth/nothing-here/login")).text) is None
    assert back_of((await browser.get("/auth/sso")).text) is None


async def test_a_page_that_hides_the_token_has_no_copy_of_it_in_the_menu(site: Site) -> None:
    await site.browser().ask(EMAIL)
    link = site.mail().link or ""
    page = await site.browser().get(link)
    assert "Go back to where you started" in page.text
    assert token_of(link) not in page.text
    assert back_of(page.text) is None


async def test_pages_that_only_a_form_leads_to_have_no_menu(site: Site) -> None:
    """Nobody could come back to them."""
    browser = site.browser()
    for path in ("/auth/resend", "/auth/link"):
        answer = await browser.post(path, {"link_token": "x"})
        assert answer.status_code == 410
        assert back_of(answer.text) is None
    await browser.ask(EMAIL)
    answers = [await browser.post("/auth/resend", {}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [303, 303, 303, 429]
    assert back_of(answers[-1].text) is None, "GET /auth/resend is answered 405"


async def test_who_is_signed_in_has_the_profile_for_it(tmp_path: Path) -> None:
    jo = await signed_in(make_kept_site(tmp_path))
    for path in (PROFILE, "/auth/login", ADDRESS):
        assert back_of((await jo.get(path)).text) is None


async def test_where_there_is_one_language_there_is_no_menu() -> None:
    page = await make_site(languages=["de"]).browser().get("/auth/login")
    assert back_of(page.text) is None
    assert "languages" not in page.text


@pytest.mark.parametrize(
    "next",
    [
        *("https://evil.example/", "//evil.example", "/\\evil.example", "/auth//evil.example/%2e"),
        *("/app", "/authority", "auth/login", "javascript:alert(1)", "", "/auth/../app"),
    ],
)
async def test_the_choice_leads_to_none_but_our_own_pages(site: Site, next: str) -> None:
    done = await site.browser().post(LANGUAGE, {"language": "de", "next": next})
    assert led_to(done) == "/auth/login"


@pytest.mark.parametrize("language", ["", "fr", "DE", "de; Domain=example.com", "../de"])
async def test_what_is_not_offered_changes_nothing(site: Site, language: str) -> None:
    done = await site.browser().post(LANGUAGE, {"language": language, "next": "/auth/verify"})
    assert led_to(done) == "/auth/verify"
    assert "set-cookie" not in done.headers


async def test_another_site_changes_nobodys_language(site: Site) -> None:
    evil = {"origin": "https://evil.example"}
    answer = await site.browser().post(LANGUAGE, {"language": "de", "next": ""}, headers=evil)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert (await site.browser().get(LANGUAGE + "?language=de")).status_code == 405


async def test_administrators_read_a_language_that_has_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever they have chosen: no page is half in one language and half in another."""
    monkeypatch.setattr(languages, "DASHBOARD", ("en",))
    site, ops = await make_dashboard(tmp_path, languages=["de", "en"])
    ops.headers = {"accept-language": "de"}
    for _ in range(2):
        page = await ops.get("/auth/dashboard/people")
        assert page.headers["content-language"] == "en"
        assert '<html lang="en"' in page.text
        assert (await ops.get("/auth/account/profile")).headers["content-language"] == "de"
        await ops.post("/auth/account/profile", {"name": "", "language": "de"})
    answer = await site.browser(headers={"accept-language": "de"}).get("/auth/api/v1/users")
    assert answer.json()["message"] == "Send an API key."
