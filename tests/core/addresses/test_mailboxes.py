"""What a domain tells of a mailbox: its page, and what it may be mistyped for."""

from __future__ import annotations

import pytest

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.addresses.mailboxes import likely_meant, webmail_of


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *(("gmial.com", "gmail.com"), ("gmai.com", "gmail.com"), ("gmaill.com", "gmail.com")),
        *(("gnail.com", "gmail.com"), ("gmail.co", "gmail.com"), ("gmail.con", "gmail.com")),
        *(("gmial.con", "gmail.com"), ("hotmial.com", "hotmail.com"), ("yaho.com", "yahoo.com")),
        *(("homtail.com", "hotmail.com"), ("outlok.com", "outlook.com")),
        *(("iclod.com", "icloud.com"), ("protonmial.com", "protonmail.com")),
        *(("acme.con", "acme.com"), ("mail.acme.cmo", "mail.acme.com"), ("aol.con", "aol.com")),
    ],
)
def test_a_slip_is_known_by_its_domain(typed: str, meant: str) -> None:
    assert likely_meant(Address(f"jo.do+x@{typed}")) == f"jo.do+x@{meant}"


@pytest.mark.parametrize(
    "domain",
    [
        *("gmail.com", "googlemail.com", "mail.com", "email.com", "ymail.com", "hotmail.fr"),
        *("yahoo.com.br", "yahoo.ca", "outlook.de", "live.nl", "me.com", "web.de", "gmx.at"),
        *("acme.com", "acme.co", "example.com", "gmai.example", "amail.example", "con.com"),
        *("moc.com", "gmail.com.acme.io", "gm.com", "love.com", "aon.com", "mail.de"),
    ],
)
def test_a_domain_that_is_right_or_elses_is_left_alone(domain: str) -> None:
    assert likely_meant(Address(f"jo@{domain}")) is None


def test_what_is_meant_is_an_address_and_looks_right_itself() -> None:
    for typed in ("jo@gmial.con", "jo@x.con", "a" * 60 + "@gmai.com"):
        meant = likely_meant(Address(typed))
        assert meant is not None
        assert parse_address(meant) == meant
        assert likely_meant(meant) is None


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        *(("gmail.com", "Gmail"), ("hotmail.co.uk", "Outlook"), ("live.nl", "Outlook")),
        *(("yahoo.com.br", "Yahoo Mail"), ("icloud.com", "iCloud Mail")),
        *(("proton.me", "Proton Mail"), ("web.de", "WEB.DE")),
    ],
)
def test_a_large_providers_mailbox_is_known_by_the_domain(domain: str, name: str) -> None:
    webmail = webmail_of(Address(f"jo@{domain}"))
    assert webmail is not None
    assert webmail.name == name
    assert webmail.url.startswith("https://")


@pytest.mark.parametrize("domain", ["acme.com", "gmail.example", "notgmail.com", "x.gmail.com"])
def test_nothing_is_guessed_of_other_domains(domain: str) -> None:
    assert webmail_of(Address(f"jo@{domain}")) is None
