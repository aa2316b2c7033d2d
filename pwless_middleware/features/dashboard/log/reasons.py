"""Why something failed: an answer for each outcome, and for each reason that an event can have.

Whoever adds a reason to a kind adds its answer here; a test fails for one that has none. An answer
says what was the matter, and where there is something to do, what. Reasons of mail servers and
gateways are their own words, and stand beside the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.sso_faults import FAULTS, METADATA_FAULTS
from pwless_middleware.text import Text

_TOO_MANY_TEXTS: Final = Text("Too many text messages were asked for in a short time.")
_MADE_UP: Final = Text(
    "What the browser sent was not the answer of a passkey to our question. That is a broken "
    "client, or somebody who tries something out."
)

REASONS: Final[Mapping[str, Mapping[str, Text]]] = {
    "sso.failed": FAULTS,
    "sso.certificate_ends": {
        name: FAULTS[name] for name in ("certificate_ends", "certificate_ended")
    },
    "sso.metadata_failed": METADATA_FAULTS,
    "template.failed": {
        "refused": Text(
            "It holds what is not admitted any more, such as a link to another address of the "
            "site. Open the template, mend what is marked, and save it."
        ),
        "failed": Text(
            "It names something that this mail did not have. Open the template, save it again, and "
            "send yourself a test."
        ),
    },
    "webhook.turned_off": {
        "operator": Text("An operator wanted it so."),
        "failing": Text(
            "It took no event for three days. See on its page what it answered, and turn it on "
            "again once it takes them."
        ),
        "gone": Text(
            "It answered 410, which means that nothing is to be sent there any more. If that was "
            "a mistake, turn it on again."
        ),
    },
    "limit.reached": {
        "send_by_address": Text(
            "Too many emails were asked for at this address in a short time. That protects whoever "
            "has it; it can be tried again when the time is over."
        ),
        "send_by_client": Text(
            "Too many emails were asked for from this network. If many people share it, such as "
            "behind a proxy, check trusted_proxies."
        ),
        "send_by_overall": Text(
            "The site’s own limit of emails was reached. Raise it in the settings if that was not "
            "an attack."
        ),
        "resend_by_challenge": Text(
            "The same email was asked for too often. The one that was sent still works; else begin "
            "a new login."
        ),
        "try_by_challenge": Text(
            "Too many wrong codes were typed for one email. A new email has a new code."
        ),
        "try_by_address": Text(
            "Too many wrong codes were typed for this address, over several emails. The link in an "
            "email still works meanwhile."
        ),
        "try_by_client": Text("Too many wrong codes came from this network."),
        "try_by_step": Text(
            "Too many wrong answers were given to the second step. The person can try again later, "
            "or use a recovery code."
        ),
        "options_by_client": Text("Too many logins with a passkey were begun from this network."),
        "text_by_number": _TOO_MANY_TEXTS,
        "text_by_prefix": Text(
            "Too many text messages were asked for to numbers that are alike. That is how numbers "
            "of fraudsters look."
        ),
        "text_by_user": _TOO_MANY_TEXTS,
        "text_by_client": Text("Too many text messages were asked for from this network."),
        "text_by_overall": Text(
            "The site’s own limit of text messages for a day was reached. Raise it if that was not "
            "an attack."
        ),
        "change_by_user": Text("The person has changed too much of how they sign in within a day."),
    },
    "mail.suppressed": {
        "not_allowed": Text(
            "Nobody with this address may sign in here: it is not on the list of those that may. "
            "The person saw the same page as everybody."
        ),
        "held_back": Text(
            "The policy of the organization lets nobody with this address in by email. The person "
            "saw the same page as everybody."
        ),
        "test_address": Text("It is a test address, which gets no email: its code is fixed."),
        "unknown_user": Text(
            "There is no account with this address, and nobody may make one by signing in. Invite "
            "the person, or allow sign-up."
        ),
        "disabled": Text("The person is disabled. Enable them if they may sign in again."),
        "refused_by_users": Text("The app’s own user table did not want to make this person."),
        "superseded": Text("A newer email of the same login was sent in its place."),
    },
    "test_address.refused": {
        "ended": Text("The test address has ended. An admin can let it end later."),
        "network": Text("It was used from outside the networks that it is for."),
        "person": Text("Somebody has the address by now: make a test address that nobody has."),
        "operator": Text("It is an operator’s address, which no fixed code opens."),
        "other_use": Text("The code was typed to change an address, for which it is not."),
        "unreadable": Text(
            "The code cannot be read, since the secret key or the style of codes was changed. Make "
            "a new one."
        ),
    },
    "sms.suppressed": {
        "superseded": Text("A newer text message was sent in its place."),
        "used": Text("The step was done before the text message was sent."),
        "removed": Text("The phone number was removed before the text message was sent."),
    },
    "login.refused": {
        "expired": Text(
            "The code or link was too old. The person can ask for a new email; if that happens "
            "often, look at how long emails take to arrive."
        ),
        "used": Text("The code or link was used already: each works once."),
        "unknown": Text(
            "There was no login to go on with: it was over, or began in another browser."
        ),
        "unknown_user": Text("There is no account with this address."),
        "disabled": Text("The person is disabled. Enable them if they may sign in again."),
        "denied": Text("A rule of the site refused the login."),
        "not_a_member": Text(
            "The person is no member of the organization that they wanted to enter. Invite them, "
            "or let them join by the organization’s policy."
        ),
        "method_not_allowed": Text(
            "The organization’s policy does not allow this way to sign in. The person can use "
            "another one that it has."
        ),
        "no_second_factor": Text(
            "A second factor was required, and the person had none that counts there. They can add "
            "one in their account, or an operator can reset what they have."
        ),
        "elsewhere": Text("A rule of the site led the person to another way to sign in."),
        "signed_out": Text(
            "The session that was to be confirmed had ended meanwhile. The person can sign in anew."
        ),
    },
    "session.ended": {
        "logout": Text("The person signed out."),
        "revoked": Text("It was ended from the list of sessions."),
        "revoked_all": Text("All of the person’s sessions were ended."),
        "replaced": Text("A new login in the same browser took its place."),
        "renewed": Text("The same session goes on under a new id."),
        "withdrawn": Text("A rule no longer allowed it."),
    },
    "caller.refused": {
        "unknown_key": Text("The API key or access token is not known, or has ended."),
        "foreign_origin": Text(
            "It came from a page of another origin. If that page is yours, add it to "
            "allowed_origins."
        ),
        "missing_scope": Text(
            "The API key is not for this; make one with the scope that it needs."
        ),
    },
    "passkey.refused": {
        "unknown_ceremony": Text("There was no login with a passkey to go on with."),
        "other_ceremony": Text("The answer belonged to something else than was asked."),
        "other_holder": Text("The answer came from another browser or session than was asked."),
        "expired": Text("The answer came too late. The person can try again."),
        "used": Text("The same answer was sent twice."),
        "type": _MADE_UP,
        "challenge": _MADE_UP,
        "origin": Text(
            "The passkey was used on a page of another origin. If that page is yours, add it to "
            "the origins of Passkeys."
        ),
        "cross_origin": Text("The page stood in a frame of another site."),
        "rp_id": Text(
            "The passkey is for another host. Those that were made before the host changed no "
            "longer work."
        ),
        "not_present": _MADE_UP,
        "not_verified": Text(
            "The passkey did not ask for a fingerprint, face or PIN, which is needed here."
        ),
        "backup_state": _MADE_UP,
        "algorithm": Text("The passkey signs in a way that is not accepted."),
        "signature": Text("The signature is not the passkey’s."),
        "client_data": _MADE_UP,
        "malformed": _MADE_UP,
        "user_handle": _MADE_UP,
        "attestation": _MADE_UP,
        "sign_count": Text(
            "The passkey counted backwards: somebody may have copied it. Ask the person to remove "
            "it and to make a new one."
        ),
        "unknown": Text(
            "The passkey is not known here: it was removed, and is still on the device."
        ),
        "other_user": Text("The passkey belongs to another person."),
        "known": Text("The passkey had been added already."),
        "not_first": Text(
            "The passkey cannot be used alone, since it did not verify the person. Sign in by "
            "email first."
        ),
        "other_handle": Text("The passkey was made for an account that is gone."),
        "disabled": Text("The person is disabled. Enable them if they may sign in again."),
    },
}
"""Why, by the kind of event and its reason."""

OUTCOMES: Final[Mapping[str, Text]] = {
    "signed_in": Text("It did not fail: the person was signed in."),
    "confirmed": Text("It did not fail: the person confirmed who they are."),
    "verified": Text(
        "The proof was right, and nothing followed: it was for something else than a session, or "
        "the browser was closed."
    ),
    "asked": Text(
        "Somebody began, and nothing has come of it so far. If an email was asked for, it still "
        "waits for the mail server."
    ),
    "sent": Text(
        "The mail server took the email, and nobody has used it. Ask the person to look into the "
        "spam folder; if many do not use theirs, check the sender’s DNS records."
    ),
    "delayed": Text(
        "The message was not taken so far, and is tried again. The reason is the server’s own."
    ),
    "not_delivered": Text(
        "The message was given up: refused for good, or its code expired before it was taken."
    ),
    "not_sent": Text("No email was sent, since nobody is served at this address."),
    "wrong_code": Text(
        "A wrong code was typed last, and no right one. The person may have typed that of an older "
        "email."
    ),
    "limited": Text("A limit was reached."),
    "refused": Text("The login was refused."),
    "step_open": Text(
        "The first proof was right, and the second step was not done: the person went away, or "
        "does not have their second factor at hand."
    ),
    "wrong_step": Text(
        "The first proof was right, and the answer to the second step was wrong last. The clock of "
        "the person’s phone may be wrong; a recovery code works in any case."
    ),
}
"""Why, by the outcome of an attempt, where its reason says no more."""


def reason_text(event: Event) -> Text | None:
    """Return why, in words; `None` where the event has no reason of a closed list."""
    return REASONS.get(event.kind, {}).get(event.reason or "")


def why_text(outcome: str, decided_by: Event | None) -> Text:
    """Return the answer to "Why did this fail?".

    Args:
        outcome: of the attempt.
        decided_by: the event that decided it; `None` where it is not there any more.
    """
    told = reason_text(decided_by) if decided_by is not None else None
    return told or OUTCOMES[outcome]
