"""The DNS record by which an organization shows that a domain is its own (security rule 54).

A TXT record of a name of our own below the domain, which holds a random token (as in
draft-ietf-dnsop-domain-verification-techniques). Whoever can write it there runs the DNS of the
domain, and could redirect its mail as well. A record that is reached by an alias (CNAME) is none:
`*.acme.example` often leads to a host of somebody else, who would own the domain by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.flows.organizations.txt_records import DNSUnavailable, LookUp
from pwless_middleware.text import Text

LABEL: Final = "_pwless-challenge"
"""The first label of the record's name."""
_VALUE: Final = "pwless-verification="

RecordState = Literal[
    "found", "missing", "other_value", "alias", "doubled", "at_domain", "unavailable"
]

SENTENCES: Final[Mapping[str, str]] = {
    "found": Text("The record is there."),
    "missing": Text(
        "The record is not there yet. It can take up to an hour until DNS has it everywhere; then "
        "try again."
    ),
    "other_value": Text(
        "There is a record of this name, with another value. Compare it with the value above."
    ),
    "alias": Text(
        "The name is an alias (CNAME) of another one, so that it proves nothing. Put the TXT "
        "record at the name itself."
    ),
    "doubled": Text(
        "The record stands one level too deep: your DNS provider adds the domain to every name. "
        "Enter the name without the domain there."
    ),
    "at_domain": Text("The record stands at the domain itself. Move it to the name above."),
    "unavailable": Text("DNS does not answer for this domain right now. Try again later."),
}
"""What is said to the administrator."""


@dataclass(frozen=True, slots=True)
class DomainRecord:
    """The record to be added to DNS.

    Attributes:
        name: in full.
        value: what it has to hold.
    """

    name: str
    value: str

    @classmethod
    def of(cls, domain: str, token: str) -> DomainRecord:
        """Return the record of a canonical domain and the token of its claim."""
        return cls(f"{LABEL}.{domain}", _VALUE + token)


async def find_record(domain: str, token: str, look_up: LookUp) -> RecordState:
    """Return whether the record is there, and what is wrong if it is not.

    Args:
        domain: canonical.
        token: of the claim.
        look_up: asks DNS.
    """
    record = DomainRecord.of(domain, token)
    try:
        found = await look_up(record.name)
        is_there = record.value in map(_clean, found.texts)
        if is_there or found.alias is not None:
            return "found" if found.alias is None else "alias"
        if any(text.startswith(_VALUE) for text in map(_clean, found.texts)):
            return "other_value"
        if record.value in map(_clean, (await look_up(f"{record.name}.{domain}")).texts):
            return "doubled"
        if record.value in map(_clean, (await look_up(domain)).texts):
            return "at_domain"
    except DNSUnavailable:
        return "unavailable"
    return "other_value" if found.texts else "missing"


def _clean(text: str) -> str:
    """Return a value without what forms of DNS providers leave around it."""
    return text.strip(" \t\"'")
