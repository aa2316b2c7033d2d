"""Which budgets a send and a try draw on, and their numbers (SECURITY, rule 4 and numbers).

Budgets live apart from challenges, by address and by client, so that nothing a client does (a new
request, a resend, an old cookie) gives tries back. They cannot be turned against a person either: a
browser that has signed in as this address before carries a device cookie and draws on a budget of
its own (OWASP, "Device cookies"), and one client gets at most half of an address's anonymous day.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, fields

from pwless_middleware.core.addresses import Address, folded
from pwless_middleware.core.budgets import Draw, Limit
from pwless_middleware.core.callers import Caller
from pwless_middleware.core.challenges import ID_BYTES, RESEND_WINDOW, ChallengeId
from pwless_middleware.core.clients import Client
from pwless_middleware.core.keyring import Keyring, b64, digest
from pwless_middleware.core.named_options import named_options
from pwless_middleware.errors import ConfigError

MINUTE, QUARTER, HOUR, DAY = 60, 900, 3600, 86400
WIDE = 10
"""An IPv6 /48 gets this many times the number of a /64 (SECURITY rule 7)."""
TAG_BYTES = 16
EXACT_BYTES = 8
_CHALLENGE_SECONDS = RESEND_WINDOW + 600
"""The longest that a challenge with a code can live: its last resend, and a full life after it."""


@named_options()
@dataclass(frozen=True, slots=True, kw_only=True)
class SendLimits:
    """Set how many mails may be asked for; resends count like sends.

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

    def __post_init__(self) -> None:
        for option in fields(self):
            value = getattr(self, option.name)
            if value is None and option.name == "overall_per_hour":
                continue
            if type(value) is not int or not 1 <= value <= 60_000:
                raise ConfigError(f"send_limits.{option.name}", "set a number from 1 to 60000")


@named_options()
@dataclass(frozen=True, slots=True, kw_only=True)
class TryLimits:
    """Set how many wrong codes are borne, across challenges. They can only be made lower.

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

    def __post_init__(self) -> None:
        for option, most in (("per_quarter", 10), ("per_day", 20), ("client_per_ten_minutes", 30)):
            value = getattr(self, option)
            if type(value) is not int or not 1 <= value <= most:
                raise ConfigError(f"try_limits.{option}", f"set a number from 1 to {most}")


class Limits:
    """Name the budgets of each step. Pure: the store counts.

    Args:
        keyring: names the budgets in the store.
        sends: numbers for sends and resends.
        tries: numbers for wrong codes.
        attempts: tries for one challenge.
    """

    def __init__(
        self, keyring: Keyring, *, sends: SendLimits, tries: TryLimits, attempts: int
    ) -> None:
        self._keyring = keyring
        self._sends = sends
        self._attempts = attempts
        self._send_address = (
            Limit(sends.per_minute, MINUTE),
            Limit(sends.per_quarter, QUARTER),
            Limit(sends.per_day, DAY),
        )
        self._try_address = (Limit(tries.per_quarter, QUARTER), Limit(tries.per_day, DAY))
        self._send_client = (
            Limit(sends.client_per_minute, MINUTE),
            Limit(sends.client_per_hour, HOUR),
        )
        self._try_client = (Limit(tries.client_per_ten_minutes, 600),)

    def for_send(self, id: ChallengeId, caller: Caller) -> tuple[Draw, ...]:
        """Give the budgets that a send or resend of this challenge draws on."""
        draws = [self._of_address("s", id, caller, self._send_address)]
        draws += self._of_client("s", caller.client, self._send_client)
        if self._sends.overall_per_hour is not None:
            limit = Limit(self._sends.overall_per_hour, HOUR)
            draws.append(Draw("a" + self._keyring.name("overall"), (limit,), quantum=MINUTE))
        return tuple(draws)

    def for_try(self, id: ChallengeId, caller: Caller) -> tuple[Draw, ...]:
        """Give the budgets that a code for this challenge draws on, the challenge's own first."""
        own = Draw(challenge_key(id) + "t", (Limit(self._attempts, _CHALLENGE_SECONDS),))
        address = self._of_address("t", id, caller, self._try_address)
        return (own, address, *self._of_client("t", caller.client, self._try_client))

    def _of_address(
        self, what: str, id: ChallengeId, caller: Caller, limits: tuple[Limit, ...]
    ) -> Draw:
        slot = "{" + b64(id[:TAG_BYTES]) + "}"
        exact = id[TAG_BYTES : TAG_BYTES + EXACT_BYTES]
        for known, device in caller.known_to.items():
            # By the exact address: who owns `jo+x@` where tags are not folded is not `jo@`.
            if known.startswith(exact):
                return Draw(f"{slot}{what}{device}", limits)
        if not caller.is_browser:
            # A backend's people carry no device cookie of ours, so the anonymous pages must not be
            # able to spend their budget.
            what += "k" + self._keyring.name("caller", caller.name)
        if caller.client is None:
            return Draw(slot + what, limits)
        day = limits[-1]
        share = Limit(max(1, day.count // 2), day.window, of_one=True)
        name = digest("client", caller.client.wide or caller.client.network)
        return Draw(slot + what, (*limits, share), tag=int.from_bytes(name[:4], "big"))

    def _of_client(self, what: str, client: Client | None, limits: tuple[Limit, ...]) -> list[Draw]:
        if client is None:
            return []
        draws = [Draw(f"c{self._keyring.name('client', client.network)}{what}", limits)]
        if client.wide is not None:
            wide = tuple(Limit(limit.count * WIDE, limit.window) for limit in limits)
            name = self._keyring.name("client", client.wide)
            # A ledger of thousands of events is kept small by rounding its times to 10 seconds.
            draws.append(Draw(f"c{name}{what}", wide, quantum=10))
        return draws


def address_tag(keyring: Keyring, address: Address) -> bytes:
    """Give the digest under which everything of an address is kept: the folded mailbox's.

    Challenges of `a+x@` and `a+y@` share budgets and a place, never an identity.
    """
    return digest("address", keyring.realm, folded(address))


def exact_tag(keyring: Keyring, address: Address) -> bytes:
    """Give the digest of exactly this address, to which a device cookie is bound."""
    return digest("exact-address", keyring.realm, address)


def new_challenge_id(keyring: Keyring, address: Address) -> ChallengeId:
    """Make the id of a challenge to prove an address."""
    exact = exact_tag(keyring, address)[:EXACT_BYTES]
    random = secrets.token_bytes(ID_BYTES - TAG_BYTES - EXACT_BYTES)
    return ChallengeId(address_tag(keyring, address) + exact + random)


def challenge_key(id: ChallengeId) -> str:
    """Give a challenge's place in the store: its address's slot, then its random part."""
    return "{" + b64(id[:TAG_BYTES]) + "}" + b64(id[TAG_BYTES:ID_BYTES])
