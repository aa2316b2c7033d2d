"""Requests to addresses that somebody typed: webhooks, metadata, keys (security rule 53).

Whoever may type an address would else ask, from inside the network, what cannot be asked from
outside: the metadata of a cloud with its credentials, a database, an admin page (OWASP SSRF
Prevention Cheat Sheet). So

1. the address is read strictly (`urls`): https alone, no user, no odd port;
2. its name is resolved once, and every address that it has is judged (`public_addresses`): one that
   is not public refuses all, since a name with both is there to deceive;
3. the connection goes to an address that was judged, and to no name: a name server that answers the
   second question otherwise (DNS rebinding) is not asked a second one. TLS is of the name;
4. no redirect is followed, no proxy of the environment used, no cookie kept, nothing unpacked;
5. all of it takes 5 seconds at most, and of the answer no more than a bound is read, in parts so
   small that others have their turn in between (`fair_reads`).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import field
from functools import cache
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import AddressRefused, RequestFailed
from pwless_middleware.safe_http.fair_reads import FairReads
from pwless_middleware.safe_http.httpx_library import find_httpx
from pwless_middleware.safe_http.public_addresses import IPAddress, is_loopback, is_public
from pwless_middleware.safe_http.resolver import Resolve, Resolver
from pwless_middleware.safe_http.urls import SafeURL, read_url

if TYPE_CHECKING:
    import httpx

SECONDS: Final = 5.0
"""For one request, from the question to the name server to the end of the answer."""
MOST_BYTES: Final = 1_048_576
"""Of an answer that are read."""
_MOST_ADDRESSES: Final = 3
"""Of a name that are tried, one after the other."""


@dataclass(frozen=True, slots=True)
class SafeAnswer:
    """What the other side answers.

    Attributes:
        status: of HTTP. A redirect is an answer like any other.
        headers: names in lower case.
        body: its beginning, as it came.
        is_whole: whether that is all of it.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    is_whole: bool


class SafeHTTPClient:
    """Make requests to addresses that somebody typed.

    Each request has a connection of its own: an address that was good an hour ago is judged anew.

    Args:
        option: for whose sake, for the error where the library is not installed.
        extra: which extra brings it.
        allow_loopback: whether this machine's own addresses are good as well, by http too. For
            development and tests.
        seconds: for one request.
        most_bytes: of an answer that are read.
        tls_context: `None` checks certificates against the system's.
        resolve: returns the addresses of a name; `None` asks the system.

    Raises:
        ConfigError: httpx is not installed.
    """

    def __init__(
        self,
        option: str,
        *,
        extra: str,
        allow_loopback: bool = False,
        seconds: float = SECONDS,
        most_bytes: int = MOST_BYTES,
        tls_context: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._httpx = find_httpx(option, use="requests of its own", extra=extra)
        self._allow_loopback = allow_loopback
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._tls_context = tls_context or _system_context()
        self._resolve = resolve or Resolver()
        # Imports what is behind it: now, and not in the event loop of the first request.
        self._httpx.AsyncHTTPTransport(verify=self._tls_context, trust_env=False)

    def read_url(self, text: str) -> SafeURL:
        """Return what an address says, for who wants to refuse it as it is typed.

        Raises:
            AddressRefused: no request would go there, whatever its name resolves to.
        """
        url = read_url(text, allow_loopback=self._allow_loopback)
        if url.ip is not None:
            self._judge([url.ip])
        return url

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes = b""
    ) -> SafeAnswer:
        """Make one request and return its answer, whatever that says.

        Args:
            method: of HTTP.
            url: as it was typed.
            headers: to be sent; without `Host`.
            content: the body.

        Raises:
            AddressRefused: nothing was sent: it is no address that requests go to.
            RequestFailed: there is no answer; `fault` says why.
        """
        safe = self.read_url(url)
        try:
            async with asyncio.timeout(self._seconds):
                return await self._ask(method, safe, headers, content)
        except TimeoutError as error:
            raise RequestFailed("timeout") from error

    async def _ask(
        self, method: str, url: SafeURL, headers: Mapping[str, str], content: bytes
    ) -> SafeAnswer:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._seconds
        addresses = await self._addresses(url)
        transport = self._httpx.AsyncHTTPTransport(verify=self._tls_context, trust_env=False)
        try:
            for number, ip in enumerate(addresses, 1):
                # A handshake that is cancelled from outside would leave its socket open, so the
                # connections that are left, each with its handshake, end before the time does.
                connect = (end - loop.time()) / (2 * (len(addresses) - number) + 3)
                request = self._httpx.Request(
                    method,
                    url.at(ip),
                    headers={
                        "user-agent": "pwless-middleware",
                        "accept-encoding": "identity",
                        **headers,
                        "host": url.authority,
                    },
                    content=content,
                    extensions={
                        "sni_hostname": url.host,
                        "timeout": {"connect": connect},
                        "trace": FairReads(self._most_bytes).trace,
                    },
                )
                try:
                    async with _answering(transport, request) as answer:
                        return await self._read(answer)
                except (self._httpx.ConnectError, self._httpx.ConnectTimeout) as error:
                    if number == len(addresses):
                        raise RequestFailed(_fault_of(error)) from error
                except (self._httpx.TransportError, self._httpx.StreamError, OSError) as error:
                    raise RequestFailed(_fault_of(error)) from error
        finally:
            await transport.aclose()
        raise RequestFailed("unresolved")

    async def _addresses(self, url: SafeURL) -> Sequence[IPAddress]:
        """Return where to connect to: public addresses, or this machine's where that is allowed."""
        if url.ip is not None:
            return [url.ip]
        try:
            found = await self._resolve(url.host)
        except (OSError, UnicodeError) as error:
            raise RequestFailed("unresolved") from error
        if not found:
            raise RequestFailed("unresolved")
        self._judge(found)
        if url.scheme != "https" and not all(is_loopback(ip) for ip in found):
            raise AddressRefused("scheme")
        return found[:_MOST_ADDRESSES]

    def _judge(self, addresses: Sequence[IPAddress]) -> None:
        for ip in addresses:
            if not is_public(ip) and not (self._allow_loopback and is_loopback(ip)):
                raise AddressRefused("not_public")

    async def _read(self, answer: httpx.Response) -> SafeAnswer:
        body = bytearray()
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > self._most_bytes:
                break
        headers = {name.lower(): value for name, value in answer.headers.items()}
        is_whole = len(body) <= self._most_bytes
        return SafeAnswer(answer.status_code, headers, bytes(body[: self._most_bytes]), is_whole)


@cache
def _system_context() -> ssl.SSLContext:
    """Return what checks certificates against the system's: one for all, since that takes 30 ms."""
    return ssl.create_default_context()


@asynccontextmanager
async def _answering(
    transport: httpx.AsyncHTTPTransport, request: httpx.Request
) -> AsyncIterator[httpx.Response]:
    answer = await transport.handle_async_request(request)
    try:
        yield answer
    finally:
        await answer.aclose()


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Go through an exception and what led to it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _fault_of(error: BaseException) -> str:
    """Return what went wrong, as one of `errors.FAULTS`."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "certificate"
        if isinstance(cause, ssl.SSLError):
            return "tls"
        if isinstance(cause, ConnectionRefusedError):
            return "refused"
        if isinstance(cause, TimeoutError):
            return "timeout"
    return "connection" if isinstance(error, OSError) else "broken"
