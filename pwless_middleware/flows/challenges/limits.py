"""Which budgets a send and a try draw on, and their numbers (security rule 4).

Budgets live apart from challenges, by address and by client, so that nothing a client does (a new
request, a resend, an old cookie) gives tries back. They cannot be turned against a person either: a
browser that has signed in as this address before carries a device cookie and draws on a ledger of
its own (OWASP, "Device cookies"), and one client gets at most half of an address's anonymous day.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import field, fields, replace

from pwless_middleware.core.addresses.address import Address, fold_mailbox
from pwless_middleware.core.challenges.budget import ONE, Draw, Limit, draws_on
from pwless_middleware.core.challenges.challenge import ID_BYTES, RESEND_WINDOW, ChallengeId
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.client import Client
from pwless_middleware.core.logins.device_cookie import NOBODY, find_known
from pwless_middleware.core.options.given_options import remember_given
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.storage.store_keys import (
    TAG_BYTES,
    address_budget,
    challenge_tries,
    client_budget,
    device_budget,
    device_mark,
    overall_budget,
)
from pwless_middleware.errors import ConfigError

MINUTE, QUARTER, HOUR, DAY = 60, 900, 3600, 86400
WIDE = 10
"""An IPv6 /48 gets this many times the number of a /64 (security rule 7), and so does a proxy with
everybody behind it."""
INTERFACES = 2
"""All interfaces together get, for an address, this many times the number of one."""
DEVICES = 3
"""All devices of an address together get this many times the day of one."""
GRANTED = 5
"""Tries and mails of a device that a link has let in without a login, in its 24 hours."""
_CLIENT_BITS = 20
INTERFACE_BITS = 0xFFF00000
"""Which bits of a tag are the interface's; the others are the client's."""
EXACT_BYTES = 8
_CHALLENGE_SECONDS = RESEND_WINDOW + 600
"""The longest that a challenge with a code can live: its last resend, and a full life after it."""


@named_options()
@remember_given
@dataclass(frozen=True, slots=True, kw_only=True)
class SendLimits:
    """Limit how many mails may be requested; resends count like sends.

    The limits for an address apply to each interface (the pages, each API key, Python) and to each
    device that has signed in as the address before. All interfaces together get twice the limits
    for 15 minutes and for the day, all devices together three times the limit for the day.

    Args:
        per_minute: for one address; default 2.
        per_quarter: for one address in 15 minutes; default 5.
        per_day: for one address in 24 hours; default 20, of which one client gets at most half.
        client_per_minute: for one client; default 20.
        client_per_hour: for one client; default 200.
        overall_per_hour: for everybody together; `None` (the default) sets no such limit.

    Raises:
        ConfigError: a number below 1.
    """

    per_minute: int = 2
    per_quarter: int = 5
    per_day: int = 20
    client_per_minute: int = 20
    client_per_hour: int = 200
    overall_per_hour: int | None = None
    _given_options: frozenset[str] = field(
        default=frozenset(), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        for option in fields(self):
            if not option.init:
                continue
            value = getattr(self, option.name)
            if value is None and option.name == "overall_per_hour":
                continue
            if type(value) is not int or not 1 <= value <= 60_000:
                raise ConfigError(f"send_limits.{option.name}", "set a number from 1 to 60000")


@named_options()
@remember_given
@dataclass(frozen=True, slots=True, kw_only=True)
class TryLimits:
    """Limit how many wrong codes are allowed, across challenges. You can only lower these limits.

    Interfaces and devices count as for `SendLimits`.

    Args:
        per_quarter: for one address in 15 minutes; 1 to 10, default 10.
        per_day: for one address in 24 hours; 1 to 20, default 20, one client at most half.
        client_per_ten_minutes: for one client; 1 to 30, default 30.

    Raises:
        ConfigError: a number outside its range.
    """

    per_quarter: int = 10
    per_day: int = 20
    client_per_ten_minutes: int = 30
    _given_options: frozenset[str] = field(
        default=frozenset(), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        for option, most in (("per_quarter", 10), ("per_day", 20), ("client_per_ten_minutes", 30)):
            value = getattr(self, option)
            if type(value) is not int or not 1 <= value <= most:
                raise ConfigError(f"try_limits.{option}", f"set a number from 1 to {most}")


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The limits of one step (sends or tries)."""

    anonymous: tuple[Limit, ...]
    device: tuple[Limit, ...]
    granted: tuple[Limit, ...]
    client: tuple[Limit, ...]

    @classmethod
    def of(cls, address: Sequence[tuple[int, int]], client: Sequence[tuple[int, int]]) -> _Numbers:
        """Work out the limits.

        Args:
            address: (count, window) for one address; the day comes last.
            client: (count, window) for one client.
        """
        day, _ = address[-1]
        common = [Limit(n * INTERFACES, window) for n, window in address if window >= QUARTER]
        share = Limit(max(1, day // 2), DAY, ONE)
        devices = Limit(day * DEVICES, DAY)
        own = tuple(Limit(n, window, ONE) for n, window in address)
        few = tuple(Limit(min(n, GRANTED), window, ONE) for n, window in address)
        return cls(
            anonymous=(
                *(Limit(n, window, INTERFACE_BITS) for n, window in address),
                *common,
                share,
            ),
            device=(*own, devices),
            granted=(*few, devices),
            client=tuple(Limit(n, window) for n, window in client),
        )


class Limits:
    """Name the budgets of each step. Pure: the store counts.

    An address has two ledgers for each step, which never draw on each other. The anonymous one
    counts by interface (the pages, each API key, Python) and for all of them together, and knows
    who a client is; the devices' one counts by device and for all devices together. A device does
    not depend on its client: an office or a carrier's NAT keeps nobody out who has been in before.

    Args:
        keyring: names the budgets in the store.
        sends: numbers for sends and resends.
        tries: numbers for wrong codes.
        attempts: tries for one challenge.

    Attributes:
        sends_per_minute: of one address; for the wait that a page shows.
    """

    def __init__(
        self, keyring: Keyring, *, sends: SendLimits, tries: TryLimits, attempts: int
    ) -> None:
        self._keyring = keyring
        self._attempts = attempts
        self.sends_per_minute = sends.per_minute
        self._overall = sends.overall_per_hour
        self._sends = _Numbers.of(
            ((sends.per_minute, MINUTE), (sends.per_quarter, QUARTER), (sends.per_day, DAY)),
            ((sends.client_per_minute, MINUTE), (sends.client_per_hour, HOUR)),
        )
        self._tries = _Numbers.of(
            ((tries.per_quarter, QUARTER), (tries.per_day, DAY)),
            ((tries.client_per_ten_minutes, 600),),
        )

    def for_send(self, id: ChallengeId, caller: Caller, *, now: int) -> tuple[Draw, ...]:
        """Return the budgets that a send or resend of this challenge draws on."""
        draws = self._of("s", self._sends, id, caller, now)
        if self._overall is not None:
            limit = Limit(self._overall, HOUR)
            draws += draws_on(overall_budget(self._keyring.realm), (limit,))
        return draws

    def for_try(self, id: ChallengeId, caller: Caller, *, now: int) -> tuple[Draw, ...]:
        """Return the budgets that a code for this challenge draws on, the challenge's own first."""
        own = Draw(challenge_tries(id), (Limit(self._attempts, _CHALLENGE_SECONDS),))
        return (own, *self._of("t", self._tries, id, caller, now))

    def lock_on_tries(self, id: ChallengeId) -> tuple[Draw, ...]:
        """Return what tells, without counting, whether the pages' anonymous tries are spent."""
        limits = tuple(limit for limit in self._tries.anonymous if limit.mask != ONE)
        draws = draws_on(address_budget(id, "t"), limits)
        return tuple(replace(draw, enters=False) for draw in draws)

    def _of(
        self, what: str, numbers: _Numbers, id: ChallengeId, caller: Caller, now: int
    ) -> tuple[Draw, ...]:
        ledger = address_budget(id, what)
        # By the exact address: who owns `jo+x@` where tags are not folded is not `jo@`.
        exact = id[TAG_BYTES : TAG_BYTES + EXACT_BYTES]
        row, devices = find_known(caller.known_to, exact), device_budget(id, what, exact)
        if row is not None and row.owner != NOBODY:
            mark = Draw.unless(device_mark(row.owner), since=row.issued_at)
            return (mark, *draws_on(devices, numbers.device, row.budget))
        if row is not None and now < row.issued_at + DAY:
            return draws_on(devices, numbers.granted, row.budget)
        tag, client = _interface_bits(caller) << _CLIENT_BITS, caller.client
        if client is None or client.is_shared:
            # Nobody's share: there is no client, or everybody is this one.
            limits = tuple(limit for limit in numbers.anonymous if limit.mask != ONE)
        else:
            limits = numbers.anonymous
            tag |= _number("client", client.wide or client.network) >> (32 - _CLIENT_BITS)
        of_client = client_draws(self._keyring.realm, client, what, numbers.client)
        return (*draws_on(ledger, limits, tag), *of_client)


def client_draws(
    realm: str, client: Client | None, what: str, limits: tuple[Limit, ...]
) -> tuple[Draw, ...]:
    """Return the budgets of a client: its network's, and its wider network's of ten times as much.

    Args:
        realm: the deployment's.
        client: who; `None`, a server, has none.
        what: what is counted, as of `core.storage.store_keys.client_budget`.
        limits: the numbers.
    """
    if client is None:
        return ()
    wide = tuple(Limit(limit.count * WIDE, limit.window) for limit in limits)
    own = wide if client.is_shared else limits
    draws = draws_on(client_budget(realm, client.network, what), own)
    if client.wide is not None:
        draws += draws_on(client_budget(realm, client.wide, what), wide)
    return draws


def _number(label: str, text: str) -> int:
    return int.from_bytes(digest(label, text)[:4], "big")


def _interface_bits(caller: Caller) -> int:
    """Return the bits of a tag that say by which interface a caller comes; 0 is the pages'."""
    if caller.is_browser:
        return 0
    return 1 + _number("interface", caller.name) % ((INTERFACE_BITS >> _CLIENT_BITS) - 1)


def address_tag(keyring: Keyring, address: Address) -> bytes:
    """Return the digest under which everything of an address is kept: the folded mailbox's.

    Challenges of `a+x@` and `a+y@` share budgets and a place, never an identity.
    """
    return digest("address", keyring.realm, fold_mailbox(address))


def exact_tag(keyring: Keyring, address: Address) -> bytes:
    """Return the digest of exactly this address, to which a device cookie is bound."""
    return digest("exact-address", keyring.realm, address)


def new_challenge_id(keyring: Keyring, address: Address) -> ChallengeId:
    """Make the id of a challenge to prove an address."""
    exact = exact_tag(keyring, address)[:EXACT_BYTES]
    random = secrets.token_bytes(ID_BYTES - TAG_BYTES - EXACT_BYTES)
    return ChallengeId(address_tag(keyring, address) + exact + random)


def scope_of(draw: Draw) -> str:
    """Return whose limit a budget is."""
    return {"{": "address", "c": "client"}.get(draw.key[0], "overall")
