"""A policy in words, as operators read it on the dashboard and in its log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.organizations.policy import JOIN_WORDS, MFA_WORDS, SSO_WORDS
from pwless_middleware.flows.organizations.method_names import METHOD_NAMES
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_exactly
from pwless_middleware.text import Text

TITLES: Final[Mapping[str, Text]] = {
    "methods": Text("Ways to sign in"),
    "sso": Text("Single sign-on (SSO)"),
    "break_glass": Text("Break-glass addresses"),
    "mfa": Text("Second factor"),
    "second_factors": Text("Second factors that count"),
    "trusted_days": Text("Trust in a browser"),
    "idle": Text("Sessions end without use"),
    "absolute": Text("Sessions end in any case"),
    "join": Text("Who becomes a member"),
}
"""Each field of a policy, in the order of the form."""

MEANINGS: Final[Mapping[str, Text]] = {
    "methods": Text("What people of this organization may sign in with."),
    "sso": Text(
        "Whether they sign in with their company’s login. It can be required once a connection "
        "has worked, and a break-glass address is an active member’s with a second factor."
    ),
    "break_glass": Text(
        "Who may sign in by email and second factor while the company’s login does not work; one "
        "address on each line."
    ),
    "mfa": Text("Whether a second factor is asked for after the first."),
    "second_factors": Text("What somebody may use as a second factor."),
    "trusted_days": Text(
        "For how many days a browser may be trusted, in which no second factor is asked for; 0 is "
        "never."
    ),
    "idle": Text("How long a session lasts in which nothing happens."),
    "absolute": Text("How long a session lasts at most."),
    "join": Text("Who is let in and made a member by signing in."),
}
"""What each field does."""

_WORDS: Final[Mapping[str, Mapping[str, Text]]] = {
    "mfa": {
        "off": Text("Not asked for"),
        "optional": Text("Asked of whoever has one"),
        "required": Text("Required of everybody"),
    },
    "sso": {
        "off": Text("Not used"),
        "allowed": Text("Allowed"),
        "required": Text("Required"),
    },
    "join": {
        "domain": Text("Whoever has an address of a verified domain"),
        "sso": Text("Whoever comes from the company’s login"),
        "invitation": Text("Only who was invited"),
    },
}
_UNSAID: Final[Mapping[str, Text]] = {
    "methods": Text("All that there are"),
    "second_factors": Text("All that there are"),
    "sso": _WORDS["sso"]["allowed"],
    "break_glass": Text("None"),
    "join": _WORDS["join"]["invitation"],
}
"""What holds where nobody says anything of a field."""
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "mfa": MFA_WORDS,
    "sso": SSO_WORDS,
    "join": JOIN_WORDS,
}
"""The words that a field may have, the loosest first."""


def name_word(field: str, word: str) -> str:
    """Return what one word of a field is called."""
    known = _WORDS[field].get(word)
    return word if known is None else translate(known)


def name_method(method: str) -> str:
    """Return what a factor is called."""
    known = METHOD_NAMES.get(method)
    return method if known is None else translate(known)


def name_value(field: str, value: object) -> str:
    """Return the value of a field in words; `–` for one that leaves it to others."""
    if value is None:
        return "–"
    if isinstance(value, frozenset):
        named = [name_method(one) if field != "break_glass" else one for one in sorted(value)]
        return ", ".join(named) or translate(Text("None"))
    if field == "break_glass":  # in events, which hold no address
        return translate(Text.for_count("%(n)s address", "%(n)s addresses", int(str(value))))
    if field == "trusted_days" and isinstance(value, int):
        days = Text.for_count("%(n)s day", "%(n)s days", value)
        return translate(days if value else Text("Never"))
    if isinstance(value, int):
        return format_exactly(value)
    return name_word(field, str(value))


def name_held(field: str, value: object) -> str:
    """Return what holds of a field, in words: also where nobody says anything of it."""
    unsaid = _UNSAID.get(field)
    return name_value(field, value) if value is not None or unsaid is None else translate(unsaid)


def name_changes(old: object, new: object) -> str:
    """Return what became of a policy, in words: each field that is otherwise, as it was and is.

    Args:
        old, new: as events have them (`organization.policy_changed`).
    """
    before, after = _read(old), _read(new)
    told = (
        f"{translate(title)}: {_name(name, before)} → {_name(name, after)}"
        for name, title in TITLES.items()
        if before.get(name) != after.get(name)
    )
    return "; ".join(told) or "–"


def _read(policy: object) -> Mapping[str, object]:
    try:
        found = json.loads(str(policy))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _name(field: str, policy: Mapping[str, object]) -> str:
    value = policy.get(field)
    return name_value(field, frozenset(map(str, value)) if isinstance(value, list) else value)
