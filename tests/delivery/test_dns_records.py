"""SPF and DMARC, asked of a real DNS server on this machine."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import cast

import dns.message
import dns.rcode
import dns.rrset
import pytest
from dns.asyncresolver import Resolver

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.delivery import dns_records

pytestmark = pytest.mark.anyio

Zone = dict[str, list[str]]


class Server(asyncio.DatagramProtocol):
    """Answer TXT questions from a zone; a name that is not in it does not exist."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        answer = dns.message.make_response(question)
        name = question.question[0].name
        texts = self._zone.get(name.to_text(omit_final_dot=True))
        if texts is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif texts:
            quoted = [f'"{text}"' for text in texts]
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *quoted))
        self._transport.sendto(answer.to_wire(), addr)


async def ask(domain: str, zone: Zone) -> dict[str, Finding]:
    """Return the findings about a domain, where this zone is all of DNS."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: Server(zone), local_addr=("127.0.0.1", 0)
    )
    resolver = Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = transport.get_extra_info("sockname")[1]
    found = await dns_records.find_records(domain, resolver)
    transport.close()
    return {finding.check: finding for finding in found}


GOOD = {"acme.dev": ["v=spf1 mx -all"], "_dmarc.acme.dev": ["v=DMARC1; p=reject"]}


async def test_both_records_are_ok() -> None:
    found = await ask("acme.dev", GOOD)
    assert {name: finding.level for name, finding in found.items()} == {"spf": "ok", "dmarc": "ok"}


@pytest.mark.parametrize(
    ("texts", "level", "said"),
    [
        ([], "warn", "has no SPF record"),
        (["other=1"], "warn", "has no SPF record"),
        (["v=spf10 -all"], "warn", "has no SPF record"),
        (["v=spf1 mx ~all", "v=spf1 a -all"], "fail", "has 2 SPF records"),
        (["v=spf1 +all"], "fail", "lets anybody send"),
        (["v=spf1 mx all"], "fail", "lets anybody send"),
        (["V=SPF1 include:_spf.acme.dev ~all", "other=1"], "ok", "has one"),
    ],
)
async def test_spf(texts: list[str], level: str, said: str) -> None:
    spf = (await ask("acme.dev", {**GOOD, "acme.dev": texts}))["spf"]
    assert spf.level == level
    assert said in spf.message


@pytest.mark.parametrize(
    ("texts", "level", "said"),
    [
        ([], "warn", "has no DMARC record"),
        (["v=DMARC1;p=none; rua=mailto:a@acme.dev"], "warn", "p=none"),
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], "fail", "has 2 DMARC records"),
        (["v=DMARC1; p = quarantine"], "ok", "has one"),
    ],
)
async def test_dmarc(texts: list[str], level: str, said: str) -> None:
    dmarc = (await ask("acme.dev", {**GOOD, "_dmarc.acme.dev": texts}))["dmarc"]
    assert dmarc.level == level
    assert said in dmarc.message


async def test_dmarc_of_the_organisation_counts_for_a_name_below_it() -> None:
    found = await ask("mail.acme.dev", {**GOOD, "mail.acme.dev": ["v=spf1 mx -all"]})
    assert found["dmarc"].message == "acme.dev has one"


async def test_no_dmarc_anywhere_above() -> None:
    found = await ask("mail.acme.dev", {"mail.acme.dev": ["v=spf1 mx -all"]})
    assert found["dmarc"].level == "warn"


async def test_a_domain_that_is_not_there_warns_once() -> None:
    found = await ask("typo.dev", GOOD)
    assert found["dns"].level == "warn"
    assert list(found) == ["dns"]


async def test_a_resolver_that_does_not_answer_is_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dns_records, "PATIENCE", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    resolver = Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = port
    [finding] = await dns_records.find_records("acme.dev", resolver)
    assert finding.level == "skip"


@pytest.mark.parametrize("domain", ["localhost", "acme.example", "example.com", "a.b.test"])
async def test_names_without_records_are_not_asked_for(domain: str) -> None:
    [finding] = await dns_records.find_records(domain)
    assert finding.level == "skip"


async def test_without_dnspython_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dns.asyncresolver", None)
    [finding] = await dns_records.find_records("acme.dev")
    assert finding.level == "skip"
    assert "pwless-middleware[check]" in finding.message
