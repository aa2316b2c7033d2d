"""The content of a device cookie or device token: the addresses its holder has signed in as.

Theory. Budgets by address can be used against that address by anybody who knows it. A browser that
has signed in as an address before therefore draws on a budget of its own (OWASP Authentication
Cheat Sheet, "Device cookies"). The cookie grants nothing else. It is sealed under the secret key,
so that it shows neither its addresses nor that two cookies are of one person, and it dies in three
ways: after a year, with its key, and when all sessions of its user are revoked (`mark_value`).
"""

from __future__ import annotations

import struct
from dataclasses import field

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import Keyring

MAX_DEVICE = 3
"""Addresses that one cookie speaks for: the people who share one browser."""
DEVICE_SECONDS = 365 * 86400
"""How long a browser keeps the cookie, and the store the mark of a revocation."""
NOBODY = bytes(16)
"""The owner of a budget that was granted without a login."""
_ROW = struct.Struct(">8s16sII")
_LATEST = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """An address to which a device is known.

    Attributes:
        exact: 8 bytes of the exact address's digest, as in a challenge's id.
        owner: 16 bytes, the digest of the user who signed in; `NOBODY` if nobody has.
        issued_at: unix seconds of the last login as this address.
        budget: names the device in the ledger of the address's devices; 32 random bits, which stay
            from login to login, so that signing in again renews no budget.
    """

    exact: bytes = field(repr=False)
    owner: bytes = field(repr=False)
    issued_at: int
    budget: int = field(repr=False)


Known = tuple[KnownAddress, ...]


def find_known(known: Known, exact: bytes) -> KnownAddress | None:
    """Return what is known of an address by the digest in a challenge's id, or `None`."""
    return next((row for row in known if row.exact == exact), None)


def add_known(known: Known, row: KnownAddress) -> Known:
    """Return the last three addresses with this one; its own older row is replaced."""
    others = tuple(other for other in known if other.exact != row.exact)
    return (*others, row)[-MAX_DEVICE:]


def seal_known(keyring: Keyring, known: Known) -> str:
    """Return the cookie's value, or the token; every number of addresses gives the same length.

    Args:
        keyring: seals, under the current key.
        known: at most three addresses.
    """
    rows = [
        _ROW.pack(row.exact, row.owner, min(max(row.issued_at, 0), _LATEST), row.budget)
        for row in known
    ]
    return keyring.seal("device", b"".join(rows).ljust(MAX_DEVICE * _ROW.size, b"\0"))


def open_known(keyring: Keyring, text: str) -> Known:
    """Read a cookie's value or a token; empty if it is not ours."""
    opened = keyring.open("device", text, size=MAX_DEVICE * _ROW.size)
    if opened is None:
        return ()
    rows = [KnownAddress(*row) for row in _ROW.iter_unpack(opened.payload)]
    return tuple(row for row in rows if any(row.exact))


def mark_value(at: int) -> bytes:
    """Return what the record `device_mark` (`core.storage.store_keys`) says of a revocation."""
    return min(max(at, 0), _LATEST).to_bytes(4, "big")
