"""The login page: what it offers, who is signed in already, and browsers that keep no cookies."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware import ConfigError, EmailLogin, Kit, Mounted, User
from pwless_middleware.web.parts.offers import LoginMethod
from pwless_middleware.web.parts.parts import Form, Part
from tests.security.factor import Policy
from tests.support import Browser, led_to, make_site, said

pytestmark = pytest.mark.anyio

FROM_US = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin"}


def links(page: httpx.Response) -> dict[str, str]:
    """Return the links of a page's card by their text."""
    card = page.text.partition("<main")[2]
    found = re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>([^<]*)</a>', card)
    return {text: html.unescape(href) for href, text in found}


# --- signed in already ---------------------------------------------------------------------------


async def test_who_is_signed_in_is_told_so_and_goes_on() -> None:
    jo = make_site().browser()
    await jo.sign_in("jo@example.com")
    page = await jo.get("/auth/login?next=/report/5%3Fa%3Db%26c")
    assert page.status_code == 200
    assert "signed in to app.example.com as jo@example.com" in said(page)
    assert links(page)["Continue"] == "/report/5?a=b&c"
    for path in ("/auth/login", "/auth/login?next=//evil.example", "/auth/login?check=1"):
        assert links(await jo.get(path))["Continue"] == "/"


async def test_who_is_signed_in_may_use_another_account_and_keeps_the_way() -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    form = await jo.get("/auth/login?next=/report/5%3Fa%3Db%26c")
    assert "Use another account?" in said(form)
    assert 'type="email"' in form.text
    assert 'name="next" value="/report/5?a=b&amp;c"' in form.text
    assert await jo.who() == "jo@example.com", "nobody is signed out by looking"
    await jo.ask("kim@example.com", next="/report/5")
    done = await jo.type_code(site.mail().code)
    assert led_to(done) == "/report/5"
    assert await jo.who() == "kim@example.com"


async def test_another_account_keeps_the_place_that_is_asked_for_now() -> None:
    jo = make_site().browser()
    await jo.ask("jo@example.com", next="/before")
    form = await jo.get("/auth/login?another&next=/now")
    assert 'name="next" value="/now"' in form.text
    assert 'value="jo@example.com"' in form.text


async def test_a_form_that_was_open_in_a_second_tab_still_works() -> None:
    site = make_site(roomy=True)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    assert (await jo.ask("jo@example.com", next="/second")).status_code == 303
    assert led_to(await jo.type_code(site.mail().code)) == "/second"


async def test_a_rule_may_lead_who_uses_another_account_to_another_origin() -> None:
    """Chromium holds `form-action` against every redirect after a post."""
    policy = "content-security-policy"
    for features, is_held in (([EmailLogin()], True), ([EmailLogin(), Policy()], False)):
        jo = make_site(features=features).browser()
        await jo.sign_in("jo@example.com")
        page = await jo.get("/auth/login")
        assert ("form-action 'self'" in page.headers[policy]) is is_held


async def test_a_session_that_is_over_leads_to_the_form() -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    copy = site.browser(cookies=jo.cookies)
    await jo.post("/auth/logout", {})
    assert "signed in" not in said(await copy.get("/auth/login"))


async def test_a_user_who_is_gone_is_not_signed_in_and_a_new_address_is_shown() -> None:
    class Table:
        user: User | None = User(id="1", email="jo@example.com")

        async def find(self, email: str) -> User | None:
            return self.user

        async def create(self, email: str) -> User | None:
            return self.user

        async def load(self, user_id: str) -> User | None:
            return self.user

    table = Table()
    jo = make_site(users=table).browser()
    await jo.sign_in("jo@example.com")
    table.user = User(id="1", email="joanna@example.com")
    assert "as joanna@example.com" in said(await jo.get("/auth/login"))
    table.user = None
    assert "signed in" not in said(await jo.get("/auth/login"))


# --- no cookies ----------------------------------------------------------------------------------


async def forgetful(browser: Browser, answer: httpx.Response) -> httpx.Response:
    """Follow redirects as a browser that keeps no cookie."""
    for _ in range(5):
        browser.cookies.clear()
        if answer.status_code != 303:
            break
        answer = await browser.get(answer.headers["location"], headers=FROM_US)
    return answer


async def press(browser: Browser, page: httpx.Response) -> httpx.Response:
    """Send the one form of a page."""
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    action = re.search(r'<form[^>]* action="([^"]*)"', page.text)
    assert action is not None
    return await browser.post(action[1], fields, headers=FROM_US | {"origin": browser.origin})


async def test_a_browser_that_keeps_no_cookies_is_told_so_and_gets_no_second_mail() -> None:
    site = make_site()
    jo = site.browser()
    page = await forgetful(jo, await jo.ask("jo@example.com"))
    for _ in range(3):
        assert page.status_code == 400
        assert "Your browser keeps no cookies" in said(page)
        assert "Allow cookies for app.example.com" in said(page)
        page = await forgetful(jo, await press(jo, page))
    assert len(site.outbox.messages) == 1


async def test_once_cookies_are_allowed_the_login_goes_on() -> None:
    site = make_site()
    jo = site.browser()
    page = await forgetful(jo, await jo.ask("jo@example.com"))
    again = await press(jo, page)
    form = await jo.get(again.headers["location"], headers=FROM_US)
    assert form.status_code == 200
    assert 'type="email"' in form.text
    assert (await jo.ask("jo@example.com")).status_code == 303
    assert (await jo.type_code(site.mail().code)).status_code == 303
    assert await jo.who() == "jo@example.com"


async def test_the_look_for_cookies_keeps_the_way_and_what_the_browser_holds() -> None:
    jo = make_site().browser()
    await jo.ask("jo@example.com")
    held = dict(jo.cookies)
    answer = await jo.post("/auth/login", {"check": "1", "next": "/a?b=c"})
    assert led_to(answer) == "/auth/login?check=1&next=%2Fa%3Fb%3Dc"
    assert jo.cookies == held
    stranger = make_site().browser()
    answer = await stranger.get("/auth/login?check=1&next=/a", headers=FROM_US)
    assert 'name="next" value="/a"' in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        FROM_US | {"sec-fetch-site": "none"},
        FROM_US | {"sec-fetch-site": "cross-site"},
        FROM_US | {"sec-fetch-mode": "cors"},
    ],
)
async def test_the_code_page_of_who_did_not_come_from_the_form_says_nothing_of_cookies(
    headers: dict[str, str],
) -> None:
    answer = await make_site().browser().get("/auth/verify", headers=headers)
    assert led_to(answer) == "/auth/login"


async def test_an_older_browser_that_keeps_no_cookies_is_told_so_too() -> None:
    answer = await make_site().browser().get("/auth/verify", headers={"accept": "text/html"})
    assert "keeps no cookies" in said(answer)


async def test_a_link_in_a_browser_without_cookies_says_what_may_be_wrong() -> None:
    site = make_site()
    jo = site.browser()
    await jo.ask("jo@example.com")
    link = str(site.mail().link)
    assert "keeps no cookies" in said(await site.browser().get(link))
    other = site.browser()
    await other.ask("kim@example.com")
    assert "keeps no cookies" not in said(await other.get(link))


# --- what other features offer -------------------------------------------------------------------


class Word:
    """Offer a login method whose form asks for a word: a template of the host's own folder."""

    def __init__(self, name: str = "word", *, order: int = 100) -> None:
        self.name = name
        self.order = order

    def mount(self, kit: Kit) -> Mounted:
        """Offer it."""
        self._kit = kit
        method = LoginMethod(
            name=self.name,
            template="word.html",
            show=self._show,
            post=self._post,
            field="word",
            order=self.order,
        )
        return Mounted(methods=(method,))

    async def _show(self, request: Request, next: str) -> Part:
        return Part(context={"error": None})

    async def _post(self, request: Request, form: Form, next: str) -> Response | Part:
        if form["word"] == "right":
            return self._kit.pages.redirect(request, next or "/", ours=False)
        return Part(context={"error": "Not that word."}, status=400)


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    (tmp_path / "word.html").write_text(
        '<form method="post" action="{{ login_url }}"><input name="word"{% if next %} '
        'data-next="{{ next }}"{% endif %}>{{ error or "" }}</form>'
    )
    return tmp_path


async def test_the_page_offers_what_features_offer_in_their_order(templates: Path) -> None:
    for order, is_first in ((1, True), (100, False), (200, False)):
        features = [EmailLogin(), Word(order=order)]
        page = await make_site(features=features, templates=templates).browser().get("/auth/login")
        at_word, at_email = page.text.index('name="word"'), page.text.index('name="email"')
        assert (at_word < at_email) is is_first
        assert said(page).count(" or ") >= 1


async def test_a_form_is_answered_by_the_method_whose_it_is(templates: Path) -> None:
    site = make_site(features=[EmailLogin(), Word()], templates=templates)
    jo = site.browser()
    assert led_to(await jo.post("/auth/login", {"word": "right", "next": "/a"})) == "/a"
    wrong = await jo.post("/auth/login", {"word": "wrong", "next": "/a"})
    assert wrong.status_code == 400
    assert "Not that word." in wrong.text
    assert "<title>Error: Sign in" in wrong.text
    assert 'data-next="/a"' in wrong.text
    assert 'name="next" value="/a"' in wrong.text, "the other method's form keeps the way too"
    assert site.outbox.messages == []
    await jo.sign_in("jo@example.com")
    page = await jo.get("/auth/login")
    assert 'name="word"' in page.text
    assert "signed in to app.example.com as jo@example.com" in said(page)


async def test_a_method_alone_takes_forms_that_nobody_knows(templates: Path) -> None:
    jo = make_site().browser()
    answer = await jo.post("/auth/login", {})
    assert answer.status_code == 400
    assert "Enter one email address" in said(answer)


def test_two_methods_of_one_name_are_a_mistake(templates: Path) -> None:
    with pytest.raises(ConfigError, match="features: two of them offer the login method 'email'"):
        make_site(features=[EmailLogin(), Word("email")], templates=templates)


def test_an_app_that_nobody_could_enter_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="features: nobody could sign in: add a login method"):
        make_site(features=[])


@pytest.mark.parametrize("options", [{"features": [Policy()]}, {"features": [], "public": ["*"]}])
async def test_without_a_method_the_page_says_what_is_missing(options: dict[str, Any]) -> None:
    jo = make_site(**options).browser()
    page = await jo.get("/auth/login")
    assert page.status_code == 200
    assert "Nobody can sign in here yet" in said(page)
    assert (await jo.post("/auth/login", {"email": "jo@example.com"})).status_code == 200
