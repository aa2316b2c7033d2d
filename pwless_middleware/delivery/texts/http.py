"""One request to a gateway and its answer: bounded in time and size, with no redirects.

Where there is no answer, what matters is whether the request may have been read. Before it went out
the message is surely not on its way, and another gateway may have it at once; after that it may be
(`MaybeDelivered`). httpx tells the moment to its `trace` extension.

No reason that is raised here quotes an answer, a URL or the text of a foreign exception: gateways
repeat the number in what they say, and some URLs hold a key.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.delivery.base import MaybeDelivered
from pwless_middleware.errors import ConfigError, DeliveryError
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.safe_http.httpx_library import find_httpx

if TYPE_CHECKING:
    import httpx

MOST_BYTES: Final = 65_536
"""Of an answer that are read; the longest of a documented one is some 2 KiB."""
KEEP_SECONDS: Final = 5.0
"""For which an unused connection is kept: servers keep theirs for longer."""

_SECONDS = re.compile(r"[0-9]{1,6}")
_THIS_MACHINE = re.compile(r"(.*\.)?localhost|127(\.[0-9]{1,3}){3}|::1")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway answers.

    Attributes:
        status: of HTTP.
        headers: names in lower case.
        body: its first `MOST_BYTES`.
        is_whole: whether that is all of it.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    is_whole: bool = True

    @property
    def is_success(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> int | None:
        """Seconds for which no further request is wanted (RFC 9110 §10.2.3); `None` for no word.

        A date is no word: our clock and theirs may differ by more than the wait.
        """
        told = self.headers.get("retry-after", "")
        return int(told) if _SECONDS.fullmatch(told) else None

    def json(self) -> Mapping[str, Any]:
        """Return the JSON object of the body; an empty one where it is none."""
        try:
            found = json.loads(self.body) if self.is_whole else None
        except (ValueError, RecursionError):
            found = None
        return found if isinstance(found, dict) else {}


def check_url(option: str, url: object) -> str:
    """Return the address of a gateway.

    Args:
        option: its name.
        url: what was given.

    Raises:
        ConfigError: it is no https address (http is for this machine), or holds a user, which
            would end up in logs.
    """
    problem = "set an https address, e.g. https://sms.example.com; http is for this machine only"
    if not isinstance(url, str) or not re.fullmatch(r"[\x21-\x7e]{1,2000}", url):
        raise ConfigError(option, problem)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(option, problem) from None
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_here(host))
    if not is_safe or not host or parts.fragment or "@" in parts.netloc:
        raise ConfigError(option, problem)
    return url


def _is_here(host: str | None) -> bool:
    return host is not None and _THIS_MACHINE.fullmatch(host) is not None


def is_reachable(url: str) -> bool:
    """Whether a gateway elsewhere may reach an address: it is set, and none of this machine's.

    Vendors refuse a message whose report they could not deliver.
    """
    return bool(url) and not _is_here(urlsplit(url).hostname)


class HTTPClient:
    """Make requests to one gateway, over connections that are kept for the next one.

    Safe to use in several event loops: each has its own connections.

    Args:
        name: the gateway's, for reasons.
        timeout: seconds for one request, from the connection to the end of the answer; the
            connection may take a third of it, and TLS another.
        parallel: connections at a time in one event loop.
        tls_context: `None` checks certificates against the system's.

    Raises:
        ConfigError: httpx is not installed.
    """

    def __init__(
        self, name: str, *, timeout: float, parallel: int, tls_context: ssl.SSLContext | None
    ) -> None:
        self._httpx = find_httpx("sms", use="text messages", extra="sms")
        self._name = name
        self._timeout = timeout
        self._parallel = parallel
        self._tls_context = tls_context or ssl.create_default_context()
        self._transports: PerLoop[httpx.AsyncHTTPTransport] = PerLoop(self._make_transport)
        # Imports what is behind it: now, and not in the event loop of the first message.
        self._make_transport()

    def _make_transport(self) -> httpx.AsyncHTTPTransport:
        limits = self._httpx.Limits(
            max_connections=self._parallel,
            max_keepalive_connections=self._parallel,
            keepalive_expiry=KEEP_SECONDS,
        )
        # The transport and not a client: it follows no redirects, keeps no cookies, and takes
        # nothing from the environment.
        transport: httpx.AsyncHTTPTransport = self._httpx.AsyncHTTPTransport(
            verify=self._tls_context, trust_env=False, limits=limits
        )
        return transport

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> Answer:
        """Make one request, and return its answer, whatever that says.

        Raises:
            MaybeDelivered: the request went out, and no whole answer came in time.
            DeliveryError: it did not go out.
        """
        is_out = False

        async def trace(event: str, info: object) -> None:
            nonlocal is_out
            is_out = is_out or event.endswith("send_request_headers.started")

        request = self._httpx.Request(
            method,
            url,
            headers={"user-agent": "pwless-middleware", "accept-encoding": "identity", **headers},
            content=content,
            # A handshake that is cancelled from outside would leave its socket open.
            extensions={"trace": trace, "timeout": {"connect": self._timeout / 3}},
        )
        transport = self._transports.here()
        problem: str
        try:
            async with asyncio.timeout(self._timeout), _answering(transport, request) as answer:
                return await _read(answer)
        except TimeoutError:
            problem = f"no answer within {self._timeout:g} s"
        except (self._httpx.TransportError, self._httpx.StreamError, OSError) as error:
            problem = _name_fault(error)
        if is_out:
            raise MaybeDelivered(f"{self._name}: {problem}, after the message was handed over")
        raise DeliveryError(f"{self._name} cannot be reached: {problem}")

    async def aclose(self) -> None:
        """Close the connections of the running event loop. A later request opens new ones."""
        transport = self._transports.pop()
        if transport is not None:
            await transport.aclose()


@asynccontextmanager
async def _answering(
    transport: httpx.AsyncHTTPTransport, request: httpx.Request
) -> AsyncIterator[httpx.Response]:
    answer = await transport.handle_async_request(request)
    try:
        yield answer
    finally:
        await answer.aclose()


async def _read(answer: httpx.Response) -> Answer:
    """Read an answer up to the bound, as it came: nothing is unpacked, since nothing was asked."""
    body = b""
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > MOST_BYTES:
            break
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Answer(answer.status_code, headers, body[:MOST_BYTES], len(body) <= MOST_BYTES)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Go through an exception and what led to it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _name_fault(error: BaseException) -> str:
    """Return what went wrong, in words of ours."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed ({cause.reason or type(cause).__name__})"
        if isinstance(cause, socket.gaierror):
            return "its name cannot be resolved"
        if isinstance(cause, ConnectionRefusedError):
            return "it refuses connections"
        if isinstance(cause, TimeoutError):
            return "no connection in time"
    return type(error).__name__
