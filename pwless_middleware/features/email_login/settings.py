"""What of the email login an operator may set, and what all of it has to be together.

The options of `EmailLogin` and what operators set are checked by the same functions, so that one
cannot be set to what the other refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from pwless_middleware.core.address import parse_pattern
from pwless_middleware.core.codes import CodeStyle
from pwless_middleware.core.keyring import Keyring
from pwless_middleware.core.options import check_flag, check_texts
from pwless_middleware.core.settings import Setting
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.challenge_rules import AllowRule, ChallengeRules
from pwless_middleware.flows.limits import Limits, SendLimits, TryLimits

LONGEST: Final = 600
"""Seconds that an emailed secret may live (NIST SP 800-63B-4 §3.1.3.2)."""
LONGEST_LINK: Final = 3600
"""Seconds that a link may live where there is no code to guess (security numbers)."""

_MOST_SENDS: Final = 60_000


def _number(name: str, meaning: str, default: int | None, least: int, most: int) -> Setting:
    return Setting(
        name=name,
        meaning=meaning,
        kind="number",
        default=default,
        least=least,
        most=most,
        optional=default is None,
    )


def _flag(name: str, meaning: str, *, default: bool, closed: bool | None = None) -> Setting:
    return Setting(name=name, meaning=meaning, kind="flag", default=default, closed=closed)


SETTINGS: Final = (
    Setting(
        name="kind",
        meaning="What the email carries: a link, a code, or both.",
        kind="choice",
        default="LINK_OTP",
        one_of=("LINK_OTP", "LINK", "OTP"),
    ),
    _number(
        "lifetime", "Seconds that code and link live; links alone to 3600.", 300, 60, LONGEST_LINK
    ),
    _number(
        "max_lifetime",
        "Seconds that an API caller may ask for, at most; from lifetime on.",
        600,
        60,
        LONGEST_LINK,
    ),
    _flag("rotate_on_resend", "A resend kills the code and link sent before.", default=False),
    _number("attempts", "Wrong codes that one challenge bears.", 5, 3, 10),
    _flag("code_in_subject", "The email's subject holds the code.", default=False),
    _number("send_limits.per_minute", "Emails to one address in a minute.", 2, 1, _MOST_SENDS),
    _number("send_limits.per_quarter", "Emails to one address in 15 minutes.", 5, 1, _MOST_SENDS),
    _number("send_limits.per_day", "Emails to one address in 24 hours.", 20, 1, _MOST_SENDS),
    _number("send_limits.client_per_minute", "Emails for one client.", 20, 1, _MOST_SENDS),
    _number("send_limits.client_per_hour", "Emails for one client.", 200, 1, _MOST_SENDS),
    _number("send_limits.overall_per_hour", "Emails for everybody.", None, 1, _MOST_SENDS),
    _number("try_limits.per_quarter", "Wrong codes for one address in 15 minutes.", 10, 1, 10),
    _number("try_limits.per_day", "Wrong codes for one address in 24 hours.", 20, 1, 20),
    _number("try_limits.client_per_ten_minutes", "Wrong codes of one client.", 30, 1, 30),
    _flag(
        "same_browser",
        "A link works only in the browser that asked for it.",
        default=True,
        closed=True,
    ),
    _flag("signup", "An unknown address becomes a user.", default=True, closed=False),
    Setting(
        name="allow",
        meaning="Who is served: addresses, *@domain, *@*.domain, or * for everybody.",
        kind="texts",
        default=("*",),
        least=1,
        closed=(),
        personal=True,
    ),
)


def check_values(values: Mapping[str, object]) -> dict[str, Any]:
    """Return all values, the allow list in its canonical form.

    Raises:
        ConfigError: one is outside its range, or does not go with another; it is named.
    """
    if values["kind"] not in ("OTP", "LINK", "LINK_OTP"):
        raise ConfigError("kind", "set LINK_OTP, LINK or OTP")
    most = LONGEST_LINK if values["kind"] == "LINK" else LONGEST
    lifetime = _check_number("lifetime", values["lifetime"], 60, most)
    _check_number("max_lifetime", values["max_lifetime"], lifetime, most)
    _check_number("attempts", values["attempts"], 3, 10)
    for option in ("same_browser", "rotate_on_resend", "signup", "code_in_subject"):
        check_flag(option, values[option])
    _limits_of(values)
    return {**values, "allow": check_allow(values["allow"])}


def make_rules(
    values: Mapping[str, object], *, code: CodeStyle, keyring: Keyring, knows_people: bool
) -> ChallengeRules:
    """Return the rules that hold with these values.

    Args:
        values: by name, as in `SETTINGS`.
        code: the style of codes, which is no setting: codes on their way would not fit another.
        keyring: names the budgets.
        knows_people: whether anybody can tell who is a user; no sign-up needs that.

    Raises:
        ConfigError: as `check_values`, or `signup` is off and nobody can tell.
    """
    checked = check_values(values)
    if not checked["signup"] and not knows_people:
        raise ConfigError(
            "signup", "signup=False needs users= or database=: who is known, without a table?"
        )
    sends, tries = _limits_of(values)
    return ChallengeRules(
        kind=checked["kind"],
        lifetime=checked["lifetime"],
        max_lifetime=checked["max_lifetime"],
        code=code,
        same_browser=checked["same_browser"],
        rotate_on_resend=checked["rotate_on_resend"],
        allow=checked["allow"],
        signup=checked["signup"],
        code_in_subject=checked["code_in_subject"],
        limits=Limits(keyring, sends=sends, tries=tries, attempts=checked["attempts"]),
    )


def values_of_limits(sends: SendLimits, tries: TryLimits) -> dict[str, object]:
    """Return the numbers of the limits by the names that they have as settings."""
    of = {"send_limits": sends, "try_limits": tries}
    return {
        setting.name: getattr(of[group], option)
        for setting in SETTINGS
        for group, _, option in [setting.name.partition(".")]
        if option
    }


def _limits_of(values: Mapping[str, object]) -> tuple[SendLimits, TryLimits]:
    def part(name: str) -> dict[str, Any]:
        start = f"{name}."
        return {n.removeprefix(start): v for n, v in values.items() if n.startswith(start)}

    return SendLimits(**part("send_limits")), TryLimits(**part("try_limits"))


def check_allow(allow: object) -> tuple[str, ...] | AllowRule:
    """Return an allow list in its canonical form, or the host's rule as it is.

    Raises:
        ConfigError: it is neither.
    """
    if not isinstance(allow, Sequence) and callable(allow) and not isinstance(allow, type):
        return cast("AllowRule", allow)
    example = "['*@acme.example', 'jo@partner.example'], or a function"
    check_texts("allow", allow, example=example)
    found = []
    for text in cast("Sequence[str]", allow):
        pattern = parse_pattern(text)
        if pattern is None:
            kinds = "an address, nor '*@domain', '*@*.domain' or '*'"
            raise ConfigError("allow", f"{text!r} is neither {kinds}")
        found.append(pattern)
    return tuple(found)


def _check_number(option: str, value: object, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise ConfigError(option, f"set a whole number from {low} to {high}")
    return value
