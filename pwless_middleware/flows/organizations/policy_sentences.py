"""A policy in sentences: what is asked of a login, and who asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import reduce
from typing import Final

from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.flows.organizations.method_names import METHOD_NAMES
from pwless_middleware.languages.times import exact_text
from pwless_middleware.text import Text

_DEPLOYMENT: Final = Text("this deployment")


def describe_demands(policy: Policy, organizations: Sequence[Organization]) -> tuple[str, ...]:
    """Return what a policy asks, a sentence for each field that says something.

    Args:
        policy: of all that have a say, together.
        organizations: those of them that are one; what none of them asks is the deployment's.
    """
    found = []
    for name in (one.name for one in fields(Policy)):
        describe = _SENTENCES.get(name)
        text = describe(getattr(policy, name)) if describe is not None else None
        if text is not None:
            by = _by(name, policy, organizations)
            found.append(Text("%(demand)s (%(by)s)", demand=text, by=by))
    return tuple(found)


def list_methods(methods: Sequence[str]) -> str:
    """Return methods as people read them, with commas; empty for none."""
    names = [METHOD_NAMES.get(method, method) for method in methods]
    return reduce(_with_comma, names) if names else ""


def _with_comma(first: str, next: str) -> str:
    return Text("%(first)s, %(next)s", first=first, next=next)


def _by(name: str, policy: Policy, organizations: Sequence[Organization]) -> str:
    """Return who asks for what a field comes to: whose own word is as strict, or a part of it."""
    result = getattr(policy, name)
    asking = []
    for one in organizations:
        own = getattr(one.policy, name)
        if own is not None and (own == result or isinstance(own, frozenset)):
            asking.append(one.name)
    return ", ".join(asking) or _DEPLOYMENT


def _methods(value: frozenset[str] | None) -> Text | None:
    if value is None:
        return None
    if not value:
        return Text("Nobody can sign in.")
    return Text("People sign in by: %(methods)s.", methods=list_methods(sorted(value)))


def _second_factors(value: frozenset[str] | None) -> Text | None:
    if value is None:
        return None
    if not value:
        return Text("No second factor counts.")
    return Text("Second factors that count: %(methods)s.", methods=list_methods(sorted(value)))


def _mfa(value: str | None) -> Text | None:
    return {
        "optional": Text("Whoever has a second factor is asked for it."),
        "required": Text("Everybody is asked for a second factor."),
    }.get(value or "")


def _sso(value: str | None) -> Text | None:
    return {"required": Text("The company's login is required.")}.get(value or "")


def _idle(value: int | None) -> Text | None:
    if value is None:
        return None
    return Text("A session ends after %(time)s without use.", time=exact_text(value))


def _absolute(value: int | None) -> Text | None:
    if value is None:
        return None
    return Text("A session ends %(time)s after it began.", time=exact_text(value))


def _trusted_days(value: int | None) -> Text | None:
    if value is None:
        return None
    if not value:
        return Text("No browser is trusted to ask for no second factor.")
    days = exact_text(value * 86_400)
    return Text("A browser can be trusted to ask for no second factor for %(time)s.", time=days)


_SENTENCES: Final[Mapping[str, Callable[..., Text | None]]] = {
    "methods": _methods,
    "mfa": _mfa,
    "second_factors": _second_factors,
    "sso": _sso,
    "idle": _idle,
    "absolute": _absolute,
    "trusted_days": _trusted_days,
}
