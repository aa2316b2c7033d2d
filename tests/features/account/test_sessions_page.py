"""The page of one's own sessions, and the account that it is a page of."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware import ConfigError, EmailLogin, Kit, Mounted, User
from pwless_middleware.web.parts.offers import AccountPage
from pwless_middleware.web.routing.routes import Route
from tests.support import Browser, Site, led_to, make_site, said

pytestmark = pytest.mark.anyio

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile Safari/604.1"
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def two_browsers(site: Site) -> tuple[Browser, Browser]:
    """Sign in on a computer, then on a phone three days later."""
    computer = site.browser(headers={"user-agent": LINUX})
    await computer.sign_in("jo@example.com")
    site.clock.advance(3 * 86400)
    phone = site.browser(headers={"user-agent": PHONE}, ip="203.0.113.8")
    await phone.sign_in("jo@example.com")
    return computer, phone


async def test_a_stranger_signs_in_first_and_comes_back() -> None:
    site = make_site()
    jo = site.browser()
    answer = await jo.get("/auth/sessions")
    assert led_to(answer) == "/auth/login?next=%2Fauth%2Fsessions"
    await jo.ask("jo@example.com", next="/auth/sessions")
    done = await jo.type_code(site.mail().code)
    assert led_to(done) == "/auth/sessions"
    assert "jo@example.com" in (await jo.get("/auth/sessions")).text


async def test_a_form_of_who_is_signed_out_meanwhile_leads_to_the_login_and_back() -> None:
    answer = await make_site().browser().post("/auth/sessions/revoke", {"all": "1"})
    assert led_to(answer) == "/auth/login?next=%2Fauth%2Fsessions"


async def test_the_account_leads_to_its_first_page() -> None:
    jo = make_site(languages=["en"]).browser()
    assert led_to(await jo.get("/auth/account")) == "/auth/sessions"


async def test_this_browser_comes_first_and_is_active_now() -> None:
    site = make_site()
    computer, phone = await two_browsers(site)
    site.clock.advance(60)
    for browser, first, other in (
        (computer, "Firefox on Linux", "Safari on iPhone"),
        (phone, "Safari on iPhone", "Firefox on Linux"),
    ):
        text = said(await browser.get("/auth/sessions"))
        assert text.index(first) < text.index("This browser") < text.index("Active now")
        assert text.index("Active now") < text.index(other)
        assert text.count("Active now") == 1
    page = await phone.get("/auth/sessions")
    assert "Signed in 3 days ago" in said(page)
    assert page.text.index('class="device phone"') < page.text.index('class="device computer"')


async def test_after_each_action_the_page_says_what_was_done() -> None:
    site = make_site()
    computer, phone = await two_browsers(site)
    page = await computer.get("/auth/sessions")
    id = page.text.partition('name="id" value="')[2].partition('"')[0]
    answer = await computer.post("/auth/sessions/revoke", {"id": id})
    assert "That browser is signed out." in said(await computer.get(led_to(answer)))
    assert await phone.who() is None
    await phone.sign_in("jo@example.com")
    answer = await computer.post("/auth/sessions/revoke", {"others": "1"})
    others = led_to(answer)
    assert "All other browsers are signed out." in said(await computer.get(others))
    await phone.sign_in("jo@example.com")
    assert "All other browsers" not in said(await computer.get(others)), "it is true no more"
    answer = await computer.post("/auth/sessions/revoke", {"all": "1"})
    assert "All your browsers are signed out" in said(await computer.get(led_to(answer)))
    assert await phone.who() is None


async def test_nobody_writes_a_message_into_a_link() -> None:
    jo = make_site().browser()
    await jo.sign_in("jo@example.com")
    for done in ("Call+0900", "", "__class__", "one&done=two"):
        assert 'class="message' not in (await jo.get(f"/auth/sessions?done={done}")).text


async def test_the_page_calls_a_person_by_name() -> None:
    class Table:
        user = User(id="1", email="jo@example.com", display_name="Jo <b>March</b>")

        async def find(self, email: str) -> User | None:
            return self.user

        async def create(self, email: str) -> User | None:
            return self.user

        async def load(self, user_id: str) -> User | None:
            return self.user

    jo = make_site(users=Table()).browser()
    await jo.sign_in("jo@example.com")
    page = await jo.get("/auth/sessions")
    assert "Jo &lt;b&gt;March&lt;/b&gt;" in page.text
    assert "jo@example.com" in page.text


# --- pages of other features -------------------------------------------------------------------


class Keys:
    """Mount a page of the account."""

    def __init__(self, path: str = "/account/keys", order: int = 5) -> None:
        self.page = AccountPage(title="Keys", path=path, order=order)

    def mount(self, kit: Kit) -> Mounted:
        """Add it."""
        self._kit = kit
        is_own = self.page.path == "/account/keys"
        routes = (Route(self.page.path, {"GET": self._show}),) if is_own else ()
        return Mounted(routes=routes, account_pages=(self.page,))

    async def _show(self, request: Request) -> Response:
        account = await self._kit.accounts.require(request)
        return Response(account.user.email)


async def test_the_navigation_follows_what_is_mounted() -> None:
    site = make_site(features=[EmailLogin(), Keys()])
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    page = (await jo.get("/auth/sessions")).text
    keys, sessions = (page.index(f'href="/auth{path}"') for path in ("/account/keys", "/sessions"))
    assert keys < sessions
    assert 'href="/auth/sessions" aria-current="page"' in page
    assert led_to(await jo.get("/auth/account")) == "/auth/account/keys"
    assert (await jo.get("/auth/account/keys")).text == "jo@example.com"
    assert "<nav" not in (await make_site_page()), "one page alone needs none"


async def make_site_page() -> str:
    """Return the sessions page of an app without other account pages."""
    jo = make_site(languages=["en"]).browser()
    await jo.sign_in("jo@example.com")
    return (await jo.get("/auth/sessions")).text


async def test_a_page_of_a_feature_asks_who_is_signed_in_and_comes_back_with_its_query() -> None:
    jo = make_site(features=[EmailLogin(), Keys()]).browser(root_path="/app")
    answer = await jo.get("/app/auth/account/keys?a=b%26c")
    assert led_to(answer) == "/app/auth/login?next=%2Fapp%2Fauth%2Faccount%2Fkeys%3Fa%3Db%2526c"


def test_two_account_pages_of_one_path_are_a_mistake() -> None:
    with pytest.raises(ConfigError, match="features: two of them offer the account page"):
        make_site(features=[EmailLogin(), Keys("/sessions")])
