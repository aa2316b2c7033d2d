"""The session resource, and session tokens on any path of the app."""

from __future__ import annotations

import pytest

from pwless_middleware import User
from tests.features.email_login.test_api import check_error, started
from tests.support import START, Browser, Site, make_site

pytestmark = pytest.mark.anyio

SESSION = "/auth/api/v1/session"
SESSIONS = "/auth/api/v1/sessions"


async def token_for(site: Site, email: str = "jo@example.com") -> str:
    """Sign in as a server, and give the session token."""
    request_id = await started(site.backend(), email)
    response = await site.backend().verify(request_id, code=site.mail(email).code)
    return str(response.json()["session_token"])


def with_token(site: Site, token: str, cookies: dict[str, str] | None = None) -> Browser:
    """Be a client that sends a session token, without `Origin`."""
    return site.browser(headers={"authorization": f"Bearer {token}"}, cookies=cookies)


async def test_a_token_reads_its_session() -> None:
    site = make_site()
    response = await with_token(site, await token_for(site)).get(SESSION)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert "set-cookie" not in response.headers
    body = response.json()
    assert set(body) == {"user", "session"}
    assert body["user"]["email"] == "jo@example.com"
    session_id = body["session"].pop("id")
    assert body["session"] == {
        "created_at": str(START),
        "authenticated_at": str(START),
        "seen_at": str(START),
        "expires_at": str(START + 30 * 86400),
        "methods": ["email_code"],
        "device": "",
        "organization": "",
        "current": True,
    }
    listed = (await with_token(site, await token_for(site)).get(SESSIONS)).json()["sessions"]
    assert {row["id"]: row["current"] for row in listed}[session_id] is False


async def test_a_cookie_reads_its_session() -> None:
    site = make_site()
    browser = site.browser()
    await browser.sign_in("jo@example.com")
    assert (await browser.get(SESSION)).json()["user"]["email"] == "jo@example.com"


@pytest.mark.parametrize("path", [SESSION, SESSIONS])
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
async def test_nobody_is_401(path: str, method: str) -> None:
    response = await make_site().browser().request(method, path)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    if method != "HEAD":
        check_error(response, 401, 16, "UNAUTHENTICATED")


async def test_neither_a_key_nor_a_cookie_value_nor_a_changed_token_is_a_token() -> None:
    site = make_site()
    browser = site.browser()
    await browser.sign_in("ann@example.com")
    token = await token_for(site)
    key = site.backend().browser.headers["authorization"].removeprefix("Bearer ")
    for bad in (
        key,
        browser.cookie() or "",
        f"pws_{browser.cookie()}",
        token.removeprefix("pws_"),
        token[:-2] + ("AA" if not token.endswith("AA") else "BB"),
        "pws_",
        "pws_\xff",
    ):
        headers = [("authorization", f"Bearer {bad}".encode("latin-1"))]
        response = await site.browser().get(SESSION, headers=headers)
        check_error(response, 401, 16, "UNAUTHENTICATED")
    # A token is no cookie either.
    name = browser.cookie_name()
    for value in (token, token.removeprefix("pws_")):
        response = await site.browser(cookies={name: value}).get(SESSION)
        check_error(response, 401, 16, "UNAUTHENTICATED")


async def test_a_bad_token_is_401_even_beside_a_good_cookie() -> None:
    site = make_site()
    browser = site.browser()
    await browser.sign_in("jo@example.com")
    response = await browser.get(SESSION, headers={"authorization": "Bearer pws_x"})
    check_error(response, 401, 16, "UNAUTHENTICATED")


async def test_cookie_and_token_of_different_users_are_401() -> None:
    site = make_site(bearer=True)
    browser = site.browser()
    await browser.sign_in("ann@example.com")
    both = with_token(site, await token_for(site), browser.cookies)
    for method, path in (
        ("GET", SESSION), ("DELETE", SESSION), ("GET", SESSIONS), ("DELETE", SESSIONS),
    ):  # fmt: skip
        check_error(await both.request(method, path), 401, 16, "UNAUTHENTICATED")
    check_error(await both.get("/private"), 401, 16, "UNAUTHENTICATED")
    assert site.sessions == 2


async def test_signing_out_ends_the_token() -> None:
    site = make_site(bearer=True)
    client = with_token(site, await token_for(site))
    response = await client.request("DELETE", SESSION)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["cache-control"] == "no-store"
    assert "set-cookie" not in response.headers
    check_error(await client.get(SESSION), 401, 16, "UNAUTHENTICATED")
    assert await client.who() is None


async def test_signing_out_by_cookie_takes_the_cookie_away() -> None:
    site = make_site()
    browser = site.browser()
    await browser.sign_in("jo@example.com")
    response = await browser.request("DELETE", SESSION)
    assert response.status_code == 204
    assert browser.cookie() is None
    assert site.sessions == 0


@pytest.mark.parametrize("path", [SESSION, SESSIONS, f"{SESSIONS}/x"])
@pytest.mark.parametrize("origin", ["", "null", "https://evil.example"])
async def test_a_write_by_cookie_must_come_from_a_page_of_ours(path: str, origin: str) -> None:
    site = make_site()
    browser = site.browser()
    await browser.sign_in("jo@example.com")
    response = await browser.request("DELETE", path, headers={"origin": origin})
    if origin:
        check_error(response, 403, 7, "FORBIDDEN_ORIGIN")
    else:
        check_error(response, 401, 16, "UNAUTHENTICATED")
    assert site.sessions == 1


async def test_a_token_that_signs_out_leaves_the_cookie_of_another_session() -> None:
    site = make_site()
    browser = site.browser()
    await browser.sign_in("jo@example.com")
    site.clock.advance(60)
    both = with_token(site, await token_for(site), browser.cookies)
    response = await both.request("DELETE", SESSION)
    assert response.status_code == 204
    assert "set-cookie" not in response.headers
    assert await browser.who() == "jo@example.com"


async def test_ending_one_ends_that_one_and_its_own_cookie() -> None:
    site = make_site()
    browser = site.browser()
    await browser.sign_in("jo@example.com")
    site.clock.advance(60)
    other = with_token(site, await token_for(site))
    rows = (await browser.get(SESSIONS)).json()["sessions"]
    ids = {row["current"]: row["id"] for row in rows}
    response = await browser.request("DELETE", f"{SESSIONS}/{ids[False]}")
    assert response.status_code == 204
    assert "set-cookie" not in response.headers
    check_error(await other.get(SESSION), 401, 16, "UNAUTHENTICATED")
    response = await browser.request("DELETE", f"{SESSIONS}/{ids[True]}")
    assert response.status_code == 204
    assert browser.cookie() is None
    assert site.sessions == 0


async def test_another_s_session_is_404_and_lives_on() -> None:
    site = make_site()
    ann = with_token(site, await token_for(site, "ann@example.com"))
    theirs = (await ann.get(SESSION)).json()["session"]["id"]
    client = with_token(site, await token_for(site))
    for id in (theirs, "x", "A" * 22, "%00", "..%2f", "%F0%9F%98%80"):
        check_error(await client.request("DELETE", f"{SESSIONS}/{id}"), 404, 5, "NOT_FOUND")
    assert (await ann.get(SESSION)).status_code == 200


async def test_ending_the_others_keeps_this_one() -> None:
    site = make_site()
    browser = site.browser()
    await browser.sign_in("jo@example.com")
    site.clock.advance(60)
    other = with_token(site, await token_for(site))
    response = await browser.request("DELETE", SESSIONS)
    assert response.status_code == 204
    assert await browser.who() == "jo@example.com"
    check_error(await other.get(SESSION), 401, 16, "UNAUTHENTICATED")


# --- bearer=True -------------------------------------------------------------------------------


async def test_a_token_opens_any_path_and_the_app_never_sees_it() -> None:
    site = make_site(bearer=True)
    token = await token_for(site)
    client = with_token(site, token)
    assert await client.who() == "jo@example.com"
    assert all(token.encode() not in value for _, value in site.inner.scope["headers"])
    assert all(key != b"authorization" for key, _ in site.inner.scope["headers"])


async def test_an_authorization_of_the_app_s_own_passes() -> None:
    site = make_site(bearer=True, public=["*"])
    client = site.browser(headers={"authorization": "Basic am86c2VjcmV0"})
    await client.get("/private")
    assert (b"authorization", b"Basic am86c2VjcmV0") in site.inner.scope["headers"]


async def test_without_the_option_a_token_opens_our_own_paths_only() -> None:
    site = make_site()
    client = with_token(site, await token_for(site))
    assert await client.who() is None
    assert (await client.get(SESSION)).status_code == 200


# --- a table of one's own ----------------------------------------------------------------------


class Table:
    """A directory that forgets a user."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}

    async def find(self, email: str) -> User | None:
        return next((user for user in self.users.values() if user.email == email), None)

    async def create(self, email: str) -> User:
        user = User(id=f"u{len(self.users) + 1}", email=email)
        self.users[user.id] = user
        return user

    async def load(self, user_id: str) -> User | None:
        return self.users.get(user_id)


async def test_a_new_user_is_told_and_an_address_that_changed_is_the_new_one() -> None:
    table = Table()
    site = make_site(users=table, roomy=True)
    request_id = await started(site.backend())
    body = (await site.backend().verify(request_id, code=site.mail().code)).json()
    assert (body["user_id"], body["is_new_user"]) == ("u1", True)
    table.users["u1"] = User(id="u1", email="joanna@example.com")
    client = with_token(site, body["session_token"])
    assert (await client.get(SESSION)).json()["user"] == {
        "id": "u1",
        "email": "joanna@example.com",
        "role": "",
    }


async def test_the_session_of_a_user_who_is_gone_is_401() -> None:
    table = Table()
    site = make_site(users=table, roomy=True)
    client = with_token(site, await token_for(site))
    browser = site.browser()
    await browser.sign_in("jo@example.com")
    table.users.clear()
    for who in (client, browser):
        for method, path in (("GET", SESSION), ("DELETE", SESSIONS)):
            check_error(await who.request(method, path), 401, 16, "UNAUTHENTICATED")
