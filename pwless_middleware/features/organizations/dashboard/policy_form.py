"""The form of a policy: what it shows, and what is read from it.

Each field says either that it is left to others, or what this organization asks. That they are two
things shows in the form: an empty list is no list (`Policy`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.policy import FIRST_FACTORS, SECOND_FACTORS, Policy
from pwless_middleware.errors import FieldViolation, InvalidArgument
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import UNITS, unit_of
from pwless_middleware.text import Text
from pwless_middleware.web.responses.choices import Choice, choose_unit
from pwless_middleware.web.responses.policy_words import (
    CHOICES,
    MEANINGS,
    TITLES,
    name_method,
    name_value,
    name_word,
)

MOST_FIELDS: Final = 64
"""Of the form: one for each box."""
_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_SETS: Final = ("methods", "second_factors")
_LONGEST: Final = 60
"""Characters of the name of a factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyField:
    """One field of the form.

    Attributes:
        name: of the policy's field.
        title: what people call it.
        meaning: what it does.
        kind: `word`, `set`, `addresses`, `days` or `duration`.
        value: what stands in the field.
        is_own: whether this organization says anything here; of a set or a list.
        choices: the words, the members of a set, or the units of a duration.
        inherited: what others ask, in words.
        problem: what is wrong with what was sent; empty for nothing.
    """

    name: str
    title: str
    meaning: str
    kind: str
    value: str = ""
    is_own: bool = False
    choices: Sequence[Choice] = ()
    inherited: str
    problem: str = ""


def make_fields(
    policy: Policy,
    inherited: Policy,
    *,
    form: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> list[PolicyField]:
    """Return the fields of the form.

    Args:
        policy: the organization's own.
        inherited: what all others ask.
        form: what was sent, to be shown again; `None` shows the policy.
        problems: name of a field to what is wrong; `None` for nothing.
    """
    sent = write_policy(policy) if form is None else form
    return [
        PolicyField(
            name=name,
            title=translate(title),
            meaning=translate(MEANINGS[name]),
            kind=_kind_of(name),
            value=sent.get(name, ""),
            is_own=sent.get(f"{name}:own") == "yes",
            choices=_choices_of(name, policy, sent),
            inherited=name_value(name, getattr(inherited, name)),
            problem=(problems or {}).get(name, ""),
        )
        for name, title in TITLES.items()
    ]


def write_policy(policy: Policy) -> dict[str, str]:
    """Return the fields of a form that `read_policy` reads this policy from."""
    form: dict[str, str] = {}
    for name in TITLES:
        value = getattr(policy, name)
        if value is None:
            continue
        if name in _SETS:
            form |= {f"{name}:own": "yes", **{f"{name}:{one}": "on" for one in sorted(value)}}
        elif name == "break_glass":
            form |= {f"{name}:own": "yes", name: "\n".join(sorted(value))}
        elif _kind_of(name) == "duration":
            count, unit = unit_of(value)
            form |= {name: str(count), f"{name}:unit": unit}
        else:
            form[name] = str(value)
    return form


def read_policy(form: Mapping[str, str]) -> dict[str, object]:
    """Return what a form says, as the JSON that a policy is read from; what may be is its matter.

    Raises:
        InvalidArgument: a number cannot be read; each is named.
    """
    told: dict[str, object] = {}
    bad: list[FieldViolation] = []
    for name in TITLES:
        kind, text = _kind_of(name), form.get(name, "").strip()
        if kind in ("set", "addresses"):
            if form.get(f"{name}:own") == "yes":
                told[name] = _read_list(name, form)
        elif kind == "word":
            if text:
                told[name] = text
        elif text:
            size = dict(UNITS).get(form.get(f"{name}:unit", ""), 0) if kind == "duration" else 1
            if _WHOLE.fullmatch(text) and size:
                told[name] = int(text) * size
            else:
                problem = Text("Enter a whole number, or nothing.")
                bad.append(FieldViolation(name, problem, "integer"))
    if bad:
        raise InvalidArgument(bad)
    return told


def _read_list(name: str, form: Mapping[str, str]) -> list[str]:
    if name == "break_glass":
        return [line.strip() for line in form.get(name, "").splitlines() if line.strip()]
    start = f"{name}:"
    ticked = (one.removeprefix(start) for one in form if one.startswith(start))
    return sorted(one for one in ticked if one != "own" and len(one) <= _LONGEST)


def _kind_of(name: str) -> str:
    if name in _SETS:
        return "set"
    if name == "break_glass":
        return "addresses"
    if name in CHOICES:
        return "word"
    return "days" if name == "trusted_days" else "duration"


def _choices_of(name: str, policy: Policy, sent: Mapping[str, str]) -> list[Choice]:
    if name in CHOICES:
        now = sent.get(name, "")
        options = [("", translate(Text("Not set here")))]
        options += [(word, name_word(name, word)) for word in CHOICES[name]]
        return [Choice(value=v, text=t, chosen=v == now) for v, t in options]
    if name in _SETS:
        known = FIRST_FACTORS if name == "methods" else SECOND_FACTORS
        others = sorted((getattr(policy, name) or frozenset()) - set(known))
        return [
            Choice(value=one, text=name_method(one), chosen=f"{name}:{one}" in sent)
            for one in (*known, *others)
        ]
    if name in ("idle", "absolute"):
        return choose_unit(sent.get(f"{name}:unit", "hours"))
    return []
