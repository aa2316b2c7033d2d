"""A site with webhooks, and a server that receives what is sent to one.

    site, ops = await make_webhook_site(tmp_path)
    async with receiving() as receiver:
        id = await receiver.add(ops)
        ...
        message = await receiver.next()

The signatures are verified by the library of Standard Webhooks, which is other people's.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from typing import Any

import standardwebhooks

from pwless_middleware import Webhooks
from tests.delivery.texts.fake_server import FakeServer, Reply, Seen, reply, serving
from tests.features.dashboard.operators import make_dashboard
from tests.support import Browser, Clock, Site

PAGE = "/auth/dashboard/webhooks"


async def make_webhook_site(folder: Path, **options: Any) -> tuple[Site, Browser]:
    """Make a site whose webhooks may be on this machine, and the browser of an admin."""
    features = options.pop("features", ())
    webhooks = Webhooks(unsafe_loopback=True)
    options.setdefault("clock", Clock(int(time.time())))  # whoever verifies knows the time
    site, ops = await make_dashboard(folder, features=[*features, webhooks], **options)

    async def is_written() -> bool:
        return bool((await site.passwordless.events.find(kind="session.created", limit=1)).events)

    await until(is_written)  # or the login of the admin would be sent to the first webhook
    return site, ops


def secret_on(text: str) -> str:
    """Return the secret that a page shows."""
    (found,) = set(re.findall(r"whsec_[A-Za-z0-9+/=]+", unescape(text)))
    return str(found)


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that a task of its own brings about."""
    async with asyncio.timeout(30):
        while True:
            if await is_so():
                return
            await asyncio.sleep(0.01)


class Receiver:
    """Keep what is sent to a webhook, as it comes."""

    def __init__(self) -> None:
        self.server: FakeServer
        self.answer: Callable[[Seen], Reply] = lambda _: reply(204)
        self._came: asyncio.Queue[Seen] = asyncio.Queue()
        self.secret = ""

    def take(self, seen: Seen) -> Reply:
        self._came.put_nowait(seen)
        return self.answer(seen)

    async def add(self, ops: Browser, kinds: str = "", **fields: str) -> str:
        """Have an operator add this webhook, and return its id."""
        form = {"url": f"{self.server.url}/hook", "kinds": kinds, "description": "", **fields}
        page = await ops.post(PAGE, form)
        assert page.status_code == 200, page.text
        self.secret = secret_on(page.text)
        return str(re.findall(r"wh_[a-z2-7]{16}", page.text)[0])

    async def next(self) -> Seen:
        """Return the next message, once it is there."""
        async with asyncio.timeout(30):
            return await self._came.get()

    def has_more(self) -> bool:
        return not self._came.empty()

    def open(self, seen: Seen, secret: str | None = None) -> Any:
        """Verify a message by the other library, and return what it holds."""
        verifier = standardwebhooks.Webhook(secret or self.secret)
        return verifier.verify(seen.body, seen.headers)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Receive for as long as the context lasts."""
    receiver = Receiver()
    async with serving(receiver.take) as server:
        receiver.server = server
        yield receiver
