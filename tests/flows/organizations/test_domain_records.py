"""The record that shows whose a domain is, looked for in DNS as it is found in the field."""

from __future__ import annotations

import pytest

from pwless_middleware.flows.organizations.domain_records import (
    SENTENCES,
    DomainRecord,
    RecordState,
    find_record,
)
from pwless_middleware.flows.organizations.txt_records import DNSUnavailable, TXTRecords

pytestmark = pytest.mark.anyio

TOKEN = "Zm9vYmFyYmF6cXV4cXV1eA"
NAME = "_pwless-challenge.acme.example"
VALUE = f"pwless-verification={TOKEN}"


async def state_of(zone: dict[str, TXTRecords], token: str = TOKEN) -> RecordState:
    async def look_up(name: str) -> TXTRecords:
        return zone.get(name, TXTRecords())

    return await find_record("acme.example", token, look_up)


def test_the_administrator_is_told_name_and_value() -> None:
    assert DomainRecord.of("acme.example", TOKEN) == DomainRecord(NAME, VALUE)


@pytest.mark.parametrize(
    ("zone", "state"),
    [
        ({}, "missing"),
        ({NAME: TXTRecords((VALUE,))}, "found"),
        ({NAME: TXTRecords(("v=other", VALUE))}, "found"),
        ({NAME: TXTRecords((f'"{VALUE}" ',))}, "found"),
        ({NAME: TXTRecords((VALUE.lower(),))}, "other_value"),
        ({NAME: TXTRecords((TOKEN,))}, "other_value"),
        ({NAME: TXTRecords((VALUE + "x",))}, "other_value"),
        ({NAME: TXTRecords((f"v={VALUE}",))}, "other_value"),
        ({NAME: TXTRecords(("pwless-verification=another",))}, "other_value"),
        ({NAME: TXTRecords((VALUE,), alias="shared.host.example")}, "alias"),
        ({NAME: TXTRecords((), alias="shared.host.example")}, "alias"),
        ({f"{NAME}.acme.example": TXTRecords((VALUE,))}, "doubled"),
        ({"acme.example": TXTRecords(("v=spf1 -all", VALUE))}, "at_domain"),
        ({"_pwless-challenge.example": TXTRecords((VALUE,))}, "missing"),
    ],
)
async def test_what_dns_holds_is_told_apart(
    zone: dict[str, TXTRecords], state: RecordState
) -> None:
    assert await state_of(zone) == state
    assert SENTENCES[state]


async def test_nothing_is_known_while_dns_does_not_answer() -> None:
    async def look_up(name: str) -> TXTRecords:
        raise DNSUnavailable("Timeout")

    assert await find_record("acme.example", TOKEN, look_up) == "unavailable"
