"""The fields of a group's form: what they show, and what is read from them.

Every problem is told beside its field, in words; what several settings may be together is checked
by who makes the change, as it is in code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.setting import MAX_TEXTS, Setting, SettingValue
from pwless_middleware.core.operators.settings import SettingsRecord
from pwless_middleware.features.dashboard.settings.words import (
    SOURCES,
    range_text,
    title_of,
    value_text,
)
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import UNITS, unit_of
from pwless_middleware.text import Text
from pwless_middleware.web.responses.choices import Choice, choose_unit

_WHOLE: Final = re.compile(r"[0-9]{1,12}")
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """One setting in a form.

    Attributes:
        name: the whole name, which is the field's.
        title: what people call it.
        meaning: what it does; empty where the title says it.
        kind: `flag`, `number`, `duration`, `moment`, `choice`, `choices`, `text` or `texts`.
        value: what stands in the field.
        choices: of a choice, of several, or the units of a duration.
        range: what it may be, in words; empty for what says it by itself.
        shown: what holds, in words.
        source: where that comes from, in words.
        default: in words.
        is_fixed: whether code gives it.
        is_set: whether an operator has set it.
        problem: what is wrong with what was sent; empty for nothing.
    """

    name: str
    title: str
    meaning: str
    kind: str
    value: str
    choices: Sequence[Choice]
    range: str
    shown: str
    source: str
    default: str
    is_fixed: bool
    is_set: bool
    problem: str = ""


class InvalidSettings(ValueError):
    """Fields of a form that cannot be read.

    Args:
        problems: whole name to what is wrong.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


def make_fields(
    group: LiveSettings[object],
    stored: Mapping[str, SettingValue],
    *,
    form: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> list[SettingField]:
    """Return the fields of a group.

    Args:
        group: whose settings.
        stored: what operators have set of it, by the names in it.
        form: what was sent, to be shown again; `None` shows what holds.
        problems: whole name to what is wrong; `None` for nothing.
    """
    values = group.values(stored)
    fields = []
    for setting in group.settings.values():
        name, is_fixed = f"{group.name}.{setting.name}", setting.name in group.given
        source = "code" if is_fixed else "database" if setting.name in stored else "default"
        title, meaning = title_of(setting), translate(setting.meaning)
        kind, value, choices = _show(setting, name, values[setting.name], form)
        fields.append(
            SettingField(
                name=name,
                title=title,
                meaning="" if meaning == title else meaning,
                kind=kind,
                value=value,
                choices=choices,
                range=range_text(setting),
                shown=value_text(setting, values[setting.name]),
                source=translate(SOURCES[source]),
                default=value_text(setting, setting.default),
                is_fixed=is_fixed,
                is_set=source == "database",
                problem=(problems or {}).get(name, ""),
            )
        )
    return fields


def read_changes(
    group: LiveSettings[object], form: Mapping[str, str], shown: SettingsRecord
) -> dict[str, SettingValue]:
    """Return what a form would change, by whole name: what is another than was shown in it.

    Args:
        group: whose form.
        form: what was sent; a setting that is not in it stays as it is.
        shown: the settings that the form was made for.

    Raises:
        InvalidSettings: some cannot be read; nothing of it holds then.
    """
    start = f"{group.name}."
    stored = {n.removeprefix(start): v for n, v in shown.values.items() if n.startswith(start)}
    values = group.values(stored)
    changes: dict[str, SettingValue] = {}
    problems: dict[str, str] = {}
    for setting in group.settings.values():
        name = start + setting.name
        if name not in form or setting.name in group.given:
            continue
        try:
            value = _read(setting, name, form)
        except ValueError as error:
            problems[name] = str(error)
        else:
            if setting.choices and isinstance(value, tuple):
                value = _in_order(value, values[setting.name])
            if value != values[setting.name]:
                changes[name] = value
    if problems:
        raise InvalidSettings(problems)
    return changes


# --- to the form -------------------------------------------------------------------------------


def _show(
    setting: Setting, name: str, value: object, form: Mapping[str, str] | None
) -> tuple[str, str, Sequence[Choice]]:
    """Return the kind of field, what stands in it, and what can be chosen."""
    sent = form.get(name) if form is not None else None
    if setting.kind == "flag":
        now = sent if sent is not None else "on" if value is True else "off"
        texts = (("on", Text("On")), ("off", Text("Off")))
        return (
            "choice",
            now,
            [Choice(value=v, text=translate(t), chosen=v == now) for v, t in texts],
        )
    if setting.kind == "choice":
        now = sent if sent is not None else "" if value is None else str(value)
        options = [("", translate(setting.unset))] if setting.optional else []
        options += [(one, value_text(setting, one)) for one in setting.choices]
        return "choice", now, [Choice(value=v, text=t, chosen=v == now) for v, t in options]
    if setting.kind == "texts" and setting.choices:
        chosen = set(value) if isinstance(value, list | tuple) else set[str]()
        if form is not None and sent is not None:
            chosen = {one for one in setting.choices if f"{name}:{one}" in form}
        return (
            "choices",
            "",
            [
                Choice(value=one, text=value_text(setting, one), chosen=one in chosen)
                for one in setting.choices
            ],
        )
    if setting.unit == "seconds":
        count, unit = unit_of(value) if isinstance(value, int) else ("", "minutes")
        if form is not None and sent is not None:
            count, unit = sent, form.get(f"{name}:unit", "seconds")
        return "duration", str(count), choose_unit(unit)
    if sent is not None:
        return _kind_of(setting), sent, ()
    if isinstance(value, list | tuple):
        return "texts", "\n".join(str(one) for one in value), ()
    if setting.unit == "time":
        return "moment", _moment(value) if isinstance(value, int) and value else "", ()
    return _kind_of(setting), "" if value is None or callable(value) else str(value), ()


def _kind_of(setting: Setting) -> str:
    return "moment" if setting.unit == "time" else setting.kind


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


# --- from the form -----------------------------------------------------------------------------


def _read(setting: Setting, name: str, form: Mapping[str, str]) -> SettingValue:
    """Return the value of a setting.

    Raises:
        ValueError: it cannot be read; says what to enter.
    """
    text = form[name].strip()
    if setting.kind == "flag":
        if text not in ("on", "off"):
            raise ValueError(translate(Text("Choose one of the list.")))
        return text == "on"
    if setting.kind == "texts" and setting.choices:
        chosen = tuple(one for one in setting.choices if f"{name}:{one}" in form)
        if len(chosen) < setting.least:
            raise ValueError(translate(Text("Choose one at least.")))
        return chosen
    if setting.kind == "texts":
        return _read_texts(setting, text)
    if not text and setting.optional:
        return None
    if setting.kind == "choice":
        if text not in setting.choices:
            raise ValueError(translate(Text("Choose one of the list.")))
        return text
    if setting.kind == "text":
        if not setting.least <= len(text) <= setting.most:
            least, most = str(setting.least), str(setting.most)
            text = Text("Enter %(least)s to %(most)s characters.", least=least, most=most)
            raise ValueError(translate(text))
        return text
    return _read_number(setting, name, text, form)


def _read_number(setting: Setting, name: str, text: str, form: Mapping[str, str]) -> int:
    if setting.unit == "time":
        return _read_moment(setting, text)
    size = 1
    if setting.unit == "seconds":
        size = dict(UNITS).get(form.get(f"{name}:unit", "seconds"), 0)
    number = int(text) * size if _WHOLE.fullmatch(text) and size else -1
    if not setting.least <= number <= setting.most:
        least, most = (value_text(setting, one) for one in (setting.least, setting.most))
        problem = Text("Enter a whole number, %(least)s to %(most)s.", least=least, most=most)
        raise ValueError(translate(problem))
    return number


def _read_moment(setting: Setting, text: str) -> int:
    if not text and setting.least == 0:
        return 0
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        at = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
        if not setting.least <= at <= setting.most:
            raise ValueError
    except ValueError:
        raise ValueError(translate(Text("Enter a day and a time."))) from None
    return at


def _in_order(chosen: tuple[str, ...], shown: object) -> tuple[str, ...]:
    """Return what was chosen in the order that it had; what is new stands behind."""
    before = [one for one in shown if one in chosen] if isinstance(shown, tuple | list) else []
    return tuple(dict.fromkeys([*before, *chosen]))


def _read_texts(setting: Setting, text: str) -> tuple[str, ...]:
    texts = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not setting.least <= len(texts) <= MAX_TEXTS:
        least, most = str(setting.least), str(MAX_TEXTS)
        problem = Text("Enter %(least)s to %(most)s, each on its own line.", least=least, most=most)
        raise ValueError(translate(problem))
    return texts
