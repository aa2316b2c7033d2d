"""What a rule is told before a challenge is made, and where it may send somebody instead."""

from __future__ import annotations

import secrets
from dataclasses import field
from urllib.parse import urlencode

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import Keyring

HINT_SECONDS = 600
"""Seconds that a hint can be opened: as long as a pending login lives."""
_RANDOM_BYTES = 8
_TIME_BYTES = 5
_BLOCK = 64
_MOST = 320
"""Bytes of a hint's payload, at most: 13, and 254 of an address, in blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeContext:
    """What is known about a login before any mail goes out.

    A rule gets the domain, never the address: an answer that took longer for one address than for
    another would tell them apart (security rule 14).

    Attributes:
        domain: of the address, canonical.
        next: the path that a browser wants to go to.
        organization: the id of the organization that is to be entered; `None` where none was named.
        is_break_glass: whether it is asked for instead of the company's login that is required. No
            rule need lead there then: mails go to some addresses only (`Mounted.may_mail`).
        hint: the address, sealed: a page that a rule leads to can open it (`open_hint`) and need
            not ask for it again. Good for ten minutes.
    """

    domain: str
    next: str = "/"
    organization: str | None = None
    hint: str = field(default="", repr=False)
    is_break_glass: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """A rule's answer: this login begins, or ends, on another page.

    Browsers are sent there, with `next` added to the query; programs get 403 `LOGIN_ELSEWHERE`
    with the page's URL.

    Attributes:
        path: below the mount prefix, e.g. `/sso/start?connection=acme`.
    """

    path: str

    def with_next(self, next: str) -> str:
        """Return the path with the place that was asked for in its query; `/` is not added."""
        if next == "/":
            return self.path
        return f"{self.path}{'&' if '?' in self.path else '?'}{urlencode({'next': next})}"


def seal_hint(keyring: Keyring, address: Address, *, now: int) -> str:
    """Return an address as a text for a URL, which only this deployment can read.

    Two hints of one address have nothing in common, and their length tells it only to within 64
    bytes (security rule 21).
    """
    head = secrets.token_bytes(_RANDOM_BYTES) + (now + HINT_SECONDS).to_bytes(_TIME_BYTES, "big")
    payload = head + address.encode()
    return keyring.seal("hint", payload.ljust(-(-len(payload) // _BLOCK) * _BLOCK, b"\0"))


def open_hint(keyring: Keyring, hint: str, *, now: int) -> Address | None:
    """Return the address of a hint, or `None` if it is not ours or too old.

    It proves nothing: whoever asked typed this address.

    Args:
        keyring: `Kit.hints`.
        hint: as it came; any text.
        now: unix seconds.
    """
    opened = keyring.open("hint", hint, size=_BLOCK, most=_MOST // _BLOCK)
    if opened is None:
        return None
    until = int.from_bytes(opened.payload[_RANDOM_BYTES : _RANDOM_BYTES + _TIME_BYTES], "big")
    address = opened.payload[_RANDOM_BYTES + _TIME_BYTES :].rstrip(b"\0")
    return parse_address(address.decode()) if now < until else None
