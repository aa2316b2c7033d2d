"""Datasette, as it comes, over a small database."""

from __future__ import annotations

import os
import sqlite3
from urllib.parse import urlsplit

from datasette.app import Datasette

from pwless_middleware import PasswordlessMiddleware
from tests.apps.served.options import FOLDER, options
from tests.apps.served.recipe import recipe

path = os.path.join(FOLDER, "orders.db")
with sqlite3.connect(path) as database:
    database.execute("create table orders (id integer primary key, thing text)")
    rows = [(f"thing {number}",) for number in range(5000)]
    database.executemany("insert into orders (thing) values (?)", rows)
database.close()

recipe("tools", "Datasette")  # leaves its plugin here

# Datasette has its own setting for a prefix, and no eye for `root_path`.
prefix = urlsplit(os.environ.get("PWLESS_TEST_BASE_URL", "")).path
ds = Datasette(
    immutables=[path],  # or it could not be downloaded
    settings={"base_url": prefix + "/", "max_returned_rows": 6000},
    plugins_dir="plugins",  # the recipe's
)

app = PasswordlessMiddleware(ds.app(), **options())
