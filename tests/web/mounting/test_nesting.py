"""Two instances in one process, beside each other and one inside the other."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from pwless_middleware import EmailLogin, PasswordlessMiddleware
from pwless_middleware.errors import ConfigError
from tests.support import OTHER_KEY, WhoAmI, cookie_header, http_scope, led_to, make_site, run

pytestmark = pytest.mark.anyio


async def test_one_inside_the_other_with_names_of_their_own_asks_for_both() -> None:
    inner = make_site(prefix="/staff", cookie_name="staff", secret_key=OTHER_KEY)
    outer = make_site(inner.app)
    jo = outer.browser()
    assert (await jo.get("/x")).status_code == 401
    await jo.sign_in("jo@example.com")
    assert (await jo.get("/x")).status_code == 401, "the inner one still asks"
    assert (await jo.get("/staff/login")).status_code == 200
    asked = await jo.post("/staff/login", {"email": "jo@example.com"})
    assert led_to(asked) == "/staff/verify"
    done = await jo.post("/staff/verify", {"code": str(inner.mail().code)})
    assert done.status_code == 303
    assert (await jo.get("/x")).status_code == 200
    assert inner.inner.scope["headers"] == [
        (key, value) for key, value in inner.inner.scope["headers"] if key != b"cookie"
    ]


@pytest.mark.parametrize(("outside", "inside"), [("staff", None), (None, "staff"), ("a", "b")])
async def test_one_inside_the_other_reads_its_cookies_and_the_app_sees_none(
    outside: str | None, inside: str | None
) -> None:
    inner = make_site(prefix="/staff", cookie_name=inside, secret_key=OTHER_KEY)
    hidden = Starlette(routes=[Mount("/", inner.app)])
    outer = make_site(hidden, cookie_name=outside)
    jo = outer.browser(headers={"accept": "*/*"})
    await jo.sign_in("jo@example.com")
    await jo.post("/staff/login", {"email": "kim@example.com"})
    done = await jo.post("/staff/verify", {"code": str(inner.mail().code)})
    assert done.status_code == 303
    assert (await jo.get("/x")).json()["email"] == "kim@example.com"
    assert not [value for key, value in inner.inner.scope["headers"] if key == b"cookie"]
    assert "pwless=" not in repr(inner.inner.scope)


@pytest.mark.parametrize(
    ("option", "options"),
    [
        ("prefix", {"cookie_name": "other"}),
        ("prefix", {"cookie_name": "other", "prefix": "/auth/more"}),
        ("cookie_name", {"prefix": "/other"}),
    ],
)
async def test_one_inside_the_other_with_the_same_name_is_a_mistake(
    option: str, options: dict[str, Any]
) -> None:
    inner = make_site(**options)
    with pytest.raises(ConfigError, match=option):
        make_site(inner.app)
    # Where the middleware cannot see it (behind a router), the first request does.
    hidden = make_site(Starlette(routes=[Mount("/", inner.app)]))
    jo = hidden.browser()
    await jo.sign_in("jo@example.com")
    with pytest.raises(ConfigError, match=option):
        await run(hidden.app, http_scope("/x", headers=cookie_header(jo)))


async def test_two_beside_each_other_do_not_disturb_each_other() -> None:
    first, second = make_site(), make_site(cookie_name="second", secret_key=OTHER_KEY)
    jo = first.browser()
    await jo.sign_in("jo@example.com")
    kim = second.browser(cookies=jo.cookies)
    assert (await kim.get("/private")).status_code == 401
    asked = await kim.post("/auth/login", {"email": "kim@example.com"})
    assert asked.status_code == 303
    await kim.post("/auth/verify", {"code": str(second.mail().code)})
    assert await kim.who() == "kim@example.com"
    assert await first.browser(cookies=kim.cookies).who() == "jo@example.com"


def test_a_feature_mounted_twice_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="features: EmailLogin is mounted twice"):
        make_site(features=[EmailLogin(), EmailLogin()])


def test_one_instance_serves_two_apps() -> None:
    site = make_site()
    other = PasswordlessMiddleware(WhoAmI(), passwordless=site.passwordless)
    assert other.passwordless is site.app.passwordless
