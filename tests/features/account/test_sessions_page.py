"""The page of one's own sessions, for somebody who is not signed in."""

from __future__ import annotations

import pytest

from tests.support import led_to, make_site

pytestmark = pytest.mark.anyio


async def test_a_stranger_signs_in_first_and_comes_back() -> None:
    site = make_site()
    jo = site.browser()
    answer = await jo.get("/auth/sessions")
    assert led_to(answer) == "/auth/login?next=%2Fauth%2Fsessions"
    await jo.ask("jo@example.com", next="/auth/sessions")
    done = await jo.type_code(site.mail().code)
    assert led_to(done) == "/auth/sessions"
    assert "jo@example.com" in (await jo.get("/auth/sessions")).text
