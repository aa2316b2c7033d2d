"""TXT records, asked of a real DNS server on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import dns.message
import dns.rcode
import dns.rrset
import pytest
from dns.asyncresolver import Resolver

from pwless_middleware.flows.organizations.txt_records import (
    DNSUnavailable,
    TXTRecords,
    TXTResolver,
)

pytestmark = pytest.mark.anyio

ZONE = {
    "plain.example": [("TXT", '"one" " half"'), ("TXT", '"two"')],
    "host.example": [],
    "alias.example": [("CNAME", "target.example.")],
    "target.example": [("TXT", '"there"')],
}


class Server(asyncio.DatagramProtocol):
    """Answer from the zone; a name that is not in it does not exist, and `broken.` fails."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        answer = dns.message.make_response(question)
        name = question.question[0].name.to_text(omit_final_dot=True)
        if name == "broken.example":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in ZONE:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            self._answer(answer, name)
        self._transport.sendto(answer.to_wire(), addr)

    def _answer(self, answer: dns.message.Message, name: str) -> None:
        for kind, text in ZONE[name]:
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, text))
            if kind == "CNAME":
                self._answer(answer, text.removesuffix("."))


@asynccontextmanager
async def serve() -> AsyncIterator[TXTResolver]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    resolver = Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]
    try:
        yield TXTResolver(resolver)
    finally:
        transport.close()


@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("plain.example", TXTRecords(("one half", "two"))),
        ("host.example", TXTRecords()),
        ("nowhere.example", TXTRecords()),
        ("alias.example", TXTRecords(("there",), alias="target.example")),
    ],
)
async def test_a_name_has_its_records(name: str, records: TXTRecords) -> None:
    async with serve() as look_up:
        assert await look_up(name) == records


async def test_a_server_that_fails_says_nothing_of_the_name() -> None:
    async with serve() as look_up:
        with pytest.raises(DNSUnavailable):
            await look_up("broken.example")
