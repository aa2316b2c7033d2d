"""The one canonical e-mail address (SECURITY rule 3).

An address is made canonical once, before anything else looks at it, and everything after that
(challenge, limits, session, mail) uses the canonical form only. The grammar is the part of RFC 5321
§4.1.2 that real mailboxes use: an ASCII dot-atom, `@`, a domain of LDH labels (RFC 5890 §2.3.1;
international names arrive as `xn--`). What the full grammar allows beyond it has opened doors
elsewhere: quotes and comments hide a second address, `%` and `!` are source routes, `=?` is decoded
by some mailers, a second `@` or a list separator adds a recipient.
"""

from __future__ import annotations

import re
from typing import NewType

Address = NewType("Address", str)
"""A canonical address: lower-case ASCII, 3 to 254 characters, exactly one `@`."""

# RFC 5322 atext without `%` and `!` (source routes).
_ATOM = r"[a-z0-9#$&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The last label is never all digits (RFC 3696 §2), so that no IP address passes as a name.
_GRAMMAR = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?!\d+\Z){_LABEL}")

# One provider under two names, which delivers `j.doe` and `jdoe` to one mailbox; only limits care.
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def parse_address(text: str) -> Address | None:
    """Make an address canonical: outer spaces trimmed, lower-cased, judged by the grammar.

    Returns:
        The canonical address, or `None` if the text is not one address of our grammar (RFC 5321
        §4.5.3.1: local part at most 64, RFC 3696 erratum 1690: whole at most 254 characters).
    """
    text = text.strip(" ")
    if not text.isascii() or not 3 <= len(text) <= 254:
        return None
    text = text.lower()
    if not _GRAMMAR.fullmatch(text) or "=?" in text or text.index("@") > 64:
        return None
    return Address(text)


def domain_of(address: Address) -> str:
    """Give the part behind the `@`."""
    return address.rpartition("@")[2]


def folded(address: Address) -> str:
    """Give the mailbox that the address most likely reaches, for limits and nothing else.

    `+tag` is dropped, and dots where the provider ignores them, so that one inbox cannot be filled
    under a hundred spellings. Never use it for identity: two accounts must not merge by a guess.
    """
    local, _, domain = address.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _GMAIL:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def matches(address: Address, allow: tuple[str, ...]) -> bool:
    """Say whether an address is on a list of `*`, `*@domain` and whole addresses."""
    return "*" in allow or address in allow or f"*@{domain_of(address)}" in allow
