"""A link opened once more, in the browser that it has signed in: known as used, and no dead end."""

from __future__ import annotations

import pytest

from tests.support import led_to, make_site

pytestmark = pytest.mark.anyio


async def test_a_link_opened_again_says_that_one_is_signed_in() -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com", by="link")
    page = await jo.get(str(site.mail().link))
    assert page.status_code == 200
    assert "You are signed in" in page.text
    assert "<form" not in page.text


async def test_a_used_link_says_that_it_is_used_after_signing_out() -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com", by="link")
    await jo.post("/auth/logout", {})
    page = await jo.get(str(site.mail().link))
    assert page.status_code == 410
    assert "no longer works" in page.text


async def test_a_tab_left_waiting_goes_to_the_app_once_signed_in() -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    page = await jo.get("/auth/verify")
    assert (page.status_code, led_to(page)) == (303, "/")


async def test_a_tab_left_waiting_goes_to_the_login_after_signing_out() -> None:
    site = make_site()
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    await jo.post("/auth/logout", {})
    page = await jo.get("/auth/verify")
    assert (page.status_code, led_to(page)) == (303, "/auth/login")
