"""Requests to addresses that somebody typed, to servers that attack (security rule 53)."""

from __future__ import annotations

import asyncio
import gzip
import importlib
import importlib.util
import socket
import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

import pytest
import trustme

from pwless_middleware.errors import AddressRefused, ConfigError, RequestFailed
from pwless_middleware.safe_http import httpx_library
from pwless_middleware.safe_http.client import SafeHTTPClient
from pwless_middleware.safe_http.public_addresses import IPAddress
from tests.delivery.texts.fake_server import Reply, reply, serving
from tests.ports import free_port

pytestmark = pytest.mark.anyio

DRIBBLE: list[bytes | float | None] = [b"a", 0.02]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def serving_as(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


class Names:
    """A name server: gives for each question the next of its answers, and counts."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, name: str) -> Sequence[IPAddress]:
        self.asked.append(name)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        return [ip_address(text) for text in answer]


def make(**options: Any) -> SafeHTTPClient:
    return SafeHTTPClient("features", extra="webhooks", **{"allow_loopback": True, **options})


async def get(client: SafeHTTPClient, url: str) -> Any:
    return await client.request("GET", url, headers={})


# --- where it goes -------------------------------------------------------------------------------


async def test_the_connection_goes_to_what_was_judged_and_the_name_is_asked_once(
    authority: trustme.CA,
) -> None:
    """A second answer of the name server (DNS rebinding) is never asked for."""
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    async with serving(
        lambda _: reply(200, "hi"), tls=serving_as(authority, "hooks.test")
    ) as server:
        client = make(resolve=names, tls_context=trusting(authority))
        answer = await get(client, f"https://hooks.test:{server.port}/x?y=%2F")
    assert (answer.status, answer.body, answer.is_whole) == (200, b"hi", True)
    assert names.asked == ["hooks.test"]
    assert server.seen[0].headers["host"] == f"hooks.test:{server.port}"
    assert server.seen[0].target == "/x?y=%2F"
    assert server.connections == 1


async def test_the_systems_own_resolver_is_asked_once_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `getaddrinfo` is changed under our feet between two questions."""
    real, asked = socket.getaddrinfo, []

    def changing(host: Any, *args: Any, **more: Any) -> Any:
        if host != "rebound.test":
            return real(host, *args, **more)
        asked.append(host)
        return real("93.184.215.14" if len(asked) == 1 else "127.0.0.1", *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    async with serving(lambda _: reply(200)) as server:
        # The judged address leads nowhere from here, and no other one is tried.
        client = make(seconds=0.3, allow_loopback=False)
        with pytest.raises(RequestFailed):
            await get(client, f"https://rebound.test:{server.port}/")
    assert asked == ["rebound.test"]
    assert server.connections == 0


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["10.0.0.1", "1.1.1.1"],
        ["1.1.1.1", "fd00::1"],
    ],
)
async def test_a_name_that_leads_inside_is_refused_also_beside_good_ones(
    answer: Sequence[str],
) -> None:
    with pytest.raises(AddressRefused) as caught:
        await get(make(resolve=Names(answer), allow_loopback=False), "https://hooks.test/")
    assert caught.value.fault == "not_public"


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "[::1]", "[::ffff:7f00:1]", "169.254.169.254", "10.0.0.1", "0.0.0.0"),
        *("localhost", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "127.1", "0"),
    ],
)
async def test_this_machine_and_the_network_are_refused_in_every_spelling(host: str) -> None:
    async with serving(lambda _: reply(200)) as server:
        client = make(allow_loopback=False)
        with pytest.raises(RequestFailed) as caught:
            await get(client, f"https://{host}:{server.port}/")
    assert caught.value.fault in ("not_public", "unresolved")
    assert server.connections == 0


async def test_what_is_refused_by_its_number_is_refused_as_it_is_typed() -> None:
    for text in ("https://169.254.169.254/", "https://[fd00:ec2::254]/", "https://10.0.0.1/"):
        with pytest.raises(AddressRefused):
            make(allow_loopback=True).read_url(text)
    assert make(allow_loopback=True).read_url("http://127.0.0.1:8000/").port == 8000


async def test_http_goes_to_this_machine_alone_also_by_a_name() -> None:
    client = make(resolve=Names(["1.1.1.1"]))
    with pytest.raises(AddressRefused) as caught:
        await get(client, "http://localhost:8000/")
    assert caught.value.fault == "scheme"


async def test_a_dead_address_is_followed_by_the_next_one() -> None:
    async with serving(lambda _: reply(200)) as server:
        client = make(resolve=Names(["127.0.0.9", "127.0.0.1"]))
        answer = await get(client, f"http://localhost:{server.port}/")
    assert answer.status == 200


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(lambda _: reply(200)) as server, serving(lambda _: reply(500)) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert (await get(make(), server.url)).status == 200
    assert proxy.connections == 0


async def test_no_redirect_is_followed() -> None:
    async with serving(lambda _: reply(200)) as inside:

        def lead(_: object) -> bytes:
            return reply(307, location=f"{inside.url}/secret")

        async with serving(lead) as server:
            answer = await get(make(), server.url)
    assert answer.status == 307
    assert answer.headers["location"].endswith("/secret")
    assert inside.connections == 0


async def test_the_certificate_has_to_be_of_the_name(authority: trustme.CA) -> None:
    tls = serving_as(authority, "other.test")
    async with serving(lambda _: reply(200), tls=tls) as server:
        url = f"https://hooks.test:{server.port}/"
        client = make(resolve=Names(["127.0.0.1"]), tls_context=trusting(authority))
        with pytest.raises(RequestFailed) as caught:
            await get(client, url)
        assert caught.value.fault == "certificate"
        with pytest.raises(RequestFailed) as caught:
            await get(make(resolve=Names(["127.0.0.1"])), url)
        assert caught.value.fault == "certificate"
    assert server.seen == []


# --- what comes back -----------------------------------------------------------------------------


async def test_of_an_endless_answer_no_more_than_the_bound_is_read() -> None:
    chunk = b"x" * 65_536

    def pour(_: object) -> Reply:
        return [b"HTTP/1.1 200 Said\r\n\r\n", *([chunk] * 64), None]

    async with serving(pour) as server:
        answer = await get(make(most_bytes=100_000), server.url)
        whole = await get(make(most_bytes=2), server.url)
    assert (len(answer.body), answer.is_whole) == (100_000, False)
    assert (whole.body, whole.is_whole) == (b"xx", False)


async def test_an_answer_of_just_the_bound_is_whole() -> None:
    async with serving(lambda _: reply(200, b"xyz")) as server:
        answer = await get(make(most_bytes=3), server.url)
    assert (answer.body, answer.is_whole) == (b"xyz", True)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 Said\r\ntransfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20_000,
        b"HTTP/1.1 100 \r\n\r\n" * 6000,
    ],
    ids=["chunks of one byte", "one hundred at once"],
)
async def test_an_answer_in_dust_is_left(said: bytes) -> None:
    """What is read of it takes a parser seconds, in which nobody else could sign in."""
    async with serving(lambda _: [said, None]) as server:
        with pytest.raises(RequestFailed) as caught:
            await get(make(most_bytes=20_000), server.url)
    assert caught.value.fault == "broken"


async def test_nothing_is_unpacked() -> None:
    """A few bytes would become gigabytes."""
    packed = gzip.compress(b"0" * 1_000_000)

    async with serving(lambda _: reply(200, packed, content_encoding="gzip")) as server:
        answer = await get(make(), server.url)
    assert answer.body == packed
    assert server.seen[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "said",
    [
        [None],
        [b"HTTP/1.1 200 Said\r\nx-a: ", *(DRIBBLE * 100)],
        [b"HTTP/1.1 200 Said\r\ncontent-length: 999\r\n\r\n", *(DRIBBLE * 100)],
        [b"HTTP/1.1 100 Continue\r\n\r\n", 0.02] * 100,
    ],
    ids=["silence", "slow headers", "slow body", "one hundred forever"],
)
async def test_who_takes_too_long_is_left(said: Reply) -> None:
    loop = asyncio.get_running_loop()
    async with serving(lambda _: said) as server:
        begun = loop.time()
        with pytest.raises(RequestFailed) as caught:
            await get(make(seconds=0.4), server.url)
        assert caught.value.fault == "timeout"
        assert loop.time() - begun < 20


async def test_a_name_server_that_hangs_is_left() -> None:
    async def hang(name: str) -> Sequence[IPAddress]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(RequestFailed) as caught:
        await get(make(seconds=0.1, resolve=hang), "https://hooks.test/")
    assert caught.value.fault == "timeout"


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 Said\r\n" + b"x-a: " + b"a" * 300_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 Said\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        [b"HTTP/1.1 200 Said\r\ncontent-length: 99\r\n\r\nshort"],
        [b""],
    ],
    ids=["no http", "huge headers", "two lengths", "cut off", "nothing"],
)
async def test_what_is_no_answer_is_none(said: Reply) -> None:
    async with serving(lambda _: said if isinstance(said, list) else [said]) as server:
        with pytest.raises(RequestFailed) as caught:
            await get(make(seconds=2.0), server.url)
    assert caught.value.fault in ("broken", "connection")


async def test_faults_have_names() -> None:
    async def nobody(name: str) -> Sequence[IPAddress]:
        raise socket.gaierror

    for client, url, fault in (
        (make(), f"http://127.0.0.1:{free_port()}/", "refused"),
        (make(resolve=nobody), "https://hooks.test/", "unresolved"),
        (make(resolve=Names([])), "https://hooks.test/", "unresolved"),
    ):
        with pytest.raises(RequestFailed) as caught:
            await get(client, url)
        assert caught.value.fault == fault


async def test_who_speaks_no_tls_is_told_so() -> None:
    def begin(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        writer.close()

    async with await asyncio.start_server(begin, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(RequestFailed) as caught:
            await get(make(), f"https://127.0.0.1:{port}/")
    assert caught.value.fault == "tls"


async def test_each_request_has_a_connection_of_its_own() -> None:
    async with serving(lambda _: reply(200)) as server:
        client = make()
        await get(client, server.url)
        await client.request("POST", server.url, headers={"x-a": "b"}, content=b"body")
    assert server.connections == 2
    assert (server.seen[1].headers["x-a"], server.seen[1].body) == ("b", b"body")


# --- the library ---------------------------------------------------------------------------------


@pytest.fixture(params=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have one of the two alone."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        httpx_library, "find_spec", lambda name: found(name) if name == request.param else None
    )
    importlib.import_module(request.param)
    return str(request.param)


async def test_either_library_will_do(library: str, authority: trustme.CA) -> None:
    tls = serving_as(authority, "hooks.test")
    async with serving(lambda _: reply(200, "hi"), tls=tls) as server:
        client = make(resolve=Names(["127.0.0.1"]), tls_context=trusting(authority))
        answer = await get(client, f"https://hooks.test:{server.port}/")
        with pytest.raises(RequestFailed) as caught:
            await get(make(), f"http://127.0.0.1:{free_port()}/")
    assert (answer.status, caught.value.fault) == (200, "refused"), library


def test_without_either_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx_library, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pwless-middleware\[webhooks\]"):
        make()
