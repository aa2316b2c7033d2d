"""What the gateways over HTTP have in common: a request for each message, and its answer judged.

What an answer means is the same for all of them but for what each vendor's own codes add:

    2xx, as documented             taken
    2xx, anything else             `MaybeDelivered`: nobody knows what answered
    504                            `MaybeDelivered`: what stands behind it may have taken it
    a code about the number        `RecipientRefused`
    401, 402, 403                  temporary: an operator can mend it while the code is good
    408, 425, 429, other 5xx       temporary, and no sooner than `Retry-After` says
    3xx                            temporary: `base` is wrong; no redirect is followed
    any other 4xx                  permanent
"""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import inf
from typing import ClassVar, Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.delivery.base import MaybeDelivered
from pwless_middleware.delivery.texts.base import DeliveryStatus, TextMessage
from pwless_middleware.delivery.texts.http import Answer, HTTPClient, check_url
from pwless_middleware.errors import ConfigError, DeliveryError

TIMEOUT: Final = 10.0
"""Seconds for one request; a gateway answers within one."""

_CREDENTIALS: Final = (401, 403)
_TIMED_OUT: Final = 504
"""What stands before a gateway had no answer from it in time (RFC 9110 §15.6.5)."""
_LARGEST_CODE: Final = 99_999
_LATER: Final = (408, 425, 429)


@dataclass(frozen=True, slots=True)
class Request:
    """What a gateway is asked.

    Attributes:
        method: of HTTP.
        url: the whole address.
        headers: its headers, credentials among them.
        content: its body.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes = b""


class Gateway(ABC):
    """Send each text message by one request.

    Args:
        base: where the gateway is.
        timeout: seconds for one request.
        parallel: messages at a time.
        tls_context: `None` checks certificates against the system's.
        option: the name that `base` has as an option.

    Raises:
        ConfigError: an option is wrong, or httpx is not installed.
    """

    name: ClassVar[str]
    """The vendor's, for reasons."""

    def __init__(
        self,
        *,
        base: str,
        timeout: float = TIMEOUT,
        parallel: int = 8,
        tls_context: ssl.SSLContext | None = None,
        option: str = "base",
    ) -> None:
        self._base = check_url(option, base).rstrip("/")
        if option == "base" and "?" in base:
            raise ConfigError(option, "set an address without a query")
        if isinstance(timeout, bool) or not isinstance(timeout, int | float):
            raise ConfigError("timeout", "set seconds above 0, e.g. 10")
        if not 0 < timeout < inf:
            raise ConfigError("timeout", "set seconds above 0, e.g. 10")
        if type(parallel) is not int or parallel < 1:
            raise ConfigError("parallel", "set a whole number, at least 1")
        if tls_context is not None and not isinstance(tls_context, ssl.SSLContext):
            raise ConfigError("tls_context", "set an ssl.SSLContext")
        self._parallel = parallel
        self._client = HTTPClient(
            self.name, timeout=timeout, parallel=parallel, tls_context=tls_context
        )

    @property
    def parallel(self) -> int:
        """How many messages it sends at a time."""
        return self._parallel

    @property
    def server(self) -> str:
        """What events call it: the vendor's name."""
        return self.name.removeprefix("the ")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(parallel={self._parallel})"

    async def send(self, message: TextMessage) -> None:
        """Return once the gateway has taken the message.

        Raises:
            RecipientRefused: it will not have the number; permanent.
            MaybeDelivered: it got the message, and no answer that can be read came; temporary.
            DeliveryError: it did not take it.
        """
        answer = await self._ask(await self._request_of(message))
        if not self._has_taken(answer):
            raise self._refusal(answer)

    async def check(self) -> None:
        """Reach the gateway and authenticate, without sending anything.

        Raises:
            DeliveryError: the reason tells a person what to mend.
        """
        answer = await self._ask(await self._check_request())
        if not self._is_checked(answer):
            raise self._refusal(answer)

    def read_status(self, headers: Mapping[str, str], body: bytes) -> DeliveryStatus | None:
        """Return how a message ended, by the gateway's report; see `texts.base.read_status`."""
        return None

    async def aclose(self) -> None:
        """Close the connections of the running event loop. A later send opens new ones."""
        await self._client.aclose()

    async def _ask(self, request: Request) -> Answer:
        return await self._client.exchange(
            request.method, request.url, request.headers, request.content
        )

    @abstractmethod
    async def _request_of(self, message: TextMessage) -> Request:
        """Return the request that sends a message."""

    @abstractmethod
    async def _check_request(self) -> Request:
        """Return a request that sends none, but needs the credentials."""

    @abstractmethod
    def _has_taken(self, answer: Answer) -> bool:
        """Whether this is the documented answer of a message that was taken."""

    @abstractmethod
    def _is_checked(self, answer: Answer) -> bool:
        """Whether this is the answer of a check that succeeded."""

    @abstractmethod
    def _refusal(self, answer: Answer) -> DeliveryError:
        """Return what an answer means that is not the one of success."""

    @staticmethod
    def _number_of(code: object) -> int | None:
        """Return a vendor's error code, or `None` where it is none.

        Those that are documented have five digits at most. What is longer may be the phone number
        or the code that was sent, which has six: no reason for a log.
        """
        return code if type(code) is int and 0 <= code <= _LARGEST_CODE else None

    def _by_status(self, answer: Answer, code: str = "") -> DeliveryError:
        """Return what the status of an answer says.

        Args:
            answer: one that is not of success.
            code: the vendor's own, for the reason; no text of theirs, which may name the number.
        """
        said = f"answer {answer.status}" + (f", error {code}" if code else "")
        if answer.is_success:
            return MaybeDelivered(f"{self.name}: its {said} is none that it documents")
        if answer.status == _TIMED_OUT:
            return MaybeDelivered(f"{self.name} had no answer itself ({said})")
        if 300 <= answer.status < 400:
            return DeliveryError(f"{self.name} redirects ({said}): is the address right?")
        if answer.status in _CREDENTIALS:
            return DeliveryError(f"{self.name} refuses the credentials ({said})")
        if answer.status == 402:
            return DeliveryError(f"{self.name}: the account is out of credit ({said})")
        if answer.status in _LATER or answer.status >= 500:
            return DeliveryError(
                f"{self.name} does not take it now ({said})", retry_after=answer.retry_after
            )
        return DeliveryError(f"{self.name} does not take it ({said})", permanent=True)
