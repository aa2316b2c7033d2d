"""What every gateway promises, each against its vendor's wire on loopback."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trustme

from pwless_middleware.delivery.base import MaybeDelivered, RecipientRefused
from pwless_middleware.delivery.texts.base import TextMessage, TextSender, read_status
from pwless_middleware.errors import ConfigError, DeliveryError
from pwless_middleware.safe_http import httpx_library
from tests.delivery.texts.fake_server import Reply, Seen, reply, serving
from tests.delivery.texts.vendors import BARRED, NAME, SECRETS, VENDORS, Sent, Vendor
from tests.ports import free_port

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name),
]

JO = "+4915112345678"
STATUS = "https://app.example.com/auth/sms/status/s3aled"
BODY = "123456 is your code.\n\n@app.example.com #123456"
MESSAGE = TextMessage(JO, BODY, STATUS)


@contextmanager
def failing(
    *, maybe: bool = False, permanent: bool = False
) -> Iterator[pytest.ExceptionInfo[DeliveryError]]:
    """Expect an error of one kind, whose reason tells nothing that it should not."""
    with pytest.raises(DeliveryError) as raised:
        yield raised
    told = f"{raised.value!r} {raised.value} {raised.value.__cause__!r}"
    for secret in (JO, JO[1:], BARRED, BARRED[1:], "123456", STATUS, "s3aled", *SECRETS):
        assert secret not in told
    assert isinstance(raised.value, MaybeDelivered) is maybe
    assert raised.value.permanent is permanent


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        "Grüße: 123456 ist Ihr Code für Äcme & Söhne (100 % = 1+1).\n\n@a.example #123456",
        "رمزك هو 123456",
        "验证码 123456 🔑",
    ],
)
async def test_a_message_arrives_whole_and_in_its_own_writing(vendor: Vendor, body: str) -> None:
    async with serving(vendor.answer) as server:
        sender = vendor.make(server.url)
        await sender.send(TextMessage(JO, body, STATUS))
        await sender.send(TextMessage(JO, body))
        await sender.aclose()

    first, second = (vendor.read(seen) for seen in server.seen)
    status = "" if vendor.name == "sns" else STATUS
    assert first == Sent(JO, body, NAME, status)
    assert second == Sent(JO, body, NAME, "")
    assert server.connections == 1  # the second went over the first's
    # What unpacks to gigabytes is not asked for, and what comes packed is not read.
    assert {seen.headers["accept-encoding"] for seen in server.seen} == {"identity"}


async def test_it_is_a_sender_and_shows_no_secret(vendor: Vendor) -> None:
    sender = vendor.make("http://localhost:1", parallel=3)
    assert isinstance(sender, TextSender)
    assert sender.parallel == 3
    assert not any(secret in repr(sender) for secret in SECRETS)


async def test_a_number_that_is_refused_is_refused_for_good(vendor: Vendor) -> None:
    async with serving(vendor.answer) as server:
        sender = vendor.make(server.url)
        with failing(permanent=True) as raised:
            await sender.send(TextMessage(BARRED, BODY))
        assert isinstance(raised.value, RecipientRefused)
        await sender.aclose()


async def test_wrong_credentials_are_an_outage_that_an_operator_can_mend(vendor: Vendor) -> None:
    async with serving(vendor.answer) as server:
        sender = vendor.with_wrong_key(server.url)
        with failing() as raised:
            await sender.send(MESSAGE)
        with failing() as checked:
            await sender.check()
        await sender.aclose()
    assert "refuses the credentials" in str(raised.value)
    assert "refuses the credentials" in str(checked.value)


async def test_an_account_without_credit_is_an_outage_too(vendor: Vendor) -> None:
    async with serving(lambda _: reply(402)) as server:
        sender = vendor.make(server.url)
        with failing() as raised:
            await sender.send(MESSAGE)
        await sender.aclose()
    assert "out of credit" in str(raised.value)


async def test_a_message_that_is_refused_for_another_reason_is_given_up(vendor: Vendor) -> None:
    async with serving(lambda _: vendor.unknown) as server:
        sender = vendor.make(server.url)
        with failing(permanent=True):
            await sender.send(MESSAGE)
        await sender.aclose()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
async def test_what_passes_is_tried_again_when_the_gateway_says(
    vendor: Vendor, status: int
) -> None:
    async with serving(lambda _: reply(status, f"about {JO}", retry_after=17)) as server:
        sender = vendor.make(server.url)
        with failing() as raised:
            await sender.send(MESSAGE)
        assert raised.value.retry_after == 17
        await sender.aclose()


async def test_a_proxy_that_has_waited_too_long_may_have_had_the_message_taken(
    vendor: Vendor,
) -> None:
    async with serving(lambda _: reply(504, f"about {JO}")) as server:
        sender = vendor.make(server.url)
        with failing(maybe=True):
            await sender.send(MESSAGE)
        await sender.aclose()


@pytest.mark.parametrize("told", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1e9", "9" * 9, ""])
async def test_a_wait_that_is_no_number_of_seconds_is_none(vendor: Vendor, told: str) -> None:
    async with serving(lambda _: reply(429, retry_after=told)) as server:
        sender = vendor.make(server.url)
        with failing() as raised:
            await sender.send(MESSAGE)
        assert raised.value.retry_after is None
        await sender.aclose()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_redirect_is_followed(vendor: Vendor, status: int) -> None:
    async with serving(lambda _: reply(200)) as other:
        moved = reply(status, location=f"{other.url}/elsewhere")
        async with serving(lambda _: moved) as server:
            sender = vendor.make(server.url)
            with failing():
                await sender.send(MESSAGE)
            await sender.aclose()
    assert len(server.seen) == 1
    assert other.seen == []


HUGE = b"HTTP/1.1 200 Said\r\ncontent-length: 900000000\r\n\r\n"
GARBAGE: list[Reply] = [
    reply(200, "<html>Sign in to the hotel's wifi</html>"),
    reply(200, ""),
    reply(200, b"\xff\xfe\x00"),
    reply(200, "[1]"),
    reply(200, '{"messages": [null], "sid": 5, "id": null}'),
    reply(200, "[" * 60_000),
    [HUGE + b"{" * 70_000, None],  # it would go on for ever
]


@pytest.mark.parametrize("said", GARBAGE, ids=range(len(GARBAGE)))
async def test_a_success_that_says_nothing_known_may_be_one_or_not(
    vendor: Vendor, said: Reply
) -> None:
    async with serving(lambda _: said) as server:
        sender = vendor.make(server.url)
        if vendor.name == "webhook":
            await sender.send(MESSAGE)  # documents no more than 2xx
        else:
            with failing(maybe=True):
                await sender.send(MESSAGE)
        await sender.aclose()


BROKEN: list[Reply] = [
    [],  # it hangs up without a word
    [b"HTTP/1.1 20"],
    [b"SMTP? 220 ready\r\n"],
    [b"HTTP/1.1 200 Said\r\ncontent-length: 90\r\n\r\n{"],
    [b"HTTP/1.1 200 Said\r\nx-a: " + b"a" * 200_000, None],
]


@pytest.mark.parametrize("said", BROKEN, ids=range(len(BROKEN)))
async def test_without_an_answer_it_may_have_been_taken(vendor: Vendor, said: Reply) -> None:
    async with serving(lambda _: said) as server:
        sender = vendor.make(server.url)
        with failing(maybe=True):
            await sender.send(MESSAGE)
        await sender.aclose()
    assert len(server.seen) == 1  # nothing sends it again in the same breath


async def test_a_gateway_that_is_back_is_used_at_once(vendor: Vendor) -> None:
    """What was given up in the middle leaves its place to the next, and no half of an answer."""
    said: list[Reply] = [[None], [b"HTTP/1.1 200 Said\r\ncontent-length: 9\r\n\r\n", None]]

    async with serving(lambda seen: said.pop(0) if said else vendor.answer(seen)) as server:
        sender = vendor.make(server.url, parallel=1)
        for number in (1, 2):
            task = asyncio.ensure_future(sender.send(MESSAGE))
            while len(server.seen) < number:  # noqa: ASYNC110 # the server is another task
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
        await sender.send(MESSAGE)
        await sender.aclose()
    assert server.connections == 3


@pytest.mark.parametrize("host", ["localhost:8000", "app.localhost", "127.0.0.1", "[::1]:8000"])
async def test_no_vendor_is_told_to_report_to_this_machine(vendor: Vendor, host: str) -> None:
    """It could not, and refuses the message for it."""
    status_url = f"http://{host}/auth/sms/status/x"
    async with serving(vendor.answer) as server:
        sender = vendor.make(server.url)
        await sender.send(TextMessage(JO, BODY, status_url))
        await sender.aclose()
    # A webhook of one's own may live here as well.
    told = status_url if vendor.name == "webhook" else ""
    assert vendor.read(server.seen[0]).status_url == told


async def test_what_was_never_handed_over_is_surely_not_taken(vendor: Vendor) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    refusing = vendor.make(f"http://127.0.0.1:{free_port()}")
    with failing() as raised:
        await refusing.send(MESSAGE)
    assert str(raised.value).endswith("it refuses connections")
    unnamed = vendor.make("https://sms.invalid")
    with failing() as raised:
        await unnamed.send(MESSAGE)
    assert str(raised.value).endswith("its name cannot be resolved")
    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        silent = vendor.make(f"https://localhost:{port}")
        with failing():
            await silent.send(MESSAGE)


async def test_certificates_are_checked(
    vendor: Vendor,
    server_tls: ssl.SSLContext,
    client_tls: ssl.SSLContext,
    authority: trustme.CA,
) -> None:
    async with serving(vendor.answer, tls=server_tls) as server:
        trusting = vendor.make(server.url, tls_context=client_tls)
        await trusting.send(MESSAGE)
        await trusting.aclose()
        assert len(server.seen) == 1
        for made in (
            vendor.make(server.url, tls_context=None),
            vendor.make(server.url.replace("localhost", "127.0.0.1"), tls_context=client_tls),
        ):
            with failing() as raised:
                await made.send(MESSAGE)
            assert "certificate is not trusted" in str(raised.value)
            await made.aclose()
        assert len(server.seen) == 1


async def test_a_check_signs_in_and_sends_nothing(vendor: Vendor) -> None:
    async with serving(vendor.answer) as server:
        sender = vendor.make(server.url)
        await sender.check()
        await sender.aclose()
    (seen,) = server.seen
    assert JO not in f"{seen}"
    assert "Publish" not in seen.body.decode()
    assert not any(secret in seen.target for secret in SECRETS)
    assert seen.method in ("GET", "HEAD") or vendor.name == "sns"


async def test_a_check_says_what_is_wrong(vendor: Vendor) -> None:
    with failing():
        await vendor.make(f"http://127.0.0.1:{free_port()}").check()
    async with serving(lambda _: reply(404)) as server:
        sender = vendor.make(server.url)
        with failing(permanent=True):
            await sender.check()
        await sender.aclose()


async def test_after_its_end_it_begins_anew(vendor: Vendor) -> None:
    async with serving(vendor.answer) as server:
        sender = vendor.make(server.url)
        await sender.aclose()
        await sender.send(MESSAGE)
        await sender.aclose()
        await sender.aclose()
        await sender.send(MESSAGE)
        await sender.aclose()
    assert server.connections == 2


async def test_a_connection_that_the_gateway_has_closed_is_not_used(vendor: Vendor) -> None:
    def answer(seen: Seen) -> Reply:
        said = vendor.answer(seen)
        assert isinstance(said, bytes)
        return [said]  # and hangs up, which the answer has not said

    async with serving(answer) as server:
        sender = vendor.make(server.url)
        await sender.send(MESSAGE)
        await asyncio.sleep(0.01)  # until the end of the connection has come
        await sender.send(MESSAGE)
        await sender.aclose()
    assert server.connections == 2


def test_each_event_loop_has_connections_of_its_own(vendor: Vendor) -> None:
    sender = vendor.make("http://localhost:1")

    async def send() -> None:
        async with serving(vendor.answer) as server:
            made = vendor.make(server.url)
            await made.send(MESSAGE)
            await made.aclose()
        with failing():
            await sender.send(MESSAGE)

    asyncio.run(send())
    asyncio.run(send())


LONG = b"{" + b",".join(b'"%d": ""' % n for n in range(100)) + b', "status": "delivered"}'
"""More fields than any report has."""


async def test_receipts_are_read_and_anything_else_is_nothing(vendor: Vendor) -> None:
    sender = vendor.make("http://localhost:1")
    for body, status in vendor.receipts:
        assert read_status(sender, {}, body) == status, body
    for body in (
        b"",
        b"\xff",
        b"{",
        b"[1]",
        b"{" * 9000,
        b"&" * 9000,
        LONG,
        b'{"status": 5}',
        b"a=b",
    ):
        assert read_status(sender, {"content-type": "application/json"}, body) is None


async def test_httpx2_does_as_well(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        httpx_library, "find_spec", lambda name: None if name == "httpx" else find(name)
    )
    async with serving(vendor.answer) as server:
        sender = vendor.make(server.url)
        assert sender._client._httpx.__name__ == "httpx2"
        await sender.send(MESSAGE)
        await sender.aclose()
    async with serving(lambda _: []) as server:
        sender = vendor.make(server.url)
        with failing(maybe=True):
            await sender.send(MESSAGE)
        await sender.aclose()
    with failing():
        await vendor.make(f"http://127.0.0.1:{free_port()}").send(MESSAGE)


@pytest.mark.parametrize("echoed", ["123456", JO[1:]])
@pytest.mark.parametrize("status", [200, 400])
async def test_what_is_put_into_an_error_code_is_not_quoted(
    vendor: Vendor, status: int, echoed: str
) -> None:
    """A gateway of bad will, or a proxy before it, answers with what it was sent."""

    def answer(seen: Seen) -> Reply:
        number = int(echoed)
        if vendor.name == "vonage":
            return reply(status, json.dumps({"messages": [{"status": echoed}]}))
        if vendor.name == "sns":
            return reply(status, f"<Error><Code>{echoed}</Code></Error>")
        said = {"code": number, "error_code": number, "errors": [{"code": number}]}
        return reply(status, json.dumps(said))

    async with serving(answer) as server:
        sender = vendor.make(server.url)
        if vendor.name == "webhook" and status == 200:
            await sender.send(MESSAGE)  # any answer of success is one
        else:
            with failing(maybe=status == 200, permanent=status == 400):
                await sender.send(MESSAGE)
        await sender.aclose()


def test_without_either_the_extra_is_named(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx_library, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'pwless-middleware\[sms\]'"):
        vendor.make("http://localhost:1")


BAD: dict[str, list[object]] = {
    "timeout": [0, -1, None, "5", True, float("nan"), float("inf")],
    "parallel": [0, 1.5, None, True, "3"],
    "tls_context": ["x", False],
}


@pytest.mark.parametrize(
    ("option", "value"), [(option, value) for option, values in BAD.items() for value in values]
)
def test_a_bad_option_is_named(vendor: Vendor, option: str, value: Any) -> None:
    with pytest.raises(ConfigError) as raised:
        vendor.make("http://localhost:1", **{option: value})
    assert raised.value.option == option


@pytest.mark.parametrize(
    "base",
    ["", "http://sms.example.com", "ftp://localhost", "https://", "https://u:p@a.example",
     "https://a.example/#x", "https://a b", "https://[::1", "https://a:99999", "sms.example.com"],
)  # fmt: skip
def test_an_address_that_is_not_safe_is_refused_and_not_quoted(vendor: Vendor, base: str) -> None:
    with pytest.raises(ConfigError, match="set an https address") as raised:
        vendor.make(base)
    assert raised.value.option == ("url" if vendor.name == "webhook" else "base")
    assert "u:p" not in str(raised.value)


def test_a_missing_credential_is_named_and_a_wrong_one_not_quoted(vendor: Vendor) -> None:
    for bad in ("", "two words", "line\n", "umlaut-ü", None, 5):
        with pytest.raises(ConfigError, match="without spaces") as raised:
            {
                "twilio": lambda bad=bad: vendor.make("https://a.example", token=bad),
                "vonage": lambda bad=bad: vendor.make("https://a.example", secret=bad),
                "messagebird": lambda bad=bad: vendor.make("https://a.example", key=bad),
                "sns": lambda bad=bad: vendor.make("https://a.example", key=bad),
                "webhook": lambda bad=bad: vendor.make("https://a.example", token=bad),
            }[vendor.name]()
        assert not isinstance(bad, str) or not bad or bad not in str(raised.value)
