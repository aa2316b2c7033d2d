"""What a change of a policy would do, in words; what it loosens is marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.policy import ANYTHING, Policy, stricter
from pwless_middleware.flows.organizations.organizations import NONE_COUNTS
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.responses.policy_words import (
    TITLES,
    name_method,
    name_value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEffect:
    """What becomes of one field.

    Attributes:
        name: of the field.
        title: what people call it.
        old: what the organization asks now, in words.
        new: what it would ask.
        holds: what would hold together with what others ask, in words.
        added, removed: of a list, what is new in it, and what is in it no more.
        is_loosening: whether it would ask for less than now.
        warning: what befalls people by it; empty for nothing of note.
    """

    name: str
    title: str
    old: str
    new: str
    holds: str
    added: Sequence[str]
    removed: Sequence[str]
    is_loosening: bool
    warning: str


def describe(old: Policy, new: Policy, inherited: Policy) -> list[PolicyEffect]:
    """Return what a change does, by field.

    Args:
        old: what the organization asks now.
        new: what it would ask.
        inherited: what all others ask.
    """
    holds = stricter(new, inherited)
    return [
        PolicyEffect(
            name=name,
            title=translate(title),
            old=name_value(name, getattr(old, name)),
            new=name_value(name, getattr(new, name)),
            holds=name_value(name, getattr(holds, name)),
            added=_beyond(name, getattr(new, name), getattr(old, name)),
            removed=_beyond(name, getattr(old, name), getattr(new, name)),
            is_loosening=is_looser(name, old, new),
            warning=translate(warning) if (warning := _warn(name, new, holds)) else "",
        )
        for name, title in TITLES.items()
        if getattr(old, name) != getattr(new, name)
    ]


def is_looser(name: str, old: Policy, new: Policy) -> bool:
    """Whether one field asks for less in the new policy than in the old one.

    It does where the old one would still narrow it. Of break-glass addresses each one more is a way
    around the company's login.
    """
    if name == "break_glass":
        return bool((new.break_glass or frozenset()) - (old.break_glass or frozenset()))
    before = replace(ANYTHING, **{name: getattr(old, name)})
    after = replace(ANYTHING, **{name: getattr(new, name)})
    return stricter(before, after) != after


def _warn(name: str, new: Policy, holds: Policy) -> Text | None:
    """Return what befalls people by what a field would be."""
    methods = holds.methods
    if name == "methods" and methods is not None and not methods:
        return Text("Nobody of this organization could sign in any more.")
    if name in ("methods", "sso") and holds.sso == "required":
        if methods is not None and "sso" not in methods:
            return Text(
                "Single sign-on would be required, and is not among the ways to sign in: nobody "
                "could sign in any more."
            )
        if name == "sso":
            return Text("Everybody but the break-glass addresses has to use the company’s login.")
    none_counts = holds.second_factors is not None and not holds.second_factors
    if name in ("mfa", "second_factors") and holds.mfa == "required" and none_counts:
        return NONE_COUNTS
    if name == "mfa" and new.mfa == "required":
        return Text("Whoever has no second factor adds one at their next login.")
    return None


def _beyond(name: str, one: object, other: object) -> list[str]:
    """Return what one list has and the other has not, where both are lists."""
    if not (isinstance(one, frozenset) and isinstance(other, frozenset)):
        return []
    more = sorted(one - other)
    return more if name == "break_glass" else [name_method(text) for text in more]
