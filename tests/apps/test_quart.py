"""Quart, unmodified: the promises, and how its handlers read the user."""

from __future__ import annotations

from tests.apps.places import IN_PATH, needs
from tests.apps.promises import Promises

needs("quart", "hypercorn", "granian")

APP = "tests.apps.served.quart_app:app"
# Quart answers 404 where the path lacks the root path.
PLACES = IN_PATH


class TestQuart(Promises):
    page = "/hello?greeting=good%20day"
