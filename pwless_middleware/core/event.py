"""What happened: events, and the closed list of their kinds.

The table `KINDS` is the whole truth: what is recorded is checked against it, the README's table is
compared with it, and the tests make a real story for each of its lines. A feature adds kinds of its
own by `Mounted.event_kinds`.

An event never holds a secret, and no address: addresses and clients stand in it as keyed digests
(security rule 13), which are the same in each event, so that they can be matched, and tell nothing
without the secret key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, fields
from typing import Final, Protocol, TypedDict, Unpack

from pwless_middleware.core.address import Address
from pwless_middleware.core.caller import Caller
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import ConfigError

Detail = str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. A field that the event does not have is `None`.

    Attributes:
        at: unix seconds.
        kind: one of `KINDS`, or of a feature's own.
        id: names it in the database, ordered by time; `None` for one that nobody recorded.
        attempt: ties the events of one login together, from the first email to the session.
        user_id: the user's id.
        organization: the organization's id.
        address: keyed digest of the address.
        by: who changed it: `person`, `operator:` or `server:` and a name, `command_line`, `python`.
        caller: `browser`, `token`, `server:` and a key; of a session `step_up:`, `address_change:`.
        client: keyed digest of the client's network, as the limits count it; not of servers.
        device: the browser in our own words, e.g. `Firefox on Linux`; not of servers.
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
    details: Mapping[str, Detail]


class Recorder(Protocol):
    """What records an event; `flows.events.Events.record` is one."""

    def __call__(
        self, kind: str, caller: Caller | None = None, /, **given: Unpack[EventFields]
    ) -> None:
        """Record an event of a kind, with the caller of whom it tells."""
        ...


def record_nothing(
    kind: str, caller: Caller | None = None, /, **given: Unpack[EventFields]
) -> None:
    """Record nothing: the default of what also works by itself."""


_CALLER: Final = ("caller", "client", "device")
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
        object.__setattr__(self, "given", frozenset(self.fields) - frozenset(_CALLER))
        object.__setattr__(self, "has_caller", not set(_CALLER).isdisjoint(self.fields))

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


PASSKEY_REASONS: Final = (
    # of the ceremony
    "unknown_ceremony",
    "other_ceremony",
    "other_holder",
    "expired",
    "used",
    # of what a browser signed (WebAuthn Level 3 §7)
    "type",
    "challenge",
    "origin",
    "cross_origin",
    "rp_id",
    "not_present",
    "not_verified",
    "backup_state",
    "algorithm",
    "signature",
    "client_data",
    "malformed",
    "user_handle",
    "attestation",
    "sign_count",
    # of whose it is
    "unknown",
    "other_user",
    "known",
    "not_first",
    "other_handle",
    "disabled",
)
"""Why an answer with a passkey is refused; the caller is told one thing only."""

KINDS: Final[Mapping[str, EventKind]] = {
    kind.name: kind
    for kind in (
        EventKind(
            "send.requested",
            "an email was asked for and queued; whether there is anybody to serve shows later",
            ("attempt", "address", *_CALLER),
        ),
        EventKind(
            "resend.requested",
            "the email was asked for once more, and queued",
            ("attempt", "address", "tries", *_CALLER),
        ),
        EventKind(
            "limit.reached",
            "a send, a try or a change was refused for its number",
            ("attempt", "user_id", "address", "reason", "wait", *_CALLER),
            reasons=(
                "send_by_address",
                "send_by_client",
                "send_by_overall",
                "resend_by_challenge",
                "try_by_challenge",
                "try_by_address",
                "try_by_client",
                "try_by_step",
                "options_by_client",
                "text_by_number",
                "text_by_prefix",
                "text_by_user",
                "text_by_client",
                "text_by_overall",
                "change_by_user",
            ),
        ),
        EventKind("mail.sent", "the mail server took the email", ("attempt", "tries")),
        EventKind(
            "mail.deferred",
            "the email was not taken, and is tried again after `wait`",
            ("attempt", "reason", "wait", "tries"),
        ),
        EventKind(
            "mail.failed",
            "the email was given up: refused for good, or its code has expired",
            ("attempt", "reason", "tries"),
        ),
        EventKind(
            "mail.suppressed",
            "no email was sent: nobody is served at this address, or it is no longer needed",
            ("attempt", "reason"),
            reasons=("not_allowed", "unknown_user", "disabled", "refused_by_users", "superseded"),
        ),
        EventKind(
            "sms.requested",
            "a code by text message was asked for, and queued",
            ("attempt", "user_id", *_CALLER),
        ),
        EventKind("sms.sent", "the gateway took the text message", ("attempt", "tries")),
        EventKind(
            "sms.deferred",
            "the text message was not taken, and is tried again after `wait`",
            ("attempt", "reason", "wait", "tries"),
        ),
        EventKind(
            "sms.failed",
            "the text message was given up: refused for good, or its code has expired",
            ("attempt", "reason", "tries"),
        ),
        EventKind(
            "sms.suppressed",
            "the text message was not sent, since it is no longer needed",
            ("attempt", "reason"),
            reasons=("superseded", "used", "removed"),
        ),
        EventKind(
            "sms.delivered", "the gateway reports that the text message has arrived", ("attempt",)
        ),
        EventKind(
            "sms.undelivered",
            "the gateway reports that the text message won't arrive",
            ("attempt",),
        ),
        EventKind(
            "code.wrong",
            "a wrong code was typed, or one for an address that is not served",
            ("attempt", "address", "tries_left", *_CALLER),
        ),
        EventKind(
            "link.opened_elsewhere",
            "the link was opened in another browser than the one that asked; nothing was spent",
            ("attempt", *_CALLER),
        ),
        EventKind(
            "link.scanned",
            "the link was fetched by what loads no page, a scanner or preview; nothing was spent",
            ("attempt", *_CALLER),
        ),
        EventKind(
            "login.refused",
            "no login or resend: too late, used, unknown or another caller's, or a rule says no",
            ("attempt", "reason", *_CALLER),
            reasons=(
                "expired",
                "used",
                "unknown",
                "unknown_user",
                "disabled",
                "denied",
                "elsewhere",
                "signed_out",
            ),
        ),
        EventKind(
            "login.verified",
            "the proof was right: a code, a link; what follows says whether it opened anything",
            ("attempt", "method", *_CALLER),
        ),
        EventKind(
            "user.created",
            "the user table got a new user, by a first login",
            ("attempt", "user_id", "address", *_CALLER),
        ),
        EventKind(
            "step.required",
            "a further step is asked for before there is a session",
            ("attempt", "methods", *_CALLER),
        ),
        EventKind(
            "step.wrong",
            "a wrong answer to a step",
            ("attempt", "user_id", "method", "tries_left", *_CALLER),
        ),
        EventKind(
            "step.verified",
            "a right answer to a step",
            ("attempt", "user_id", "method", *_CALLER),
        ),
        EventKind(
            "session.created",
            "somebody is signed in",
            ("attempt", "user_id", "organization", "address", "methods", "session", *_CALLER),
        ),
        EventKind(
            "session.renewed",
            "a fresh proof was given for a live session, which has a new id",
            ("attempt", "user_id", "organization", "address", "methods", "session", *_CALLER),
        ),
        EventKind(
            "session.ended",
            "a session was ended; by its cookie alone where it was replaced, perhaps over already",
            ("user_id", "session", "reason"),
            reasons=("logout", "revoked", "revoked_all", "replaced", "renewed", "withdrawn"),
        ),
        EventKind(
            "event.dropped",
            "so many events were not written to the database: too many waited, or were refusals",
            ("details",),
            details=("count",),
        ),
        EventKind(
            "person.created", "somebody was made, and not by a first login", ("user_id", "by")
        ),
        EventKind(
            "person.profile_changed",
            "name or language were changed; `details` has which, in `fields`",
            ("user_id", "by", "details"),
            details=("fields",),
        ),
        EventKind(
            "person.disabled",
            "nobody can sign in as this person any more",
            ("user_id", "by"),
        ),
        EventKind("person.enabled", "the person can sign in again", ("user_id", "by")),
        EventKind("person.exported", "everything about a person was asked for", ("user_id", "by")),
        EventKind(
            "person.deleted",
            "everything about a person was erased; of whom is not said",
            ("by",),
        ),
        EventKind(
            "person.address_changed",
            "a person changed their address, by proof from the new one, which it has",
            ("user_id", "address", "by", *_CALLER),
        ),
        EventKind(
            "person.address_undone",
            "a change of address was undone from the old one, which it has; all are signed out",
            ("user_id", "address", "by", *_CALLER),
        ),
        EventKind(
            "caller.refused",
            "refused: from a page of a foreign origin, or an API key that is unknown or for less",
            ("reason", "client", "device"),
            reasons=("unknown_key", "foreign_origin", "missing_scope"),
        ),
        EventKind(
            "api_key.created",
            "an operator made an API key",
            ("by", "details"),
            details=("name", "id", "scopes"),
        ),
        EventKind(
            "api_key.rotated",
            "an operator made another API key of a name; the old one ends after `overlap` seconds",
            ("by", "details"),
            details=("name", "id", "overlap"),
        ),
        EventKind(
            "api_key.revoked",
            "an operator ended all API keys of a name",
            ("by", "details"),
            details=("name",),
        ),
        EventKind(
            "settings.changed",
            "an operator changed a setting; what may hold addresses is not told",
            ("by", "details"),
            details=("name", "from", "to"),
        ),
        # --- passkeys ------------------------------------------------------------------------
        EventKind("passkey.added", "a person made a passkey", ("user_id", "by", *_CALLER)),
        EventKind("passkey.renamed", "a passkey got another name", ("user_id", "by", *_CALLER)),
        EventKind(
            "passkey.removed",
            "a passkey was removed; `details` has how many at once, in `count`",
            ("user_id", "by", "details", *_CALLER),
            details=("count",),
        ),
        EventKind(
            "passkey.refused",
            "an answer with a passkey, or the making of one, was refused",
            ("attempt", "user_id", "reason", *_CALLER),
            reasons=PASSKEY_REASONS,
        ),
        EventKind(
            "passkey.count_fell",
            "a synced passkey counted back, and was let in: it may exist more than once",
            ("attempt", "user_id", *_CALLER),
        ),
    )
}
"""Every kind that the product itself records, by name."""
