"""Amazon SNS, its action Publish to a phone number (docs.aws.amazon.com/sns/latest/api).

The query protocol: a form that is signed (`aws_signature`), and XML in return, of which one word is
read. SNS reports how a message ended to CloudWatch alone, so that there is no `read_status`.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_verbs
from pwless_middleware.delivery.base import RecipientRefused
from pwless_middleware.delivery.texts.aws_signature import Credentials, sign
from pwless_middleware.delivery.texts.base import TextMessage
from pwless_middleware.delivery.texts.gateway import TIMEOUT, Gateway, Request
from pwless_middleware.delivery.texts.http import Answer
from pwless_middleware.delivery.texts.options import (
    FORM,
    check_secret,
    check_sender,
    encode_form,
    is_number,
)
from pwless_middleware.errors import ConfigError, DeliveryError

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
_MESSAGE_ID = re.compile(rb"<MessageId>[^<]{1,100}</MessageId>")
_CODE = re.compile(rb"<Code>([A-Za-z]{1,60})</Code>")
_ABOUT_NUMBER = re.compile(rb"Invalid parameter: (?:PhoneNumber|Phone number)", re.IGNORECASE)
_LATER: Final = ("Throttl", "RequestLimit", "Internal", "ServiceUnavailable", "RequestExpired")
_NOT_AUTHORIZED: Final = frozenset(("AuthorizationError", "AccessDenied", "AccessDeniedException"))

GetCredentials = Callable[[], Sequence[str | None]]
"""Return access key id, secret access key and session token, the last one `None` where there is
none. It may block, and is asked in a thread."""


@named_options()
class SNSTexts(Gateway):
    """Send text messages through Amazon SNS.

    Args:
        region: e.g. `eu-central-1`; one that can send text messages.
        access_key_id, secret_access_key: of a user who may do `sns:Publish`; or `None` with
            `credentials`.
        credentials: returns access key id, secret access key and session token for each message,
            as those of a role pass; boto3's
            `Session().get_credentials().get_frozen_credentials` is one. `None` with the above.
        sender: a number of the account such as `+15551234567`, or a name of up to 11 letters and
            digits; `None` leaves it to SNS.
        base: where SNS is; `None` is the region's own.
        timeout: seconds for one message.
        parallel: messages at a time.
        tls_context: `None` checks certificates against the system's.
        clock: unix seconds, for the signature.

    Raises:
        ConfigError: an option is missing or wrong, or httpx is not installed.
    """

    name: ClassVar[str] = "SNS"

    def __init__(
        self,
        *,
        region: str,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        credentials: GetCredentials | None = None,
        sender: str | None = None,
        base: str | None = None,
        timeout: float = TIMEOUT,
        parallel: int = 8,
        tls_context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not isinstance(region, str) or not _REGION.fullmatch(region):
            raise ConfigError("region", "set one such as eu-central-1")
        super().__init__(
            base=f"https://sns.{region}.amazonaws.com" if base is None else base,
            timeout=timeout,
            parallel=parallel,
            tls_context=tls_context,
        )
        self._fixed = Credentials("", "")
        if credentials is None:
            self._fixed = Credentials(
                check_secret("access_key_id", access_key_id, example="the access key's id"),
                check_secret("secret_access_key", secret_access_key, example="the access key"),
            )
        elif access_key_id is not None or secret_access_key is not None:
            raise ConfigError("credentials", "set these, or access_key_id and secret_access_key")
        else:
            check_verbs("credentials", credentials, ("__call__",), example="a callable")
        check_verbs("clock", clock, ("__call__",), example="a callable, e.g. time.time")
        self._region = region
        self._ask_credentials = credentials
        self._sender = None if sender is None else check_sender(sender)
        self._clock = clock

    async def _request_of(self, message: TextMessage) -> Request:
        attributes = {"AWS.SNS.SMS.SMSType": "Transactional"}
        if self._sender is not None:
            kind = "MM.SMS.OriginationNumber" if is_number(self._sender) else "SNS.SMS.SenderID"
            attributes[f"AWS.{kind}"] = self._sender
        fields = {"PhoneNumber": message.to, "Message": message.body}
        for number, (attribute, value) in enumerate(attributes.items(), start=1):
            entry = f"MessageAttributes.entry.{number}"
            fields[f"{entry}.Name"] = attribute
            fields[f"{entry}.Value.DataType"] = "String"
            fields[f"{entry}.Value.StringValue"] = value
        return await self._sign_form("Publish", fields)

    async def _check_request(self) -> Request:
        return await self._sign_form("GetSMSAttributes", {})

    async def _sign_form(self, action: str, fields: dict[str, str]) -> Request:
        content = encode_form({"Action": action, "Version": "2010-03-31", **fields})
        url = f"{self._base}/"
        headers = sign(
            url,
            {"content-type": FORM},
            content,
            credentials=await self._get_credentials(),
            region=self._region,
            service="sns",
            now=int(self._clock()),
        )
        return Request("POST", url, headers, content)

    async def _get_credentials(self) -> Credentials:
        """Return those of now; AWS's own may ask the machine for new ones, and block."""
        if self._ask_credentials is None:
            return self._fixed
        try:
            id, key, token = await asyncio.to_thread(self._ask_credentials)
            return Credentials(str(id), str(key), str(token or ""))
        except Exception as error:
            reason = f"SNS: there are no credentials ({type(error).__name__})"
        raise DeliveryError(reason)

    def _has_taken(self, answer: Answer) -> bool:
        return answer.is_success and _MESSAGE_ID.search(answer.body) is not None

    def _is_checked(self, answer: Answer) -> bool:
        # A user who may publish and no more has signed in all the same.
        return answer.is_success or _code_of(answer) in _NOT_AUTHORIZED

    def _refusal(self, answer: Answer) -> DeliveryError:
        code = _code_of(answer)
        if answer.is_success or not code:
            return self._by_status(answer)
        if code.startswith("OptedOut") or (
            code.startswith("InvalidParameter") and _ABOUT_NUMBER.search(answer.body)
        ):
            return RecipientRefused(f"SNS refuses the number (error {code})")
        if code.startswith(_LATER):
            retry_after = answer.retry_after
            return DeliveryError(
                f"SNS does not take it now (error {code})", retry_after=retry_after
            )
        return self._by_status(answer, code)


def _code_of(answer: Answer) -> str:
    """Return the word that an error's answer has for it; empty where there is none."""
    found = _CODE.search(answer.body)
    return found[1].decode() if found else ""
