"""What of the second factors an operator may set, and what holds now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Final, cast, get_args

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.session import DAY, YEAR_9999
from pwless_middleware.core.operators.setting import Setting, SettingValue, earlier, less, more
from pwless_middleware.core.options.options import check_flag
from pwless_middleware.core.organizations.policy import MFA, Policy
from pwless_middleware.errors import ConfigError
from pwless_middleware.text import Text

MOST: Final = 10
"""Factors of one person, at most."""
MOST_TRUSTED_DAYS: Final = 30
"""Days for which a browser is trusted, at most (security rule 45)."""
LONGEST_WAIT: Final = 30 * DAY
"""Seconds in which a person can object to a reset, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorRules:
    """How second factors behave now.

    Attributes:
        mfa: whether they are asked for.
        required_from: unix seconds from which `mfa="required"` holds; `None` for always. Until then
            they are optional.
        trusted_days: days for which a person can have a browser not ask again; 0 for never.
        reset_wait: seconds in which a person can object to a reset; 0 for none.
        recovery_codes: whether people can make recovery codes.
        max_per_user: how many factors one person has at most.
        new_browser_mail: whether a mail tells of a sign-in from a browser that is not known.
    """

    mfa: MFA
    required_from: int | None
    trusted_days: int
    reset_wait: int
    recovery_codes: bool
    max_per_user: int
    new_browser_mail: bool

    def are_required(self, now: int) -> bool:
        """Whether nobody gets a session without a second factor."""
        return self.mfa == "required" and (self.required_from is None or now >= self.required_from)

    def policy(self, now: int) -> Policy:
        """Return what is asked of every login, now; an organization can ask for more."""
        is_ahead = self.mfa == "required" and not self.are_required(now)
        return _policy_of("optional" if is_ahead else self.mfa, self.trusted_days)


@lru_cache(maxsize=16)  # every login asks
def _policy_of(mfa: MFA, trusted_days: int) -> Policy:
    return Policy(mfa=mfa, trusted_days=trusted_days)


def _begins_later(old: SettingValue, new: SettingValue) -> bool:
    """Whether a day on which something begins is put off; without one it holds already."""
    return isinstance(new, int) and (not isinstance(old, int) or new > old)


_MFA: Final[Mapping[str, str]] = {
    "off": Text("Asked of nobody"),
    "optional": Text("Asked of whoever has one"),
    "required": Text("Required of everybody"),
}
_EACH_LOGIN: Final = Text("Everybody who signs in from then on; who is in stays in.")

SETTINGS: Final = (
    Setting(
        name="mfa",
        title=Text("Second factor"),
        meaning=Text("Whether a second factor is asked for."),
        kind="choice",
        default="optional",
        one_of=get_args(MFA),
        label=_MFA.__getitem__,
        closed="required",
        effect=_EACH_LOGIN,
        loosens=earlier(*get_args(MFA)),
        loosening=Text("Fewer people are asked for a second factor."),
    ),
    Setting(
        name="required_from",
        title=Text("Required from"),
        meaning=Text("When “required” begins; until then people are reminded."),
        kind="number",
        default=None,
        most=YEAR_9999,
        optional=True,
        unset=Text("At once"),
        closed=0,
        unit="time",
        effect=_EACH_LOGIN,
        loosens=_begins_later,
        loosening=Text("Fewer people are asked for a second factor."),
    ),
    Setting(
        name="trusted_days",
        title=Text("Trusted browsers"),
        meaning=Text("How long a person can have a browser not ask again; 0 for never."),
        kind="number",
        default=0,
        most=MOST_TRUSTED_DAYS,
        unit="days",
        effect=Text(
            "Browsers that are trusted from then on; those that are trusted end sooner if it is "
            "shorter."
        ),
        loosens=more,
        loosening=Text("A browser is not asked for a second factor for longer."),
    ),
    Setting(
        name="reset_wait",
        title=Text("Wait before a reset"),
        meaning=Text("How long a person can object to a reset of their second factors."),
        kind="number",
        default=0,
        most=LONGEST_WAIT,
        unit="seconds",
        effect=Text("Resets that are asked for from then on."),
        loosens=less,
        loosening=Text("Who is reset has less time to object."),
    ),
    Setting(
        name="recovery_codes",
        title=Text("Recovery codes"),
        meaning=Text("People can make recovery codes."),
        kind="flag",
        default=True,
        effect=Text("Whoever makes new ones from then on; those that there are go on working."),
    ),
    Setting(
        name="max_per_user",
        title=Text("Factors of a person"),
        meaning=Text("Second factors of one person, at most."),
        kind="number",
        default=MOST,
        least=1,
        most=MOST,
        effect=Text("Whoever adds one from then on; nobody loses one."),
    ),
    Setting(
        name="new_browser_mail",
        title=Text("Email of new browsers"),
        meaning=Text("A mail tells of a sign-in from a browser that is not known."),
        kind="flag",
        default=True,
        effect=_EACH_LOGIN,
        loosens=less,
        loosening=Text("Nobody is told of a sign-in from a browser that is not known."),
    ),
)


def seconds_of(day: object) -> int | None:
    """Return when a day begins in UTC, in unix seconds; `None` stays `None`.

    Raises:
        ConfigError: it is no date, or one before 1970.
    """
    if day is None:
        return None
    if isinstance(day, date) and not isinstance(day, datetime):
        seconds = int(datetime.combine(day, time(), UTC).timestamp())
        if seconds >= 0:
            return seconds
    raise ConfigError("required_from", "set a day, e.g. datetime.date(2027, 1, 1), or None")


def make_rules(values: Mapping[str, object]) -> SecondFactorRules:
    """Return the rules that hold with these values, by name as in `SETTINGS`.

    Raises:
        ConfigError: one is outside its range; it is named.
    """
    mfa = values["mfa"]
    if not isinstance(mfa, str) or mfa not in get_args(MFA):
        raise ConfigError("mfa", "set 'off', 'optional' or 'required'")
    flags = {name: values[name] for name in ("recovery_codes", "new_browser_mail")}
    for name, value in flags.items():
        check_flag(name, value)
    required_from = values["required_from"]
    if required_from is not None:
        required_from = _whole("required_from", required_from, 0, YEAR_9999)
    return SecondFactorRules(
        mfa=cast("MFA", mfa),
        required_from=required_from,
        trusted_days=_whole("trusted_days", values["trusted_days"], 0, MOST_TRUSTED_DAYS),
        reset_wait=_whole("reset_wait", values["reset_wait"], 0, LONGEST_WAIT),
        recovery_codes=flags["recovery_codes"] is True,
        max_per_user=_whole("max_per_user", values["max_per_user"], 1, MOST),
        new_browser_mail=flags["new_browser_mail"] is True,
    )


def _whole(name: str, value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ConfigError(name, f"set a whole number from {least} to {most}")
    return value
