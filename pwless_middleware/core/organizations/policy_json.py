"""Policies as JSON, as programs send them and are shown them; every fault is named with its field.

    {"methods": ["email", "passkey"], "mfa": "required", "trusted_days": 0}

A field that is missing or null says nothing, an empty list allows nothing. What contradicts itself
is a fault as well: a policy by which nobody could come in is written by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import partial
from typing import Any, Final

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.logins.session import LONGEST
from pwless_middleware.core.organizations.policy import (
    ANYTHING,
    JOIN_WORDS,
    MFA_WORDS,
    SECOND_FACTORS,
    SSO_WORDS,
    Policy,
)
from pwless_middleware.errors import FieldViolation, InvalidArgument
from pwless_middleware.text import Text

FIELDS: Final = tuple(one.name for one in fields(Policy))
MOST_WORDS: Final = 20
"""Methods that are listed, at most."""
MOST_ADDRESSES: Final = 20
"""Break-glass addresses, at most: each is a way past the company's login."""
SHORTEST: Final = 60
"""Seconds that a session lives, at least."""
MOST_TRUSTED_DAYS: Final = 30
"""Days for which a browser is trusted, at most (security rule 45)."""
Fault = tuple[str, str, str]
"""A field, what is wrong with it, and the rule that it broke."""

_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NEVER_FIRST: Final = frozenset(SECOND_FACTORS) - {"passkey"}


def policy_to_json(policy: Policy) -> dict[str, object]:
    """Return a policy with all its fields; null is what it leaves to others."""
    return {name: _plain(getattr(policy, name)) for name in FIELDS}


def policy_from_json(value: object, *, field: str = "policy") -> Policy:
    """Return the policy that a JSON value is.

    Args:
        value: as it came.
        field: what it is called in faults; empty names its fields alone.

    Raises:
        InvalidArgument: something of it is wrong; all of it is named.
    """
    return change_policy(ANYTHING, value, field=field)


def change_policy(policy: Policy, changes: object, *, field: str = "policy") -> Policy:
    """Return a policy with some of its fields changed; null takes a field back.

    Args:
        policy: as it is.
        changes: a JSON value, as it came; fields that it does not name stay.
        field: as of `policy_from_json`.

    Raises:
        InvalidArgument: something of it is wrong, or contradicts what stays; all of it is named.
    """
    if not isinstance(changes, dict):
        raise InvalidArgument.of(field or "policy", Text("This must be an object."), "object")
    prefix = f"{field}." if field else ""
    faults, found = list[Fault](), dict[str, Any]()
    for name, value in changes.items():
        try:
            found[name] = _read(name, value)
        except InvalidArgument as error:
            faults += [(name, one.description, one.constraint) for one in error.violations]
    changed = policy if faults else replace(policy, **found)
    faults = faults or find_contradictions(changed)
    if faults:
        raise InvalidArgument([FieldViolation(prefix + name, *why) for name, *why in faults])
    return changed


def find_contradictions(policy: Policy) -> list[Fault]:
    """Return where a policy contradicts itself: field, sentence and constraint of each place."""
    found = list[Fault]()
    methods, seconds = policy.methods, policy.second_factors
    if None not in (policy.idle, policy.absolute) and (policy.idle or 0) > (policy.absolute or 0):
        found.append(("idle", _IDLE, "range"))
    if methods is not None and policy.sso in ("allowed", "required") and "sso" not in methods:
        found.append(("methods", _NO_SSO, "sso"))
    if methods is not None and policy.sso == "required" and "email" not in methods:
        found.append(("methods", _NO_EMAIL, "email"))
    if seconds is not None and policy.mfa == "required" and seconds <= _CANNOT_BEGIN:
        found.append(("second_factors", _NO_FACTOR, "second_factors"))
    return found


_CANNOT_BEGIN: Final = frozenset(["sms", "recovery_code"])
"""Second factors that nobody adds first (security rule 47)."""


def _read(name: str, value: object) -> object:
    read = _READERS.get(name)
    if read is None:
        known = ", ".join(FIELDS)
        raise InvalidArgument.of(name, Text("Send one of %(names)s.", names=known), "unknown")
    return None if value is None else read(name, value)


def _word(words: tuple[str, ...], name: str, value: object) -> str:
    if not isinstance(value, str) or value not in words:
        raise InvalidArgument.of(
            name, Text("Send one of %(names)s.", names=", ".join(words)), "enum"
        )
    return value


def _number(least: int, most: int, name: str, value: object) -> int:
    if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):  # as protobuf's JSON has it
        value = int(value)
    if type(value) is not int or not least <= value <= most:
        problem = Text("Send %(least)s to %(most)s.", least=least, most=most)
        raise InvalidArgument.of(name, problem, "range")
    return value


def _words(name: str, value: object, *, never: frozenset[str] = frozenset()) -> frozenset[str]:
    words = _texts(name, value, most=MOST_WORDS)
    for word in words:
        if not _WORD.fullmatch(word):
            problem = Text("A method is named in small letters, e.g. email.")
            raise InvalidArgument.of(name, problem, "word")
        if word in never:
            problem = Text("%(word)s is a second factor: nobody signs in by it alone.", word=word)
            raise InvalidArgument.of(name, problem, "first_factor")
    return frozenset(words)


def _addresses(name: str, value: object) -> frozenset[Address]:
    found = [parse_address(text) for text in _texts(name, value, most=MOST_ADDRESSES)]
    if None in found:
        raise InvalidArgument.of(name, Text("This is not an email address."), "email")
    return frozenset(address for address in found if address is not None)


def _texts(name: str, value: object, *, most: int) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InvalidArgument.of(name, Text("This must be a list of texts."), "array")
    if len(value) > most:
        raise InvalidArgument.of(name, Text("Send at most %(most)s.", most=most), "most")
    return value


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else value


_READERS: Final[Mapping[str, Callable[[str, object], object]]] = {
    "methods": partial(_words, never=_NEVER_FIRST),
    "mfa": partial(_word, MFA_WORDS),
    "second_factors": _words,
    "sso": partial(_word, SSO_WORDS),
    "idle": partial(_number, SHORTEST, LONGEST),
    "absolute": partial(_number, SHORTEST, LONGEST),
    "trusted_days": partial(_number, 0, MOST_TRUSTED_DAYS),
    "join": partial(_word, JOIN_WORDS),
    "break_glass": _addresses,
}
_IDLE = Text("A session cannot be left unused for longer than it lives.")
_NO_SSO = Text("Name sso as well, or set sso to off: nobody could use the company's login.")
_NO_EMAIL = Text("Name email as well: break-glass addresses sign in by mail.")
_NO_FACTOR = Text("Name totp or passkey as well: nobody could add a first second factor.")
