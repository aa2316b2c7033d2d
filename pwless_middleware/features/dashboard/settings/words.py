"""Values of settings in words for people."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.operators.setting import Setting
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_exactly, format_time
from pwless_middleware.text import Text

_LONGEST: Final = 120
"""Characters of a text that are shown of it; a logo may have thousands."""
_MOST: Final = 20
"""Texts that are shown of a list."""

SOURCES: Final = {
    "code": Text("Fixed in code"),
    "database": Text("Set by an operator"),
    "default": Text("Default"),
}
"""Where a value comes from."""


def title_of(setting: Setting) -> str:
    """Return what people call a setting, in the language that is being written."""
    return translate(setting.title or setting.name)


def value_text(setting: Setting, value: object) -> str:
    """Return a value in words.

    Args:
        setting: whose.
        value: as it holds; given in code it may be a function.
    """
    if callable(value):
        return translate(Text("A function in your code"))
    if value is None:
        return translate(setting.unset or Text("Not set"))
    if isinstance(value, bool):
        return translate(Text("On") if value else Text("Off"))
    if isinstance(value, int):
        return _number_text(setting, value)
    if isinstance(value, list | tuple):
        return _list_text(setting, [str(one) for one in value])
    return _label_of(setting, str(value))


def range_text(setting: Setting) -> str:
    """Return what a number or text may be; empty for what says it by itself."""
    if setting.kind == "number" and setting.unit != "time":
        least, most = (value_text(setting, one) for one in (setting.least, setting.most))
        return translate(Text("%(least)s to %(most)s", least=least, most=most))
    if setting.kind == "text" and not setting.optional:
        least, most = str(setting.least), str(setting.most)
        return translate(Text("%(least)s to %(most)s characters", least=least, most=most))
    return ""


def _number_text(setting: Setting, value: int) -> str:
    if setting.unit == "seconds":
        return format_exactly(value)
    if setting.unit == "days":
        return translate(Text.for_count("%(n)s day", "%(n)s days", value))
    if setting.unit == "time":
        return format_time(value) if value else translate(Text("Never"))
    return str(value)


def _list_text(setting: Setting, texts: list[str]) -> str:
    if setting.personal and texts in ([], ["*"]):
        return translate(Text("Everybody") if texts else Text("Nobody"))
    shown = ", ".join(_label_of(setting, text) for text in texts[:_MOST])
    left = len(texts) - _MOST
    if left <= 0:
        return shown
    return translate(Text("%(shown)s and %(n)s more", shown=shown, n=left))


def _label_of(setting: Setting, value: str) -> str:
    if setting.label is not None and value in setting.choices:
        return translate(setting.label(value))
    return value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
