"""The dashboard while the database hangs: each page answers, and soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from pwless_middleware.features.dashboard import Dashboard
from pwless_middleware.features.email_login import EmailLogin
from pwless_middleware.stores.memory import MemoryStore
from tests.features.dashboard.operators import OPERATORS, OPS
from tests.own_account import signed_in
from tests.postgres_server import PostgresServer
from tests.support import ROOMY, make_site

pytestmark = pytest.mark.anyio

SECONDS = 20
"""Two, and what a busy machine adds to five pages at once."""


@pytest.fixture
def server(module_postgres: PostgresServer) -> Iterator[PostgresServer]:
    """It, up and running again after the test."""
    yield module_postgres
    module_postgres.thaw()


async def test_every_page_answers_while_the_database_hangs(server: PostgresServer) -> None:
    features = [EmailLogin(send_limits=ROOMY), Dashboard(operators=OPERATORS)]
    site = make_site(features=features, database=server.url, store=MemoryStore())
    ops = await signed_in(site, OPS)
    pages = [page.path for page in site.passwordless._kit.offers.dashboard_pages]
    for path in pages:
        assert (await ops.get(f"/auth{path}")).status_code == 200, path

    async def look(path: str) -> tuple[str, int, bool]:
        begun = time.monotonic()
        answer = await ops.get(f"/auth{path}")
        return path, answer.status_code, time.monotonic() - begun < SECONDS

    server.freeze()
    for some in (pages[:5], pages[5:]):
        for path, status, is_soon in await asyncio.gather(*map(look, some)):
            assert (status, is_soon) in ((200, True), (503, True)), path
    server.thaw()
    for _ in range(100):
        answers = [(await ops.get(f"/auth{path}")).status_code for path in pages]
        if answers == [200] * len(pages):
            break
        await asyncio.sleep(0.1)
    else:
        pytest.fail(f"the pages do not come back: {answers}")
