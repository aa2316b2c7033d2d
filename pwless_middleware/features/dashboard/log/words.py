"""What the log calls methods, outcomes and callers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text

METHODS: Final[Mapping[str, Text]] = {
    "email_code": Text("Email code"),
    "email_link": Text("Email link"),
    "passkey": Text("Passkey"),
    "sso": Text("Company login"),
    "social": Text("Account at a provider"),
    "totp": Text("Authenticator app"),
    "sms": Text("Text message"),
    "recovery_code": Text("Recovery code"),
}
"""The product's own methods; one of a host's feature is called by its name."""

OUTCOMES: Final[Mapping[str, tuple[Text, str]]] = {
    "signed_in": (Text("Signed in"), "good"),
    "confirmed": (Text("Confirmed"), "good"),
    "verified": (Text("Proof accepted"), "info"),
    "asked": (Text("Asked"), "info"),
    "sent": (Text("Email not used"), ""),
    "delayed": (Text("Email delayed"), "warn"),
    "not_delivered": (Text("Not delivered"), "bad"),
    "not_sent": (Text("No email sent"), "warn"),
    "wrong_code": (Text("Wrong code"), "warn"),
    "limited": (Text("Limit reached"), "bad"),
    "refused": (Text("Refused"), "bad"),
    "step_open": (Text("Step not done"), "warn"),
    "wrong_step": (Text("Wrong answer to a step"), "warn"),
}
"""Each outcome, with the tone of its badge."""

IN_PROGRESS: Final = (Text("In progress"), "info")
"""Of an attempt that may still go on."""


def method_text(method: str) -> Text:
    """Return what a method is called."""
    return METHODS.get(method) or Text("%(name)s", name=method)


def methods_text(methods: Sequence[str]) -> str:
    """Return what several methods are called, in the language that is being written."""
    return " + ".join(translate(method_text(method)) for method in methods)
