"""A proxy shows the app below a path, and the server knows nothing of it: `base_url` says it."""

from __future__ import annotations

import pytest

from tests.support import led_to, make_site

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("sent", ["/private", "/tool/private"])
async def test_a_visitor_is_sent_to_the_login_below_the_path(sent: str) -> None:
    """Whether the proxy takes the path off or leaves it on."""
    site = make_site(base_url="https://www.example.com/tool")
    site.base_url = "https://www.example.com"
    answer = await site.browser().get(sent, headers={"accept": "text/html"})
    assert led_to(answer) == "/tool/auth/login?next=%2Ftool%2Fprivate"


@pytest.mark.parametrize("seen", ["", "/tool"])
async def test_a_login_comes_back_below_the_path(seen: str) -> None:
    site = make_site(base_url="https://www.example.com/tool")
    site.base_url = "https://www.example.com"
    jo = site.browser()
    form = {"email": "jo@example.com", "next": "/tool/private?a=1"}
    asked = await jo.post(f"{seen}/auth/login", form)
    assert led_to(asked) == "/tool/auth/verify"
    assert str(site.mail().link).startswith("https://www.example.com/tool/auth/link?")
    done = await jo.post(f"{seen}/auth/verify", {"code": str(site.mail().code)})
    assert led_to(done) == "/tool/private?a=1"


async def test_what_is_public_is_judged_by_the_path_that_the_app_routes() -> None:
    """Else `/tool/settings` of the app would be open because its `/settings` is."""
    site = make_site(base_url="https://www.example.com/tool", public=["/settings"])
    site.base_url = "https://www.example.com"
    visitor = site.browser()
    assert (await visitor.get("/settings")).status_code == 200
    assert (await visitor.get("/tool/settings")).status_code == 401
