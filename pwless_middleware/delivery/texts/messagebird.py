"""MessageBird's messages (developers.messagebird.com/api/sms-messaging), now Bird's."""

from __future__ import annotations

import json
import secrets
import ssl
from collections.abc import Mapping
from typing import ClassVar, Final

from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.delivery.base import RecipientRefused
from pwless_middleware.delivery.texts.base import DeliveryStatus, TextMessage
from pwless_middleware.delivery.texts.gateway import TIMEOUT, Gateway, Request
from pwless_middleware.delivery.texts.http import Answer, is_reachable
from pwless_middleware.delivery.texts.options import check_secret, check_sender
from pwless_middleware.delivery.texts.receipts import read_fields
from pwless_middleware.errors import DeliveryError

_NOT_ENOUGH_BALANCE: Final = 25
_STATUSES: Final[Mapping[str, DeliveryStatus]] = {
    "delivered": "delivered",
    "delivery_failed": "undelivered",
    "expired": "undelivered",
}


@named_options()
class MessageBirdTexts(Gateway):
    """Send text messages through MessageBird.

    Args:
        access_key: a live one of the account.
        sender: a number such as `+15551234567`, or a name of up to 11 letters and digits.
        base: where MessageBird is.
        timeout: seconds for one message.
        parallel: messages at a time.
        tls_context: `None` checks certificates against the system's.

    Raises:
        ConfigError: an option is missing or wrong, or httpx is not installed.
    """

    name: ClassVar[str] = "MessageBird"

    def __init__(
        self,
        *,
        access_key: str,
        sender: str,
        base: str = "https://rest.messagebird.com",
        timeout: float = TIMEOUT,
        parallel: int = 8,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(base=base, timeout=timeout, parallel=parallel, tls_context=tls_context)
        key = check_secret("access_key", access_key, example="the account's live access key")
        self._sender = check_sender(sender)
        self._headers = {"authorization": f"AccessKey {key}", "accept": "application/json"}

    async def _request_of(self, message: TextMessage) -> Request:
        fields: dict[str, object] = {
            "originator": self._sender,
            "recipients": [message.to.removeprefix("+")],
            "body": message.body,
            "datacoding": "auto",
        }
        if is_reachable(message.status_url):
            # It reports only of messages that have a reference; what that is does not matter.
            fields |= {"reportUrl": message.status_url, "reference": secrets.token_hex(8)}
        headers = {**self._headers, "content-type": "application/json"}
        return Request("POST", f"{self._base}/messages", headers, json.dumps(fields).encode())

    async def _check_request(self) -> Request:
        return Request("GET", f"{self._base}/balance", self._headers)

    def _has_taken(self, answer: Answer) -> bool:
        return answer.is_success and isinstance(answer.json().get("id"), str)

    def _is_checked(self, answer: Answer) -> bool:
        return answer.is_success and "amount" in answer.json()

    def _refusal(self, answer: Answer) -> DeliveryError:
        errors = answer.json().get("errors")
        first = errors[0] if isinstance(errors, list) and errors else None
        code = self._number_of(first.get("code")) if isinstance(first, dict) else None
        if not isinstance(first, dict) or code is None or answer.is_success:
            return self._by_status(answer)
        if code == _NOT_ENOUGH_BALANCE:
            return DeliveryError("MessageBird: the account is out of credit (error 25)")
        if answer.status == 422 and str(first.get("parameter")).startswith("recipient"):
            return RecipientRefused(f"MessageBird refuses the number (error {code})")
        return self._by_status(answer, str(code))

    def read_status(self, headers: Mapping[str, str], body: bytes) -> DeliveryStatus | None:
        """Return what `status` of MessageBird's report says, the query string of a GET."""
        return _STATUSES.get(read_fields(body).get("status", ""))
