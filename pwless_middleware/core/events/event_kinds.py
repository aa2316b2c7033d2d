"""The closed list of the kinds of events that the product itself records.

The table `KINDS` is the whole truth: what is recorded is checked against it, the guide's table is
compared with it, and the tests make a real story for each of its lines. A feature adds kinds of its
own by `Mounted.event_kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.events.event import CALLER, EventKind

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

_HANDOVER: Final = ("server", "seconds")
"""Details of a message: whom it was handed to, and how many seconds after it was asked for."""

KINDS: Final[Mapping[str, EventKind]] = {
    kind.name: kind
    for kind in (
        EventKind(
            "send.requested",
            "an email was requested and queued; whether anybody may sign in there shows later",
            ("attempt", "organization", "address", "details", *CALLER),
            details=("language",),
        ),
        EventKind(
            "resend.requested",
            "the email was requested again and queued",
            ("attempt", "organization", "address", "tries", *CALLER),
        ),
        EventKind(
            "limit.reached",
            "a send, a try or a change was refused by a limit",
            ("attempt", "user_id", "organization", "address", "reason", "wait", *CALLER),
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
        EventKind(
            "mail.sent",
            "the mail server took the email; `details` has the `server`, and the `seconds` since it"
            " was requested",
            ("attempt", "tries", "details"),
            details=_HANDOVER,
        ),
        EventKind(
            "mail.deferred",
            "the email was not taken, and is tried again after `wait`",
            ("attempt", "reason", "wait", "tries", "details"),
            details=_HANDOVER,
        ),
        EventKind(
            "mail.failed",
            "the email was given up: refused permanently, or its code has expired",
            ("attempt", "reason", "tries", "details"),
            details=_HANDOVER,
        ),
        EventKind(
            "mail.suppressed",
            "no email was sent: nobody at this address may sign in, or it is no longer needed",
            ("attempt", "reason"),
            reasons=(
                "not_allowed",
                "held_back",
                "test_address",
                "unknown_user",
                "disabled",
                "refused_by_users",
                "superseded",
            ),
        ),
        EventKind(
            "sms.requested",
            "a code by text message was requested and queued",
            ("attempt", "user_id", *CALLER),
        ),
        EventKind(
            "sms.sent",
            "the gateway took the text message",
            ("attempt", "tries", "details"),
            details=_HANDOVER,
        ),
        EventKind(
            "sms.deferred",
            "the text message was not taken, and is tried again after `wait`",
            ("attempt", "reason", "wait", "tries", "details"),
            details=_HANDOVER,
        ),
        EventKind(
            "sms.failed",
            "the text message was given up: refused permanently, or its code has expired",
            ("attempt", "reason", "tries", "details"),
            details=_HANDOVER,
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
            "a wrong code was typed, or one for an address that may not sign in",
            ("attempt", "organization", "address", "tries_left", *CALLER),
        ),
        EventKind(
            "link.opened_elsewhere",
            "the link was opened in another browser than the one that asked; nothing was spent",
            ("attempt", *CALLER),
        ),
        EventKind(
            "link.scanned",
            "the link was fetched without its page, as scanners and previews do; nothing was spent",
            ("attempt", *CALLER),
        ),
        EventKind(
            "login.refused",
            "no login or resend: too late, used, unknown or another caller's, or a rule says no",
            ("attempt", "organization", "reason", *CALLER),
            reasons=(
                "expired",
                "used",
                "unknown",
                "unknown_user",
                "disabled",
                "denied",
                "not_a_member",
                "method_not_allowed",
                "no_second_factor",
                "elsewhere",
                "signed_out",
            ),
        ),
        EventKind(
            "login.verified",
            "the proof was right: a code, a link; what follows says whether it opened anything",
            ("attempt", "organization", "method", *CALLER),
        ),
        EventKind(
            "user.created",
            "the user table got a new user, by a first login",
            ("attempt", "user_id", "address", *CALLER),
        ),
        EventKind(
            "step.required",
            "a further step is asked for before there is a session",
            ("attempt", "organization", "methods", *CALLER),
        ),
        EventKind(
            "step.wrong",
            "a wrong answer to a step",
            ("attempt", "user_id", "organization", "method", "tries_left", *CALLER),
        ),
        EventKind(
            "step.verified",
            "a right answer to a step",
            ("attempt", "user_id", "organization", "method", *CALLER),
        ),
        EventKind(
            "session.created",
            "somebody is signed in",
            ("attempt", "user_id", "organization", "address", "methods", "session", *CALLER),
        ),
        EventKind(
            "session.renewed",
            "a fresh proof was given for a live session, which has a new id",
            ("attempt", "user_id", "organization", "address", "methods", "session", *CALLER),
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
            "person.created", "a person was created, and not by a first login", ("user_id", "by")
        ),
        EventKind(
            "person.invited",
            "a person was sent an email that says where they can sign in",
            ("user_id", "by"),
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
        EventKind(
            "person.signed_out",
            "somebody else ended a person's sessions: all, or the one named",
            ("user_id", "session", "by"),
        ),
        EventKind("person.exported", "everything about a person was exported", ("user_id", "by")),
        EventKind(
            "person.deleted",
            "everything about a person was erased; the event does not say who",
            ("by",),
        ),
        EventKind(
            "person.address_changed",
            "a person changed their address, with proof from the new one, which is in `address`",
            ("user_id", "address", "by", *CALLER),
        ),
        EventKind(
            "person.address_requested",
            "somebody else requested another address for a person, which has to confirm it",
            ("user_id", "address", "by"),
        ),
        EventKind(
            "person.address_withdrawn",
            "such a request was withdrawn before it was confirmed",
            ("user_id", "by"),
        ),
        EventKind(
            "person.address_undone",
            "a change of address was undone from the old one, now in `address`; all are signed out",
            ("user_id", "address", "by", *CALLER),
        ),
        EventKind(
            "caller.refused",
            "refused: a page of a foreign origin, or an API key that is unknown or lacks the scope",
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
            "an operator changed a setting; values that may contain addresses are left out",
            ("by", "details"),
            details=("name", "from", "to"),
        ),
        EventKind(
            "template.changed",
            "an operator changed the template of a mail; `details` has from which version to which",
            ("by", "details"),
            details=("name", "language", "from", "to"),
        ),
        EventKind(
            "template.failed",
            "an operator's template could not be used, and the default was sent",
            ("reason", "details"),
            reasons=("refused", "failed"),
            details=("name", "language", "version"),
        ),
        # --- passkeys ------------------------------------------------------------------------
        EventKind("passkey.added", "a person made a passkey", ("user_id", "by", *CALLER)),
        EventKind("passkey.renamed", "a passkey got another name", ("user_id", "by", *CALLER)),
        EventKind(
            "passkey.removed",
            "a passkey was removed; `details` has how many at once, in `count`",
            ("user_id", "by", "details", *CALLER),
            details=("count",),
        ),
        EventKind(
            "passkey.refused",
            "an answer with a passkey, or the making of one, was refused",
            ("attempt", "user_id", "reason", *CALLER),
            reasons=PASSKEY_REASONS,
        ),
        EventKind(
            "passkey.count_fell",
            "a synced passkey counted back, and was let in: it may exist more than once",
            ("attempt", "user_id", *CALLER),
        ),
    )
}
"""Every kind that the product itself records, by name."""
