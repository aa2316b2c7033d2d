"""What the jobs of the queue are, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.text import Text

TOPICS: Final[Mapping[str, Text]] = {
    "mail": Text("Email with a code or link"),
    "sms_code": Text("Text message with a code"),
    "address_changed": Text("Email: the address was changed"),
    "address_undone": Text("Email: a change of address was undone"),
    "address_withdrawn": Text("Email: an address belongs to somebody else now"),
    "account_deleted": Text("Email: the account was deleted"),
    "provider_linked": Text("Email: a way to sign in was added"),
    "passkey_added": Text("Email: a passkey was added"),
    "passkey_removed": Text("Email: a passkey was removed"),
    "factor_added": Text("Email: a second factor was added"),
    "factor_removed": Text("Email: a second factor was removed"),
    "recovery_codes_made": Text("Email: recovery codes were made"),
    "recovery_code_used": Text("Email: a recovery code was used"),
    "factors_reset_asked": Text("Email: a reset of the second factors was asked for"),
    "factors_reset": Text("Email: the second factors were reset"),
    "new_sign_in": Text("Email: a sign-in from a new browser"),
    "address_requested": Text("Email: confirm an address"),
    "person_invited": Text("Email: an invitation"),
    "organization_invitation": Text("Email: join an organization"),
    "webhook_try": Text("Webhooks to be called"),
    "webhook_off": Text("Email: a webhook was turned off"),
    "break_glass_used": Text("Email: a sign-in without the company login"),
    "operator_added": Text("Email: somebody may use the dashboard"),
    "setup_link": Text("Email: a set-up link"),
}
"""The product's own, by topic; a test fails for one that has no words."""


def topic_text(topic: str) -> Text:
    """Return what a job is, in words; of a feature of the host's own, the name of its topic."""
    if not topic:
        return Text("Unknown: written by somebody else, or damaged")
    return TOPICS.get(topic) or Text("Job “%(topic)s”", topic=topic)
