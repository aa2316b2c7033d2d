"""Watch a Redis server answer: every command that came over the wire, and none that a script ran.

`INFO commandstats` adds up what scripts do with what clients ask, so that a GET inside a script
looks like a round trip; MONITOR, the server's own log of the same commands, tells them apart.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from types import TracebackType
from urllib.parse import urlsplit

from pwless_middleware import RedisStore
from pwless_middleware.stores.redis import scripts
from pwless_middleware.stores.redis.scripts import Script
from tests.support import make_site, wrong

_LINE = re.compile(rb'\+[\d.]+ \[\d+ (?P<peer>\S+)\] "(?P<verb>\w+)"(?: "(?P<first>[^"]*)")?')
_NAMES = {s.sha: s.name for s in vars(scripts).values() if isinstance(s, Script)}
_BESIDE = ("claim", "complete", "hold", "leave", "settle", "primary")
"""The delivery's, and the look at the server that is made once a second however much is asked."""


class RoundTrips:
    """Count what a server is asked, by script or command, while this is entered.

    The feed's own connection (PING, SUBSCRIBE) and what opens a connection is left out.

    Args:
        url: of a server that nobody else asks meanwhile.
    """

    def __init__(self, url: str) -> None:
        self.asked: Counter[str] = Counter()
        parts = urlsplit(url)
        self._place = (parts.hostname or "127.0.0.1", parts.port or 6379)

    async def __aenter__(self) -> RoundTrips:
        self._reader, self._writer = await asyncio.open_connection(*self._place)
        self._writer.write(b"MONITOR\r\n")
        await self._reader.readline()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        _, asking = await asyncio.open_connection(*self._place)
        asking.write(b"ECHO that-is-all\r\n")
        while True:
            line = await self._reader.readline()
            if b'"that-is-all"' in line or not line:
                break
            found = _LINE.match(line)
            if found is None or found["peer"] == b"lua":
                continue
            verb, first = found["verb"].decode().upper(), (found["first"] or b"").decode()
            if verb in ("EVALSHA", "EVAL"):
                self.asked[_NAMES.get(first, verb.lower())] += 1
            elif verb in ("GET", "ZRANGE", "ZREM", "SET", "DEL"):
                self.asked[verb.lower()] += 1
        for writer in (asking, self._writer):
            writer.close()

    @property
    def of_steps(self) -> int:
        """Return the round trips of requests: without the delivery's scripts and its one read for
        each mail, and without the look of each second."""
        scripts = sum(n for name, n in self.asked.items() if name not in _BESIDE)
        return scripts - self.asked["complete"]


async def of_steps(url: str) -> dict[str, int]:
    """Take each step of a login on a Redis, by the JSON API, and give its round trips."""
    site = make_site(store=RedisStore(url, prefix="trips"), roomy=True)
    email = "jo@example.com"
    await site.browser().sign_in("ann@example.com")  # from here on the server knows the scripts
    browser = site.browser()
    found: dict[str, int] = {}
    async with RoundTrips(url) as trips:
        assert await site.browser().who() is None
    found["request without a cookie"] = trips.of_steps
    async with RoundTrips(url) as trips:
        sent = await browser.call("send", {"email": email})
    found["send"] = trips.of_steps
    id, code = sent.json()["auth_request_id"], site.mail(email).code
    async with RoundTrips(url) as trips:
        assert (await browser.call("resend", {"auth_request_id": id})).status_code == 200
    found["resend"] = trips.of_steps
    async with RoundTrips(url) as trips:
        missed = await browser.call("verify", {"auth_request_id": id, "code": wrong(code)})
    assert missed.status_code == 400, missed.text
    found["wrong code"] = trips.of_steps
    async with RoundTrips(url) as trips:
        done = await browser.call("verify", {"auth_request_id": id, "code": code})
    assert done.status_code == 200, done.text
    found["right code"] = trips.of_steps
    async with RoundTrips(url) as trips:
        assert await browser.who() == email
    found["request with a session, not held yet"] = trips.of_steps
    for _ in range(50):  # a busy machine may lose the feed's lease (100 ms) between two requests
        async with RoundTrips(url) as trips:
            for _ in range(3):
                assert await browser.who() == email
        if trips.of_steps == 0:
            break
    found["requests with a session, held"] = trips.of_steps
    await site.passwordless.lifetime.close()
    return found
