"""What happened: events, and what a kind of them says.

An event never holds a secret, and no address: addresses and clients stand in it as keyed digests
(security rule 13), which are the same in each event, so that they can be matched, and tell nothing
without the secret key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, fields
from typing import Final, Protocol, TypedDict, Unpack

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.errors import ConfigError

Detail = str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. A field that the event does not have is `None`.

    Attributes:
        at: unix seconds.
        kind: one of `core.events.event_kinds.KINDS`, or of a feature's own.
        id: names it in the database, ordered by time; `None` for one that nobody recorded.
        attempt: ties the events of one login together, from the first email to the session.
        user_id: the user's id.
        organization: the organization's id.
        address: keyed digest of the address.
        by: who changed it: `person`, `operator:` or `server:` and a name, `command_line`, `python`.
        caller: `browser`, `token`, `server:` and a key; of a session `step_up:`, `address_change:`.
        client: keyed digest of the client's network, as the limits count it; not of servers.
        device: the browser in our own words, e.g. `Firefox on Linux`; not of servers.
        country: of the client, ISO 3166-1, e.g. `DE`; where that is known.
        method: the login method, e.g. `email_code`.
        methods: several of them, in order.
        session: the session's public id.
        reason: why, or which: one of a closed list for each kind; of emails, what went wrong.
        wait: seconds until it may be tried again, or is.
        tries: how many tries there were.
        tries_left: how many tries are left.
        details: fields of a feature's own.
    """

    at: int
    kind: str
    id: str | None = None
    attempt: str | None = None
    user_id: str | None = None
    organization: str | None = None
    address: str | None = None
    by: str | None = None
    caller: str | None = None
    client: str | None = None
    device: str | None = None
    country: str | None = None
    method: str | None = None
    methods: tuple[str, ...] | None = None
    session: str | None = None
    reason: str | None = None
    wait: int | None = None
    tries: int | None = None
    tries_left: int | None = None
    details: Mapping[str, Detail] | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the fields that it has, `at` and `kind` first, ready for JSON."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if value is not None}


FIELDS: Final = tuple(field.name for field in fields(Event))[3:]
"""Every field that an event may have besides `at`, `kind` and `id`."""


class EventFields(TypedDict, total=False):
    """What a recorder gives for the fields of `Event`; the digests are made later.

    An `attempt` is the random part of a challenge's or ceremony's id here, `b""` for none; an
    `address` is the address.
    """

    attempt: bytes
    user_id: str
    organization: str | None
    address: Address
    by: str
    method: str
    methods: tuple[str, ...]
    session: str
    reason: str
    wait: int
    tries: int
    tries_left: int
    details: Mapping[str, Detail] | None


class Recorder(Protocol):
    """What records an event; `flows.events.events.Events.record` is one."""

    def __call__(
        self, kind: str, caller: Caller | None = None, /, **given: Unpack[EventFields]
    ) -> None:
        """Record an event of a kind, with the caller of whom it tells."""
        ...


def record_nothing(
    kind: str, caller: Caller | None = None, /, **given: Unpack[EventFields]
) -> None:
    """Record nothing: the default of what also works by itself."""


CALLER: Final = ("caller", "client", "device")
"""The fields that a caller gives, in the declaration of a kind."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class EventKind:
    """Declare one kind of event.

    Args:
        name: two words with a dot: what, and what became of it, e.g. `passkey.added`.
        meaning: when it is recorded, in a few words.
        fields: which of `FIELDS` such an event may have.
        reasons: the closed list for `reason`; empty where it is a text.
        details: the names of a feature's own fields.

    Attributes:
        given: the fields that a recorder gives by name; the caller's are given by the caller.
        has_caller: whether a recorder gives a caller.

    Raises:
        ConfigError: a name of another shape, an unknown field, reasons without the field.
    """

    name: str
    meaning: str
    fields: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    given: frozenset[str] = field(init=False, repr=False, compare=False)
    has_caller: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError("event_kinds", f"{self.name!r}: set a name such as 'passkey.added'")
        unknown = [name for name in self.fields if name not in FIELDS]
        if unknown or (self.reasons and "reason" not in self.fields):
            wrong = f"unknown fields {', '.join(unknown)}" if unknown else "reasons but no reason"
            raise ConfigError("event_kinds", f"{self.name} has {wrong}; there are {FIELDS}")
        if bool(self.details) != ("details" in self.fields):
            raise ConfigError("event_kinds", f"{self.name}: name the details, and the field")
        object.__setattr__(self, "given", frozenset(self.fields) - frozenset(CALLER))
        object.__setattr__(self, "has_caller", not set(CALLER).isdisjoint(self.fields))

    def admits(self, caller: Caller | None, given: EventFields) -> bool:
        """Whether an event of this kind may have these fields, with these values."""
        if not given.keys() <= self.given or (caller is not None and not self.has_caller):
            return False
        if self.reasons and given.get("reason") not in self.reasons:
            return False
        details = given.get("details") if self.details else None
        return details is None or (
            details.keys() <= set(self.details)
            and all(isinstance(value, str | int) for value in details.values())
        )
