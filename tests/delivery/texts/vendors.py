"""The gateways as their vendors document them: each judges a request, and answers as it would.

Twilio: twilio.com/docs/messaging/api/message-resource and .../docs/api/errors.
Vonage: developer.vonage.com/api/sms and .../messaging/sms/guides/troubleshooting-sms.
MessageBird: developers.messagebird.com/api/sms-messaging.
SNS: docs.aws.amazon.com/sns/latest/api/API_Publish.html; its signature is botocore's to judge.
"""

from __future__ import annotations

import json
import re
import ssl
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pwless_middleware.delivery.texts.gateway import Gateway
from pwless_middleware.delivery.texts.messagebird import MessageBirdTexts
from pwless_middleware.delivery.texts.sns import SNSTexts
from pwless_middleware.delivery.texts.twilio import TwilioTexts
from pwless_middleware.delivery.texts.vonage import VonageTexts
from pwless_middleware.delivery.texts.webhook import WebhookTexts
from tests.delivery.texts.fake_server import Reply, Seen, reply

ACCOUNT, TOKEN = "AC" + "0a" * 16, "7hT0kenOfTw1lio"
NAME = "Acme"
BARRED = "+15005550001"
"""A number that every vendor refuses."""
TLS = ssl.create_default_context()
"""The system's certificates, read once: they are most of what it costs to make a sender."""
SECRETS = (TOKEN, "v0nageS3cret", "live_m3ssageB1rd", "aws/S3cret+Key", "w3bh00kT0ken")


@dataclass(frozen=True)
class Sent:
    """What a vendor understood of a request."""

    to: str
    body: str
    sender: str
    status_url: str


@dataclass(frozen=True)
class Vendor:
    """One gateway, and how it is.

    `make` takes where it is; `with_wrong_key` has another credential. `answer` judges a request,
    `read` says what was understood. `unknown` is a 4xx that says nothing of the number.
    """

    name: str
    make: Callable[..., Gateway]
    with_wrong_key: Callable[..., Gateway]
    answer: Callable[[Seen], Reply]
    read: Callable[[Seen], Sent]
    unknown: bytes
    receipts: tuple[tuple[bytes, str | None], ...] = ()


def _json(status: int, /, **fields: Any) -> bytes:
    return reply(status, json.dumps(fields), content_type="application/json")


# --- Twilio ---------------------------------------------------------------------------------------


def _twilio_error(status: int, code: int, message: str) -> bytes:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return _json(status, code=code, message=message, more_info=more, status=status)


def _answer_as_twilio(seen: Seen) -> Reply:
    basic = "Basic " + b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    if seen.headers.get("authorization") != basic:
        return _twilio_error(401, 20003, "Authenticate")
    if (seen.method, seen.target) == ("GET", f"{path}?PageSize=1"):
        return _json(200, messages=[], page=0, page_size=1)
    if (seen.method, seen.target) != ("POST", path):
        return _twilio_error(404, 20404, "The requested resource was not found")
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    form = seen.form
    if not form.get("From") and not form.get("MessagingServiceSid"):
        return _twilio_error(400, 21603, "A 'From' phone number is required.")
    if form["To"] == BARRED:
        return _twilio_error(400, 21211, f"The 'To' number {form['To']} is not a valid number.")
    return _json(
        201, sid="SM" + "1b" * 16, status="queued", error_code=None, error_message=None,
        to=form["To"], body=form["Body"],
    )  # fmt: skip


def _read_as_twilio(seen: Seen) -> Sent:
    form = seen.form
    sender = form.get("From") or form["MessagingServiceSid"]
    return Sent(form["To"], form["Body"], sender, form.get("StatusCallback", ""))


# --- Vonage ---------------------------------------------------------------------------------------


def vonage_says(*statuses: str) -> bytes:
    """Answer as Vonage does, with 200, whatever became of the parts of a message."""
    parts = [
        {"to": BARRED[1:], "status": status, "message-id": "0C000000217B7F02"}
        if status == "0"
        else {"status": status, "error-text": f"about {BARRED[1:]}"}
        for status in statuses
    ]
    return _json(200, **{"message-count": str(len(parts)), "messages": parts})


def _answer_as_vonage(seen: Seen) -> Reply:
    if (seen.method, seen.target) == ("GET", "/account/get-balance"):
        basic = "Basic " + b64encode(b"abcd1234:v0nageS3cret").decode()
        if seen.headers.get("authorization") != basic:
            return _json(401, **{"error-code": "401", "error-code-label": "authentication failed"})
        return _json(200, value=10.28, autoReload=False)
    assert (seen.method, seen.target) == ("POST", "/sms/json")
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"
    form = seen.form
    if (form.get("api_key"), form.get("api_secret")) != ("abcd1234", "v0nageS3cret"):
        return vonage_says("4")
    if not re.fullmatch(r"[0-9]{7,15}", form.get("to", "")) or not form.get("from"):
        return vonage_says("3")
    return vonage_says("7" if form["to"] == BARRED[1:] else "0")


def _read_as_vonage(seen: Seen) -> Sent:
    form = seen.form
    is_ascii = form["text"].isascii()
    assert form["type"] == "text" or not is_ascii
    return Sent(f"+{form['to']}", form["text"], form["from"], form.get("callback", ""))


# --- MessageBird ----------------------------------------------------------------------------------


def messagebird_error(status: int, code: int, description: str, parameter: str | None) -> bytes:
    """Answer as MessageBird does where something is wrong."""
    found = {"code": code, "description": description, "parameter": parameter}
    return _json(status, errors=[found])


def _answer_as_messagebird(seen: Seen) -> Reply:
    if seen.headers.get("authorization") != "AccessKey live_m3ssageB1rd":
        return messagebird_error(401, 2, "Request not allowed (incorrect access_key)", "access_key")
    if (seen.method, seen.target) == ("GET", "/balance"):
        return _json(200, payment="prepaid", type="credits", amount=9.2)
    assert (seen.method, seen.target) == ("POST", "/messages")
    assert seen.headers["content-type"] == "application/json"
    asked = json.loads(seen.body)
    assert asked["datacoding"] == "auto"
    if asked["recipients"] == [BARRED[1:]]:
        return messagebird_error(422, 10, f"no (correct) recipients: {BARRED}", "recipients")
    return _json(
        201, id="e8077d803532c0b5937c639b60216938", type="sms", body=asked["body"],
        recipients={"totalCount": 1, "totalSentCount": 1, "items": []},
    )  # fmt: skip


def _read_as_messagebird(seen: Seen) -> Sent:
    asked = json.loads(seen.body)
    # Reports come only of messages that have a reference.
    assert ("reportUrl" in asked) == ("reference" in asked)
    (to,) = asked["recipients"]
    return Sent(f"+{to}", asked["body"], asked["originator"], asked.get("reportUrl", ""))


# --- SNS ------------------------------------------------------------------------------------------

_SNS = "http://sns.amazonaws.com/doc/2010-03-31/"


def sns_error(status: int, code: str, message: str) -> bytes:
    """Answer as SNS does where something is wrong."""
    error = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
    return reply(status, f'<ErrorResponse xmlns="{_SNS}"><Error>{error}</Error></ErrorResponse>')


def _answer_as_sns(seen: Seen) -> Reply:
    assert (seen.method, seen.target) == ("POST", "/")
    if "Credential=AKIAEXAMPLE/" not in seen.headers["authorization"]:
        return sns_error(403, "InvalidClientTokenId", "The security token is invalid.")
    form = seen.form
    assert form["Version"] == "2010-03-31"
    if form["Action"] == "GetSMSAttributes":
        return sns_error(403, "AuthorizationError", "not authorized to perform it")
    assert form["Action"] == "Publish"
    if form["PhoneNumber"] == BARRED:
        told = f"Invalid parameter: PhoneNumber Reason: {BARRED} is not valid to publish to"
        return sns_error(400, "InvalidParameter", told)
    found = "<PublishResult><MessageId>567910cd-659e</MessageId></PublishResult>"
    return reply(200, f'<PublishResponse xmlns="{_SNS}">{found}</PublishResponse>')


def sns_attributes(form: dict[str, str]) -> dict[str, str]:
    """Return the attributes of a message by their names."""
    found = {}
    for number in range(1, 3):
        name = form.get(f"MessageAttributes.entry.{number}.Name")
        if name is not None:
            assert form[f"MessageAttributes.entry.{number}.Value.DataType"] == "String"
            found[name] = form[f"MessageAttributes.entry.{number}.Value.StringValue"]
    return found


def _read_as_sns(seen: Seen) -> Sent:
    form = seen.form
    attributes = sns_attributes(form)
    assert attributes["AWS.SNS.SMS.SMSType"] == "Transactional"
    return Sent(form["PhoneNumber"], form["Message"], attributes["AWS.SNS.SMS.SenderID"], "")


# --- a webhook ------------------------------------------------------------------------------------


def _answer_as_webhook(seen: Seen) -> Reply:
    if seen.headers.get("authorization") != "Bearer w3bh00kT0ken":
        return reply(401)
    if seen.method == "HEAD":
        return reply(405)
    assert (seen.method, seen.target) == ("POST", "/sms?from=acme")
    asked = json.loads(seen.body)
    assert list(asked) == ["to", "body", "status_url"]
    return reply(422, f"not {BARRED}") if asked["to"] == BARRED else reply(202)


def _read_as_webhook(seen: Seen) -> Sent:
    asked = json.loads(seen.body)
    return Sent(asked["to"], asked["body"], NAME, asked["status_url"])


# --------------------------------------------------------------------------------------------------


def _twilio(base: str, *, token: str = TOKEN, **options: Any) -> Gateway:
    options.setdefault("tls_context", TLS)
    options.setdefault("sender", NAME)
    return TwilioTexts(account_sid=ACCOUNT, auth_token=token, base=base, **options)


def _vonage(base: str, *, secret: str = "v0nageS3cret", **options: Any) -> Gateway:
    options.setdefault("tls_context", TLS)
    options.setdefault("sender", NAME)
    return VonageTexts(api_key="abcd1234", api_secret=secret, base=base, **options)


def _messagebird(base: str, *, key: str = "live_m3ssageB1rd", **options: Any) -> Gateway:
    options.setdefault("tls_context", TLS)
    options.setdefault("sender", NAME)
    return MessageBirdTexts(access_key=key, base=base, **options)


def _sns(base: str, *, key: str = "AKIAEXAMPLE", **options: Any) -> Gateway:
    options.setdefault("tls_context", TLS)
    options.setdefault("sender", NAME)
    return SNSTexts(
        region="eu-central-1", access_key_id=key, secret_access_key="aws/S3cret+Key", base=base,
        **options,
    )  # fmt: skip


def _webhook(base: str, *, token: str = "w3bh00kT0ken", **options: Any) -> Gateway:
    options.setdefault("tls_context", TLS)
    return WebhookTexts(url=f"{base}/sms?from=acme", token=token, **options)


VENDORS = (
    Vendor(
        "twilio", _twilio, lambda base, **o: _twilio(base, token="wrong", **o),
        _answer_as_twilio, _read_as_twilio,
        _twilio_error(400, 21617, "The concatenated message body exceeds the 1600 limit"),
        (
            (b"SmsSid=SM1&SmsStatus=delivered&MessageStatus=delivered&To=%2B1500&From=Acme",
             "delivered"),
            (b"MessageStatus=undelivered&ErrorCode=30005", "undelivered"),
            (b"MessageStatus=failed&ErrorCode=30008", "undelivered"),
            (b"MessageStatus=sent", None),
            (b"MessageStatus=queued", None),
            (b"MessageStatus=delivered&MessageStatus=failed", None),
        ),
    ),
    Vendor(
        "vonage", _vonage, lambda base, **o: _vonage(base, secret="wrong", **o),
        _answer_as_vonage, _read_as_vonage, vonage_says("12"),
        (
            (b'{"msisdn":"447700900000","status":"delivered","err-code":"0"}', "delivered"),
            (b"msisdn=447700900000&to=Acme&status=delivered&err-code=0", "delivered"),
            (b'{"status":"expired","err-code":"5"}', "undelivered"),
            (b'{"status":"failed"}', "undelivered"),
            (b'{"status":"rejected"}', "undelivered"),
            (b'{"status":"accepted"}', None),
            (b'{"status":"buffered"}', None),
            (b'{"status":"failed","status":"delivered"}', None),
        ),
    ),
    Vendor(
        "messagebird", _messagebird, lambda base, **o: _messagebird(base, key="wrong", **o),
        _answer_as_messagebird, _read_as_messagebird,
        messagebird_error(422, 10, "originator is invalid", "originator"),
        (
            (b"id=e8077d80&reference=x&recipient=31612345678&status=delivered"
             b"&statusDatetime=2016-05-03T08%3A58%3A10%2B00%3A00", "delivered"),
            (b"status=delivery_failed&statusErrorCode=103", "undelivered"),
            (b"status=expired", "undelivered"),
            (b"status=buffered", None),
            (b"status=sent", None),
        ),
    ),
    Vendor(
        "sns", _sns, lambda base, **o: _sns(base, key="AKIAWRONG", **o),
        _answer_as_sns, _read_as_sns,
        sns_error(400, "InvalidParameter", "Invalid parameter: Message too long"),
        ((b"status=delivered", None),),
    ),
    Vendor(
        "webhook", _webhook, lambda base, **o: _webhook(base, token="wrong", **o),
        _answer_as_webhook, _read_as_webhook, reply(400),
        (
            (b'{"status": "delivered"}', "delivered"),
            (b"status=undelivered", "undelivered"),
            (b'{"status": "read"}', None),
        ),
    ),
)  # fmt: skip
