"""What an address's domain says of its mailbox: where it opens, and what it may be a slip for.

Two closed tables of well-known providers, and nothing that asks anybody: what is shown is the same
for addresses that exist and for those that do not. A suggestion is only ever shown beside an
address, never put in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pwless_middleware.core.addresses.address import Address, domain_of
from pwless_middleware.core.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Webmail:
    """A provider's mailbox in the browser.

    Attributes:
        name: what people call it.
        url: its page, which asks for the provider's own login where that is needed.
    """

    name: str
    url: str


def _under(names: Iterable[str], endings: str) -> list[str]:
    return [f"{name}.{ending}" for name in names for ending in endings.split()]


_OUTLOOK: Final = "com de fr it es nl be dk se co.uk com.br com.ar com.au co.jp ca in"
_YAHOO: Final = "com de fr it es ca in co.uk co.in co.id com.ar com.au com.br com.mx com.vn"
_DOMAINS: Final[Mapping[Webmail, list[str]]] = {
    Webmail("Gmail", "https://mail.google.com/mail/"): ["gmail.com", "googlemail.com"],
    Webmail("Outlook", "https://outlook.live.com/mail/"): [
        *_under(("outlook", "hotmail", "live"), _OUTLOOK),
        "msn.com",
    ],
    Webmail("Yahoo Mail", "https://mail.yahoo.com/"): [
        *_under(("yahoo",), _YAHOO),
        *("ymail.com", "rocketmail.com"),
    ],
    Webmail("iCloud Mail", "https://www.icloud.com/mail/"): ["icloud.com", "me.com", "mac.com"],
    Webmail("Proton Mail", "https://mail.proton.me/"): ["proton.me", "protonmail.com", "pm.me"],
    Webmail("AOL Mail", "https://mail.aol.com/"): ["aol.com"],
    Webmail("Fastmail", "https://app.fastmail.com/"): ["fastmail.com", "fastmail.fm"],
    Webmail("GMX", "https://www.gmx.net/"): ["gmx.de", "gmx.net", "gmx.at", "gmx.ch"],
    Webmail("WEB.DE", "https://web.de/"): ["web.de"],
    Webmail("Yandex Mail", "https://mail.yandex.com/"): ["yandex.com", "yandex.ru", "ya.ru"],
    Webmail("Mail.ru", "https://e.mail.ru/"): ["mail.ru"],
}
_WEBMAIL: Final = {domain: webmail for webmail, all in _DOMAINS.items() for domain in all}

_LIKELY: Final = (
    *("gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "protonmail.com"),
    *("proton.me", "googlemail.com", "fastmail.com", "hotmail.co.uk", "yahoo.co.uk"),
)
"""What a slip is looked for in: long enough that a letter more or less is hardly another name."""

_REAL: Final = frozenset({*_WEBMAIL, "mail.com", "email.com", "hotmail.gr", "yahoo.gr"})
"""One letter from a name above, and somebody's real domain."""

_SLIPS_OF_COM: Final = frozenset(
    {"con", "cmo", "ocm", "comm", "coom", "ccom", "cpm", "vom", "xom", "cim", "ocom", "copm"}
)
"""None of these is a top-level domain (IANA root zone)."""


def webmail_of(address: Address) -> Webmail | None:
    """Return where the mailbox opens in a browser, or `None` if the domain does not tell."""
    return _WEBMAIL.get(domain_of(address))


def likely_meant(address: Address) -> Address | None:
    """Return what the address may be a slip for: `jo@gmail.com` for `jo@gmial.com`.

    A last label that is a slip of `com` is mended, and a domain that is one slip (a letter more,
    less, another, or two in the wrong order) from a large provider's is that provider's. `None` if
    the address looks right.
    """
    local, _, domain = address.rpartition("@")
    stem, _, ending = domain.rpartition(".")
    meant = f"{stem}.com" if ending in _SLIPS_OF_COM else domain
    if meant not in _REAL:
        meant = next((name for name in _LIKELY if _is_one_slip(meant, name)), meant)
    return None if meant == domain else Address(f"{local}@{meant}")


def _is_one_slip(typed: str, meant: str) -> bool:
    """Whether the two differ by one letter, or by two neighbours in the wrong order."""
    shorter = min(len(typed), len(meant))
    start = next((i for i in range(shorter) if typed[i] != meant[i]), shorter)
    typed, meant = typed[start:], meant[start:]
    while typed and meant and typed[-1] == meant[-1]:
        typed, meant = typed[:-1], meant[:-1]
    return max(len(typed), len(meant)) == 1 or (len(typed) == 2 and typed == meant[::-1])
