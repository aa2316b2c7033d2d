"""A browser whose requests a load balancer spreads over server processes, over real HTTP."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from tests.failures.served import Process
from tests.support import BASE

_PATIENCE = {"timeout": httpx.Timeout(10).as_dict()}


class SpreadBrowser:
    """Keep cookies, send `Origin`, and say to each request which process it goes to.

    Args:
        http: the connections, shared by all people of a test. A transport and no client, which
            would have a cookie jar of its own and mix people up.
        ip: whom the load balancer says it is.
    """

    def __init__(self, http: httpx.AsyncHTTPTransport, ip: str = "203.0.113.7") -> None:
        self._http = http
        self._ip = ip
        self.cookies: dict[str, str] = {}

    async def get(self, at: Process, path: str) -> httpx.Response:
        """Send a GET."""
        return await self._send(at, "GET", path)

    async def post(self, at: Process, path: str, form: Mapping[str, str]) -> httpx.Response:
        """Post a form."""
        return await self._send(at, "POST", path, form)

    async def ask(self, at: Process, address: str) -> httpx.Response:
        """Ask for a mail."""
        return await self.post(at, "/auth/login", {"email": address})

    async def type_code(self, at: Process, code: str) -> httpx.Response:
        """Type a code."""
        return await self.post(at, "/auth/verify", {"code": code})

    async def who(self, at: Process) -> str | None:
        """Return the address as which the app greets this browser; `None` if it is stopped.

        Raises:
            AssertionError: neither; say 503.
        """
        answer = await self.get(at, "/private")
        assert answer.status_code in (200, 401), answer.status_code
        return str(answer.json()["email"]) if answer.status_code == 200 else None

    async def _send(
        self, at: Process, method: str, path: str, form: Mapping[str, str] | None = None
    ) -> httpx.Response:
        headers = {"host": BASE.partition("://")[2], "x-forwarded-for": self._ip}
        if self.cookies:
            headers["cookie"] = "; ".join(f"{n}={v}" for n, v in self.cookies.items())
        if method != "GET":
            headers["origin"] = BASE
        url = f"http://127.0.0.1:{at.port}{path}"
        request = httpx.Request(method, url, headers=headers, data=form, extensions=_PATIENCE)
        answer = await self._http.handle_async_request(request)
        await answer.aread()
        for line in answer.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            if "max-age=0" in line.lower():
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = rest.partition(";")[0]
        return answer
