"""What a change of settings would do, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pwless_middleware.core.addresses.address import matches, parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.setting import Setting, SettingValue
from pwless_middleware.core.operators.settings import SettingChange
from pwless_middleware.features.dashboard.settings.words import title_of, value_text
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator

_ALLOW: Final = "email_login.allow"
_NOT_BEFORE: Final = "sessions.not_before"
_OUT: Final = Text("You are not on this list yourself: you will be signed out.")
_OUT_NOW: Final = Text("Your own session began before: you will be signed out.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What becomes of one setting.

    Attributes:
        name: the whole name.
        title: what people call it; the name where no feature here has it.
        old: what holds, in words.
        new: what will hold, in words.
        added: of a list, what is new in it; a long list shows its begin alone.
        removed: of a list, what is in it no more.
        effect: whom it affects; empty where nothing is known of that.
        loosening: what it loosens; empty where it is not less strict.
        warning: what befalls whoever makes the change; empty for nothing.
    """

    name: str
    title: str
    old: str
    new: str
    added: Sequence[str]
    removed: Sequence[str]
    effect: str
    loosening: str
    warning: str


def describe(
    changes: Iterable[SettingChange],
    groups: Mapping[str, LiveSettings[object]],
    operator: Operator | None = None,
) -> list[Effect]:
    """Return what changes do.

    Args:
        changes: each setting as it was, and as it is then.
        groups: all settings that there are, by the name of their group.
        operator: who would make them; `None` for a change that was made.
    """
    return [_describe(change, find_setting(groups, change.name), operator) for change in changes]


def find_setting(groups: Mapping[str, LiveSettings[object]], name: str) -> Setting | None:
    """Return a setting by its whole name; `None` where no feature here has it."""
    start, _, rest = name.partition(".")
    group = groups.get(start)
    return group.settings.get(rest) if group is not None else None


def name_setting(setting: Setting | None, name: str) -> str:
    """Return what people call a setting; its whole name where no feature here has it."""
    return name if setting is None else title_of(setting)


def text_of(setting: Setting | None, stored: SettingValue) -> str:
    """Return in words what holds with what an operator has set; `None` for the default."""
    if setting is None:
        return "–" if stored is None else str(stored)[:120]
    return value_text(setting, setting.default if stored is None else stored)


def _describe(change: SettingChange, setting: Setting | None, operator: Operator | None) -> Effect:
    old, new = change.old, change.new
    effect = loosening = ""
    if setting is not None:
        old = setting.default if old is None else old
        new = setting.default if new is None else new
        effect = translate(setting.effect) if setting.effect else ""
        if setting.is_looser(old, new):
            loosening = translate(setting.loosening or Text("This is less strict than what holds."))
    return Effect(
        name=change.name,
        title=name_setting(setting, change.name),
        old=text_of(setting, change.old),
        new=text_of(setting, change.new),
        added=_beyond(new, old),
        removed=_beyond(old, new),
        effect=effect,
        loosening=loosening,
        warning="" if operator is None else _warn(change.name, new, operator),
    )


def _beyond(one: SettingValue, other: SettingValue) -> list[str]:
    """Return what one list has and the other has not, where both are lists and have something."""
    if not (isinstance(one, tuple) and isinstance(other, tuple) and one and other):
        return []
    known = set(other)
    return [text for text in one if text not in known]


def _warn(name: str, new: SettingValue, operator: Operator) -> str:
    """Return what befalls who makes the change."""
    if name == _ALLOW and isinstance(new, tuple):
        address = parse_address(operator.user.email or "")
        if address is not None and not matches(address, new):
            return translate(_OUT)
    began = operator.account.session.created_at
    if name == _NOT_BEFORE and isinstance(new, int) and began < new:
        return translate(_OUT_NOW)
    return ""
