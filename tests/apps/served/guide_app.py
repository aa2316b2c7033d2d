"""The app of a recipe of the guide; the environment says which, as `page#Heading`."""

from __future__ import annotations

import os

from tests.apps.served.recipe import recipe

page, _, heading = os.environ["PWLESS_TEST_RECIPE"].partition("#")
app = recipe(page, heading).app
