"""What of the email login an operator may set, and what all of it has to be together.

The options of `EmailLogin` and what operators set are checked by the same functions, so that one
cannot be set to what the other refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from pwless_middleware.core.addresses.address import covers, parse_pattern
from pwless_middleware.core.challenges.codes import CodeStyle
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.operators.setting import Setting, SettingValue, less, more
from pwless_middleware.core.options.options import check_flag, check_texts
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.challenges.challenge_rules import AllowRule, ChallengeRules
from pwless_middleware.flows.challenges.limits import Limits, SendLimits, TryLimits
from pwless_middleware.text import Text

LONGEST: Final = 600
"""Seconds that an emailed secret may live (NIST SP 800-63B-4 §3.1.3.2)."""
LONGEST_LINK: Final = 3600
"""Seconds that a link may live where there is no code to guess (security numbers)."""

_MOST_SENDS: Final = 60_000


_KINDS: Final = {
    "LINK_OTP": Text("A link and a code"),
    "LINK": Text("A link"),
    "OTP": Text("A code"),
}
_FROM_THEN_ON: Final = Text("Logins that begin from then on; one under way keeps its own.")
_EACH_SEND: Final = Text("Every email that is asked for from then on.")
_EACH_TRY: Final = Text("Every code that is typed from then on, also of logins under way.")
_MORE_SENDS: Final = Text("More emails can be asked for.")
_MORE_TRIES: Final = Text("More codes can be guessed.")


def _sends(name: str, title: str, default: int | None) -> Setting:
    return Setting(
        name=f"send_limits.{name}",
        title=title,
        meaning=title,
        kind="number",
        default=default,
        least=1,
        most=_MOST_SENDS,
        optional=default is None,
        unset=Text("No limit") if default is None else "",
        effect=_EACH_SEND,
        loosens=more,
        loosening=_MORE_SENDS,
    )


def _tries(name: str, title: str, most: int) -> Setting:
    return Setting(
        name=f"try_limits.{name}",
        title=title,
        meaning=title,
        kind="number",
        default=most,
        least=1,
        most=most,
        effect=_EACH_TRY,
        loosens=more,
        loosening=_MORE_TRIES,
    )


def _admits_more(old: SettingValue, new: SettingValue) -> bool:
    """Whether an allow list has an entry that the old one does not cover as a whole."""
    known = old if isinstance(old, tuple) else ()
    return isinstance(new, tuple) and not all(covers(known, entry) for entry in new)


SETTINGS: Final = (
    Setting(
        name="kind",
        title=Text("What the email carries"),
        meaning=Text("A link, a code, or both in one email."),
        kind="choice",
        default="LINK_OTP",
        one_of=tuple(_KINDS),
        label=_KINDS.__getitem__,
        effect=_FROM_THEN_ON,
    ),
    Setting(
        name="lifetime",
        title=Text("Lifetime of code and link"),
        meaning=Text("How long code and link can be used; up to an hour for links alone."),
        kind="number",
        default=300,
        least=60,
        most=LONGEST_LINK,
        unit="seconds",
        effect=_FROM_THEN_ON,
        loosens=more,
        loosening=Text("Codes and links can be used for longer."),
    ),
    Setting(
        name="max_lifetime",
        title=Text("Longest lifetime"),
        meaning=Text("What an API caller may ask for at most; no less than the lifetime."),
        kind="number",
        default=600,
        least=60,
        most=LONGEST_LINK,
        unit="seconds",
        effect=_FROM_THEN_ON,
        loosens=more,
        loosening=Text("Codes and links can be used for longer."),
    ),
    Setting(
        name="rotate_on_resend",
        title=Text("New code with each resend"),
        meaning=Text("A resend kills the code and link sent before."),
        kind="flag",
        default=False,
        effect=Text("Every email that is sent again from then on."),
        loosens=less,
        loosening=Text("A code that was sent before a resend goes on working."),
    ),
    Setting(
        name="attempts",
        title=Text("Wrong codes of one login"),
        meaning=Text("How many one login bears before it has to begin anew."),
        kind="number",
        default=5,
        least=3,
        most=10,
        effect=_EACH_TRY,
        loosens=more,
        loosening=_MORE_TRIES,
    ),
    Setting(
        name="code_in_subject",
        title=Text("Code in the subject"),
        meaning=Text("The email's subject holds the code."),
        kind="flag",
        default=False,
        effect=_EACH_SEND,
        loosens=more,
        loosening=Text("Whoever sees a locked screen can read the code."),
    ),
    _sends("per_minute", Text("Emails to one address in a minute"), 2),
    _sends("per_quarter", Text("Emails to one address in 15 minutes"), 5),
    _sends("per_day", Text("Emails to one address in 24 hours"), 20),
    _sends("client_per_minute", Text("Emails for one client in a minute"), 20),
    _sends("client_per_hour", Text("Emails for one client in an hour"), 200),
    _sends("overall_per_hour", Text("Emails for everybody in an hour"), None),
    _tries("per_quarter", Text("Wrong codes for one address in 15 minutes"), 10),
    _tries("per_day", Text("Wrong codes for one address in 24 hours"), 20),
    _tries("client_per_ten_minutes", Text("Wrong codes of one client in 10 minutes"), 30),
    Setting(
        name="same_browser",
        title=Text("Same browser"),
        meaning=Text("A link works only in the browser that asked for it."),
        kind="flag",
        default=True,
        closed=True,
        effect=Text("Every link that is opened from then on, also those that were sent before."),
        loosens=less,
        loosening=Text("Whoever gets hold of a link can sign in with it, in any browser."),
    ),
    Setting(
        name="signup",
        title=Text("Sign-up"),
        meaning=Text("An unknown address becomes a user."),
        kind="flag",
        default=True,
        closed=False,
        effect=Text("People who are no users yet; for users nothing changes."),
        loosens=more,
        loosening=Text("People can sign in who could not before."),
    ),
    Setting(
        name="allow",
        title=Text("Who may sign in"),
        meaning=Text("Who is served: addresses, *@domain, *@*.domain, or * for everybody."),
        kind="texts",
        default=("*",),
        least=1,
        closed=(),
        personal=True,
        effect=Text("Everybody, within a minute: who is not on the list any more is signed out."),
        loosens=_admits_more,
        loosening=Text("People can sign in who could not before."),
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
            problem = Text(
                "%(text)s is neither an address, nor '*@domain', '*@*.domain' or '*'",
                text=repr(text),
            )
            raise ConfigError("allow", problem)
        found.append(pattern)
    return tuple(found)


def _check_number(option: str, value: object, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        problem = Text("set a whole number from %(low)s to %(high)s", low=low, high=high)
        raise ConfigError(option, problem)
    return value
