"""Falcon, unmodified: the promises, and how its handlers read the user."""

from __future__ import annotations

from tests.apps.places import needs
from tests.apps.promises import Promises

needs("falcon", "hypercorn", "granian")

APP = "tests.apps.served.falcon_app:app"


class TestFalcon(Promises):
    page = "/hello?greeting=good%20day"
