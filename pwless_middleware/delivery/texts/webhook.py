"""A webhook of the host's own, for gateways that we do not know.

    POST <url>
    Authorization: Bearer <token>
    {"to": "+4915112345678", "body": "…", "status_url": "https://…"}

2xx says that the message is taken care of; 422 that this number will not be had; 429 and 503 may
say for how long in `Retry-After`. How the message ended may be told to `status_url` (which is ""
where nobody listens) by a POST of `{"status": "delivered"}` or `{"status": "undelivered"}`.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from typing import ClassVar, Final

from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.delivery.base import RecipientRefused
from pwless_middleware.delivery.texts.base import DeliveryStatus, TextMessage
from pwless_middleware.delivery.texts.gateway import TIMEOUT, Gateway, Request
from pwless_middleware.delivery.texts.http import Answer
from pwless_middleware.delivery.texts.options import check_secret
from pwless_middleware.delivery.texts.receipts import read_fields
from pwless_middleware.errors import DeliveryError

_NOT_THIS_NUMBER: Final = 422
_STATUSES: Final[Mapping[str, DeliveryStatus]] = {
    "delivered": "delivered",
    "undelivered": "undelivered",
}


@named_options()
class WebhookTexts(Gateway):
    """Hand text messages to a webhook, which sends them.

    Args:
        url: where to; https, or http to this machine.
        token: what it knows us by; sent as `Authorization: Bearer …`.
        timeout: seconds for one message.
        parallel: messages at a time.
        tls_context: `None` checks certificates against the system's.

    Raises:
        ConfigError: an option is missing or wrong, or httpx is not installed.
    """

    name: ClassVar[str] = "the webhook"

    def __init__(
        self,
        *,
        url: str,
        token: str,
        timeout: float = TIMEOUT,
        parallel: int = 8,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            base=url, timeout=timeout, parallel=parallel, tls_context=tls_context, option="url"
        )
        self._url = url
        token = check_secret("token", token, example="what the webhook knows you by")
        self._headers = {"authorization": f"Bearer {token}"}

    async def _request_of(self, message: TextMessage) -> Request:
        fields = {"to": message.to, "body": message.body, "status_url": message.status_url}
        headers = {**self._headers, "content-type": "application/json"}
        return Request("POST", self._url, headers, json.dumps(fields).encode())

    async def _check_request(self) -> Request:
        return Request("HEAD", self._url, self._headers)

    def _has_taken(self, answer: Answer) -> bool:
        return answer.is_success

    def _is_checked(self, answer: Answer) -> bool:
        # It need not know HEAD, but it is there.
        return answer.is_success or answer.status in (405, 501)

    def _refusal(self, answer: Answer) -> DeliveryError:
        if answer.status == _NOT_THIS_NUMBER:
            return RecipientRefused("the webhook refuses the number (answer 422)")
        return self._by_status(answer)

    def read_status(self, headers: Mapping[str, str], body: bytes) -> DeliveryStatus | None:
        """Return what `status` of the report says, JSON or a form."""
        return _STATUSES.get(read_fields(body).get("status", ""))
