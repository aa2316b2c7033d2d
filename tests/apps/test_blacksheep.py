"""BlackSheep, unmodified: the promises, and how its handlers read the user."""

from __future__ import annotations

from tests.apps.places import needs
from tests.apps.promises import Promises

needs("blacksheep", "hypercorn", "granian")

APP = "tests.apps.served.blacksheep_app:app"


class TestBlackSheep(Promises):
    page = "/hello?greeting=good%20day"
