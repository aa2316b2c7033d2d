"""Twilio's Messages resource (twilio.com/docs/messaging/api/message-resource).

Twilio Verify is not used: it makes codes of its own, and ours are derived.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import ClassVar, Final

from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.delivery.base import RecipientRefused
from pwless_middleware.delivery.texts.base import DeliveryStatus, TextMessage
from pwless_middleware.delivery.texts.gateway import TIMEOUT, Gateway, Request
from pwless_middleware.delivery.texts.http import Answer, is_reachable
from pwless_middleware.delivery.texts.options import (
    FORM,
    basic_auth,
    check_secret,
    check_sender,
    encode_form,
)
from pwless_middleware.delivery.texts.receipts import read_fields
from pwless_middleware.errors import ConfigError, DeliveryError

_ACCOUNT = re.compile(r"AC[0-9a-fA-F]{32}")
_KEY = re.compile(r"SK[0-9a-fA-F]{32}")
_SERVICE: Final = "MG[0-9a-fA-F]{32}"

_NOT_THIS_NUMBER: Final = frozenset((21211, 21217, 21265, 21610, 21614, 21635))
"""Errors about the number itself (twilio.com/docs/api/errors): it is invalid, no mobile phone's, or
its owner has answered STOP."""
_STATUSES: Final[Mapping[str, DeliveryStatus]] = {
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "undelivered",
    "canceled": "undelivered",
}


@named_options()
class TwilioTexts(Gateway):
    """Send text messages through Twilio.

    Args:
        account_sid: the account's, `AC…`.
        auth_token: the account's, or with `key_sid` the secret of that key.
        sender: a number such as `+15551234567`, a short code, a name, or `MG…` of a messaging
            service.
        key_sid: `SK…` of an API key; `None` signs in as the account.
        base: where Twilio is; for a region `https://api.dublin.ie1.twilio.com`.
        timeout: seconds for one message.
        parallel: messages at a time.
        tls_context: `None` checks certificates against the system's.

    Raises:
        ConfigError: an option is missing or wrong, or httpx is not installed.
    """

    name: ClassVar[str] = "Twilio"

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        sender: str,
        key_sid: str | None = None,
        base: str = "https://api.twilio.com",
        timeout: float = TIMEOUT,
        parallel: int = 8,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(base=base, timeout=timeout, parallel=parallel, tls_context=tls_context)
        if not isinstance(account_sid, str) or not _ACCOUNT.fullmatch(account_sid):
            raise ConfigError("account_sid", "set the account's SID: AC and 32 hexadecimal digits")
        if key_sid is not None and not (isinstance(key_sid, str) and _KEY.fullmatch(key_sid)):
            raise ConfigError("key_sid", "set an API key's SID: SK and 32 hexadecimal digits")
        token = check_secret("auth_token", auth_token, example="the account's auth token")
        self._sender = check_sender(sender, other=_SERVICE)
        self._headers = {"authorization": basic_auth(key_sid or account_sid, token)}
        self._url = f"{self._base}/2010-04-01/Accounts/{account_sid}/Messages.json"

    async def _request_of(self, message: TextMessage) -> Request:
        is_service = re.fullmatch(_SERVICE, self._sender)
        fields = {
            "To": message.to,
            "MessagingServiceSid" if is_service else "From": self._sender,
            "Body": message.body,
        }
        if is_reachable(message.status_url):
            fields["StatusCallback"] = message.status_url
        headers = {**self._headers, "content-type": FORM}
        return Request("POST", self._url, headers, encode_form(fields))

    async def _check_request(self) -> Request:
        return Request("GET", f"{self._url}?PageSize=1", self._headers)

    def _has_taken(self, answer: Answer) -> bool:
        found = answer.json()
        is_failed = found.get("error_code") is not None or found.get("status") == "failed"
        return answer.is_success and isinstance(found.get("sid"), str) and not is_failed

    def _is_checked(self, answer: Answer) -> bool:
        # A page of messages may be longer than what is read of an answer.
        return answer.status == 200

    def _refusal(self, answer: Answer) -> DeliveryError:
        found = answer.json()
        code = self._number_of(found.get("error_code" if answer.is_success else "code"))
        if code is None:
            return self._by_status(answer)
        if code in _NOT_THIS_NUMBER:
            return RecipientRefused(f"Twilio refuses the number (error {code})")
        if answer.is_success:
            return DeliveryError(f"Twilio does not take it (error {code})", permanent=True)
        return self._by_status(answer, str(code))

    def read_status(self, headers: Mapping[str, str], body: bytes) -> DeliveryStatus | None:
        """Return what `MessageStatus` of Twilio's status callback says, a form."""
        return _STATUSES.get(read_fields(body).get("MessageStatus", ""))
