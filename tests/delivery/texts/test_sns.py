"""What is SNS's own: passing credentials, attributes, errors by a word; and moto as its judge."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pwless_middleware.delivery.base import RecipientRefused
from pwless_middleware.delivery.texts.base import TextMessage
from pwless_middleware.delivery.texts.sns import SNSTexts
from pwless_middleware.errors import ConfigError, DeliveryError
from tests.delivery.texts.fake_server import FakeServer, serving
from tests.delivery.texts.vendors import TLS, VENDORS, sns_attributes, sns_error

pytestmark = pytest.mark.anyio

MESSAGE = TextMessage("+4915112345678", "Grüße: 123456 🔑")
(ANSWER,) = (vendor.answer for vendor in VENDORS if vendor.name == "sns")


def make(base: str | None, **options: Any) -> SNSTexts:
    given: dict[str, Any] = {"region": "eu-central-1", "base": base, "tls_context": TLS, **options}
    if "credentials" not in given:
        given = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "s3cret", **given}
    return SNSTexts(**given)


async def send(server: FakeServer, **options: Any) -> None:
    sns = make(server.url, **options)
    try:
        await sns.send(MESSAGE)
    finally:
        await sns.aclose()


@pytest.mark.parametrize(
    ("sender", "attribute"),
    [
        ("Acme", "AWS.SNS.SMS.SenderID"),
        ("+15551234567", "AWS.MM.SMS.OriginationNumber"),
        ("12345", "AWS.MM.SMS.OriginationNumber"),
        (None, None),
    ],
)
async def test_it_sends_as_a_name_or_a_number(sender: str | None, attribute: str | None) -> None:
    async with serving(ANSWER) as server:
        await send(server, sender=sender)
    attributes = sns_attributes(server.seen[0].form)
    assert attributes.pop("AWS.SNS.SMS.SMSType") == "Transactional"
    assert attributes == ({} if attribute is None else {attribute: sender})


async def test_credentials_that_pass_are_asked_for_each_message() -> None:
    """In a thread: those of a role may ask the machine for new ones, and take seconds."""
    asked: list[bool] = []

    def credentials() -> tuple[str, str, str | None]:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        asked.append(True)
        return "AKIAEXAMPLE", "s3cret", f"token{len(asked)}"

    async with serving(ANSWER) as server:
        sns = make(server.url, credentials=credentials)
        await sns.send(MESSAGE)
        await sns.send(MESSAGE)
        await sns.aclose()
    tokens = [seen.headers["x-amz-security-token"] for seen in server.seen]
    assert tokens == ["token1", "token2"]
    assert "x-amz-security-token" in server.seen[0].headers["authorization"]


@pytest.mark.parametrize("found", [ValueError("s3cret"), (), ("a",), None])
async def test_without_credentials_it_is_an_outage_that_quotes_nothing(found: Any) -> None:
    def credentials() -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    sns = make("http://localhost:1", credentials=credentials)
    with pytest.raises(DeliveryError, match="there are no credentials") as raised:
        await sns.send(MESSAGE)
    assert not raised.value.permanent
    assert "s3cret" not in f"{raised.value}"


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "permanent"),
    [
        (400, "InvalidParameter", f"Invalid parameter: PhoneNumber Reason: {MESSAGE.to}",
         RecipientRefused, True),
        (403, "OptedOut", f"{MESSAGE.to} is opted out", RecipientRefused, True),
        (400, "InvalidParameter", "Invalid parameter: Message too long", DeliveryError, True),
        (400, "Throttling", "Rate exceeded", DeliveryError, False),
        (429, "Throttled", "Rate exceeded", DeliveryError, False),
        (400, "RequestExpired", "a clock is wrong", DeliveryError, False),
        (403, "SignatureDoesNotMatch", "", DeliveryError, False),
        (403, "ExpiredToken", "", DeliveryError, False),
        (500, "InternalFailure", "", DeliveryError, False),
        (503, "ServiceUnavailable", "", DeliveryError, False),
    ],
)  # fmt: skip
async def test_an_error_is_known_by_its_word(
    status: int, code: str, message: str, kind: type[DeliveryError], permanent: bool
) -> None:
    async with serving(lambda _: sns_error(status, code, message)) as server:
        with pytest.raises(DeliveryError) as raised:
            await send(server)
    assert type(raised.value) is kind
    assert raised.value.permanent is permanent
    assert MESSAGE.to not in str(raised.value)


BAD: dict[str, list[object]] = {
    "region": ["", "europe", None, "eu-central-1/x", "eu-central-1\n"],
    "secret_access_key": [None, "", "a b"],
    "credentials": ["x", 5, lambda: ()],  # the last beside the fixed ones
    "clock": [5, None],
}


@pytest.mark.parametrize(
    ("option", "value"), [(option, value) for option, values in BAD.items() for value in values]
)
def test_a_bad_option_is_named(option: str, value: object) -> None:
    given = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "s3cret", option: value}
    if option == "credentials" and not callable(value):
        given |= {"access_key_id": None, "secret_access_key": None}
    with pytest.raises(ConfigError) as raised:
        make(None, **given)
    assert raised.value.option == option


# moto, which knows SNS, and checks signatures by botocore once it is told to


@dataclass(frozen=True)
class Moto:
    """A moto server, and a user of it who may publish and no more."""

    url: str
    key_id: str
    secret: str


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    import boto3
    from moto import settings
    from moto.server import ThreadedMotoServer

    before = settings.INITIAL_NO_AUTH_ACTION_COUNT
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        iam = boto3.client(
            "iam", endpoint_url=url, region_name="eu-central-1",
            aws_access_key_id="x", aws_secret_access_key="y",
        )  # fmt: skip
        iam.create_user(UserName="login")
        may = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:Publish"'
        iam.put_user_policy(
            UserName="login", PolicyName="sms", PolicyDocument=may + ', "Resource": "*"}]}'
        )
        key = iam.create_access_key(UserName="login")["AccessKey"]
        iam.close()
        plain = {"content-type": "text/plain"}
        reset = urllib.request.Request(f"{url}/moto-api/reset-auth", data=b"0", headers=plain)
        urllib.request.urlopen(reset, timeout=30).close()
        yield Moto(url, key["AccessKeyId"], key["SecretAccessKey"])
    finally:
        server.stop()
        settings.INITIAL_NO_AUTH_ACTION_COUNT = before


async def test_moto_takes_the_message_and_the_signature(moto: Moto) -> None:
    from moto.sns.models import sns_backends

    sns = make(moto.url, access_key_id=moto.key_id, secret_access_key=moto.secret, sender="Acme")
    await sns.send(MESSAGE)
    await sns.check()  # who may publish and no more has signed in
    await sns.aclose()
    found = sns_backends["123456789012"]["eu-central-1"].sms_messages.values()
    assert [tuple(message)[:2] for message in found] == [(MESSAGE.to, MESSAGE.body)]


async def test_moto_refuses_another_secret(moto: Moto) -> None:
    sns = make(moto.url, access_key_id=moto.key_id, secret_access_key="another")
    with pytest.raises(DeliveryError, match=r"refuses the credentials .*SignatureDoesNotMatch"):
        await sns.send(MESSAGE)
    with pytest.raises(DeliveryError, match="refuses the credentials"):
        await sns.check()
    await sns.aclose()
