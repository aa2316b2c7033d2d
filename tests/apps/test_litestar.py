"""Litestar, unmodified: the promises, and how its handlers read the user."""

from __future__ import annotations

from typing import Any

from tests.apps.places import needs
from tests.apps.promises import Promises

needs("litestar", "hypercorn", "granian")

APP = "tests.apps.served.litestar_app:app"


class TestLitestar(Promises):
    page = "/hello?greeting=good%20day"


def test_in_its_own_middleware_list_the_login_would_have_no_pages() -> None:
    """Litestar routes before it runs them, and knows no route for the login: the guide says so."""
    from litestar import Litestar, get
    from litestar.middleware import DefineMiddleware
    from litestar.testing import TestClient

    from pwless_middleware import PasswordlessMiddleware
    from tests.apps.served.options import options

    @get("/x")
    async def page() -> str:
        return "x"

    ours: Any = PasswordlessMiddleware
    middleware = [DefineMiddleware(ours, **options())]
    app = Litestar([page], middleware=middleware, logging_config=None)  # no root logger of its own
    with TestClient(app, base_url="http://testserver.local") as client:
        assert client.get("/x").status_code == 401
        assert client.get("/auth/login").status_code == 404
