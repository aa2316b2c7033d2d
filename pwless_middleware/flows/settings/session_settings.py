"""What of the sessions an operator may set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pwless_middleware.core.logins.session import DAY, LONGEST, YEAR_9999, SessionPolicy
from pwless_middleware.core.operators.setting import Setting, less, more
from pwless_middleware.core.options.given_options import given_options
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.text import Text

_EFFECT: Final = Text(
    "Sessions that begin from then on; those that run end sooner if it is shorter."
)
_LONGER: Final = Text("Sessions live longer.")

SESSION_SETTINGS: Final = (
    Setting(
        name="idle",
        title=Text("Idle time"),
        meaning=Text("How long a session lives without use; no longer than in all."),
        kind="number",
        default=7 * DAY,
        least=60,
        most=LONGEST,
        unit="seconds",
        effect=_EFFECT,
        loosens=more,
        loosening=_LONGER,
    ),
    Setting(
        name="absolute",
        title=Text("Longest session"),
        meaning=Text("How long a session lives in all, however much it is used."),
        kind="number",
        default=30 * DAY,
        least=60,
        most=LONGEST,
        unit="seconds",
        effect=_EFFECT,
        loosens=more,
        loosening=_LONGER,
    ),
    Setting(
        name="not_before",
        title=Text("Sign out everybody"),
        meaning=Text("A session that began before this moment is over."),
        kind="number",
        default=0,
        most=YEAR_9999,
        closed=YEAR_9999,
        outlasts=True,  # or who was signed out would be in again
        unit="time",
        effect=Text("Everybody whose session began before: they are signed out at once."),
        loosens=less,
        loosening=Text("Sessions that it has ended hold again."),
    ),
)


def make_session_settings(policy: SessionPolicy | None) -> LiveSettings[SessionPolicy]:
    """Return the settings of sessions.

    Args:
        policy: as given in code: what it names itself is fixed; `None` fixes nothing.
    """
    given = {name: getattr(policy, name) for name in given_options(policy)} if policy else {}
    return LiveSettings(
        "sessions", SESSION_SETTINGS, make=_make, given=given, title=Text("Sessions")
    )


def _make(values: Mapping[str, Any]) -> SessionPolicy:
    try:
        return SessionPolicy(**values)
    except ConfigError as error:
        raise ConfigError(error.option.removeprefix("sessions."), error.problem) from None
