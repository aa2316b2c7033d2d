"""CSRF middlewares outside ours: our forms carry no token of theirs, so our prefix is exempt."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from starlette.types import ASGIApp

from tests.apps.places import needs
from tests.support import Site, make_site

needs("asgi_csrf", "starlette_csrf")

from asgi_csrf import asgi_csrf  # noqa: E402
from starlette_csrf.middleware import CSRFMiddleware  # noqa: E402

pytestmark = pytest.mark.anyio
SECRET = "of the other middleware, and long enough"


def by_asgi_csrf(app: ASGIApp) -> ASGIApp:
    """Wrap as the guide says."""
    wrapped: ASGIApp = asgi_csrf(
        app,
        signing_secret=SECRET,
        always_protect={"/app-form"},
        skip_if_scope=lambda scope: scope["path"].startswith("/auth/"),
    )
    return wrapped


def by_starlette_csrf(app: ASGIApp) -> ASGIApp:
    """Wrap as the guide says."""
    return CSRFMiddleware(app, secret=SECRET, exempt_urls=[re.compile(r"/auth/.*")])


@pytest.mark.parametrize("wrap", [by_asgi_csrf, by_starlette_csrf])
async def test_a_person_signs_in_and_out_and_the_apps_forms_stay_protected(
    wrap: Callable[[ASGIApp], ASGIApp],
) -> None:
    site: Site = make_site()
    site.app = wrap(site.app)  # type: ignore[assignment]
    jo = site.browser()
    jo.cookies["csrftoken"] = "an old one"
    await jo.sign_in("jo@example.com")
    assert await jo.who() == "jo@example.com"
    assert (await jo.post("/app-form", {"a": "b"})).status_code == 403
    assert (await jo.post("/auth/logout", {})).status_code == 303
    assert await jo.who() is None
