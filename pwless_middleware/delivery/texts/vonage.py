"""Vonage's SMS API (developer.vonage.com/api/sms), formerly Nexmo.

It answers 200 also when it refuses: what counts is `status` of each of the parts in `messages`.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import ClassVar, Final

from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.delivery.base import MaybeDelivered, RecipientRefused
from pwless_middleware.delivery.texts.base import DeliveryStatus, TextMessage
from pwless_middleware.delivery.texts.gateway import TIMEOUT, Gateway, Request
from pwless_middleware.delivery.texts.gsm_alphabet import is_gsm
from pwless_middleware.delivery.texts.http import Answer, is_reachable
from pwless_middleware.delivery.texts.options import (
    FORM,
    basic_auth,
    check_secret,
    check_sender,
    encode_form,
)
from pwless_middleware.delivery.texts.receipts import read_fields
from pwless_middleware.errors import DeliveryError

_STATUS: Final = re.compile("[0-9]{1,5}")
"""What is longer may be the number, or the code that was sent: nothing for a log."""
_TAKEN: Final = "0"
_NOT_THIS_NUMBER: Final = frozenset(("7", "33"))
"""The number is barred, or deactivated (developer.vonage.com/api-errors/sms)."""
_CREDENTIALS: Final = frozenset(("4", "8", "11", "14", "32"))
"""The key is wrong, or the account is suspended or not set up for this."""
_LATER: Final = frozenset(("1", "5", "9", "10", "13", "99"))
"""Too fast, an internal error, no credit, too many connections."""
_STATUSES: Final[Mapping[str, DeliveryStatus]] = {
    "delivered": "delivered",
    "expired": "undelivered",
    "failed": "undelivered",
    "rejected": "undelivered",
}


@named_options()
class VonageTexts(Gateway):
    """Send text messages through Vonage.

    Args:
        api_key: the account's.
        api_secret: the account's.
        sender: a number such as `+15551234567`, or a name of up to 11 letters and digits.
        base: where Vonage is.
        timeout: seconds for one message.
        parallel: messages at a time.
        tls_context: `None` checks certificates against the system's.

    Raises:
        ConfigError: an option is missing or wrong, or httpx is not installed.
    """

    name: ClassVar[str] = "Vonage"

    def __init__(
        self,
        *,
        api_key: str,
        api_secret: str,
        sender: str,
        base: str = "https://rest.nexmo.com",
        timeout: float = TIMEOUT,
        parallel: int = 8,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(base=base, timeout=timeout, parallel=parallel, tls_context=tls_context)
        self._key = check_secret("api_key", api_key, example="the account's API key")
        self._secret = check_secret("api_secret", api_secret, example="the account's API secret")
        self._sender = check_sender(sender)

    async def _request_of(self, message: TextMessage) -> Request:
        fields = {
            "api_key": self._key,
            "api_secret": self._secret,
            "from": self._sender.removeprefix("+"),
            "to": message.to.removeprefix("+"),
            "type": "text" if is_gsm(message.body) else "unicode",
            "text": message.body,
        }
        if is_reachable(message.status_url):
            fields["callback"] = message.status_url
        url = f"{self._base}/sms/json"
        return Request("POST", url, {"content-type": FORM}, encode_form(fields))

    async def _check_request(self) -> Request:
        # In a header: what stands in the path is logged on the way.
        headers = {"authorization": basic_auth(self._key, self._secret)}
        return Request("GET", f"{self._base}/account/get-balance", headers)

    def _has_taken(self, answer: Answer) -> bool:
        return answer.is_success and set(_statuses_of(answer)) == {_TAKEN}

    def _is_checked(self, answer: Answer) -> bool:
        return answer.is_success and "value" in answer.json()

    def _refusal(self, answer: Answer) -> DeliveryError:
        statuses = _statuses_of(answer)
        wrong = [status for status in statuses if status != _TAKEN]
        if not answer.is_success or not wrong:
            return self._by_status(answer)
        if len(wrong) < len(statuses):
            return MaybeDelivered(f"Vonage took only a part of it (status {wrong[0]})")
        said = f"status {wrong[0]}"
        if wrong[0] in _NOT_THIS_NUMBER:
            return RecipientRefused(f"Vonage refuses the number ({said})")
        if wrong[0] in _CREDENTIALS:
            return DeliveryError(f"Vonage refuses the credentials ({said})")
        if wrong[0] in _LATER:
            return DeliveryError(f"Vonage does not take it now ({said})")
        return DeliveryError(f"Vonage does not take it ({said})", permanent=True)

    def read_status(self, headers: Mapping[str, str], body: bytes) -> DeliveryStatus | None:
        """Return what `status` of Vonage's delivery receipt says: JSON, a form or a query string,
        as the account is set up.
        """
        return _STATUSES.get(read_fields(body).get("status", ""))


def _statuses_of(answer: Answer) -> list[str]:
    """Return the status of each part of a message; none where the answer cannot be read."""
    parts = answer.json().get("messages")
    if not isinstance(parts, list):
        return []
    statuses = [part.get("status") if isinstance(part, dict) else None for part in parts]
    known = [s for s in statuses if isinstance(s, str) and _STATUS.fullmatch(s)]
    return known if len(known) == len(parts) else []
