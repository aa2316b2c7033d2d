"""Litestar, unmodified: the promises, and how its handlers read the user."""

from __future__ import annotations

from tests.apps.places import needs
from tests.apps.promises import Promises

needs("litestar", "hypercorn", "granian")

APP = "tests.apps.served.litestar_app:app"


class TestLitestar(Promises):
    page = "/hello?greeting=good%20day"
