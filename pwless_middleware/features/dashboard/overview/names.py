"""What methods and reasons are called on the overview; the log explains each in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text

METHODS: Final[Mapping[str, Text]] = {
    "email_code": Text("Code by email"),
    "email_link": Text("Link by email"),
    "passkey": Text("Passkey"),
    "sso": Text("Company login"),
    "totp": Text("Authenticator app"),
    "sms": Text("Text message"),
    "recovery_code": Text("Recovery code"),
    "session": Text("Fresh proof"),
}
"""The methods of the product's own features."""

_KINDS: Final[Mapping[str, Text]] = {
    "code.wrong": Text("Wrong code"),
    "step.wrong": Text("Wrong answer to a further step"),
    "passkey.refused": Text("Passkey refused"),
    "sso.failed": Text("Company login did not work"),
}
"""Failures whose reasons are for the log alone."""
REASONS: Final[Mapping[str, Mapping[str, Text]]] = {
    "login.refused": {
        "expired": Text("Too late: the code or link had expired"),
        "used": Text("The code or link was used already"),
        "unknown": Text("Unknown request"),
        "unknown_user": Text("Nobody is served at this address"),
        "disabled": Text("The person is disabled"),
        "denied": Text("A rule says no"),
        "not_a_member": Text("No member of the organization"),
        "method_not_allowed": Text("A way to sign in that is not allowed"),
        "no_second_factor": Text("No second factor that counts"),
        "elsewhere": Text("Led to another way to sign in"),
        "signed_out": Text("Signed out meanwhile"),
    },
    "caller.refused": {
        "unknown_key": Text("Unknown API key"),
        "foreign_origin": Text("Page of a foreign site"),
        "missing_scope": Text("API key for something else"),
    },
    "limit.reached": {
        "send_by_address": Text("Emails to one address"),
        "send_by_client": Text("Emails by one client"),
        "send_by_overall": Text("Emails altogether"),
        "resend_by_challenge": Text("Emails of one sign-in"),
        "try_by_challenge": Text("Wrong codes of one sign-in"),
        "try_by_address": Text("Wrong codes for one address"),
        "try_by_client": Text("Wrong codes by one client"),
        "try_by_step": Text("Wrong answers to a further step"),
        "options_by_client": Text("Passkey requests by one client"),
        "text_by_number": Text("Text messages to one number"),
        "text_by_prefix": Text("Text messages to one block of numbers"),
        "text_by_user": Text("Text messages of one person"),
        "text_by_client": Text("Text messages by one client"),
        "text_by_overall": Text("Text messages altogether"),
        "change_by_user": Text("Changes by one person"),
    },
    "mail.suppressed": {
        "not_allowed": Text("The address is not allowed"),
        "held_back": Text("The policy lets nobody in by email"),
        "test_address": Text("A test address, which gets none"),
        "unknown_user": Text("Nobody is served at this address"),
        "disabled": Text("The person is disabled"),
        "refused_by_users": Text("The user table says no"),
        "superseded": Text("Not needed any more"),
    },
}
"""What is told apart by its reason."""


def name_methods(methods: str) -> str:
    """Return the names of a sign-in's methods: `Code by email, then authenticator app`."""
    if not methods:
        return translate(Text("Not known"))
    return " + ".join(
        translate(METHODS[one]) if one in METHODS else one for one in methods.split("+")
    )


def name_failure(kind: str, reason: str = "") -> str:
    """Return what a failure is called; one of somebody else's feature by its own words."""
    if kind in _KINDS:
        return translate(_KINDS[kind])
    return name_reason(kind, reason)


def name_reason(kind: str, reason: str) -> str:
    """Return what a reason is called."""
    found = REASONS.get(kind, {}).get(reason)
    return reason.replace("_", " ") if found is None else translate(found)
