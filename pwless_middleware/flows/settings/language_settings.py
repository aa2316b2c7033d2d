"""What of the languages an operator may set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pwless_middleware.core.operators.setting import Setting
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.languages.languages import COMPLETE, Languages
from pwless_middleware.text import Text


def make_language_settings(
    languages: Languages, given: Sequence[str] | None
) -> LiveSettings[tuple[str, ...]]:
    """Return the settings of the languages; what holds are codes, the default first.

    Args:
        languages: says which there are.
        given: as given in code, which fixes both settings; `None` fixes nothing.
    """
    settings = (
        Setting(
            name="offered",
            title=Text("Languages"),
            meaning=Text(
                "The languages that pages, emails and errors are written in. Those marked beta "
                "have not been reviewed by a native speaker yet. The dashboard is in fewer, and in "
                "English where it lacks one."
            ),
            kind="texts",
            default=COMPLETE,
            least=1,
            label=_name_of,
            one_of=lambda: languages.available,
            effect=Text("Everybody who has chosen or asks for one that is not offered any more."),
        ),
        Setting(
            name="default",
            title=Text("Default language"),
            meaning=Text("What people get who ask for none of them."),
            kind="choice",
            default=None,
            one_of=lambda: languages.available,
            optional=True,
            unset=Text("English, or the first that is offered"),
            label=_name_of,
            effect=Text("Whoever asks for none of the languages that are offered."),
        ),
    )
    fixed: dict[str, object] = {}
    if given is not None:
        fixed = {"offered": tuple(given), "default": given[0]}
    return LiveSettings("languages", settings, make=_make, given=fixed, title=Text("Languages"))


def _name_of(code: str) -> str:
    from pwless_middleware.languages.names import language_names  # with the first page of them

    return language_names([code])[0].label


def _make(values: Mapping[str, Any]) -> tuple[str, ...]:
    offered: tuple[str, ...] = tuple(dict.fromkeys(values["offered"]))
    default = values["default"]
    if default is None:
        default = "en" if "en" in offered else offered[0]
    if default not in offered:
        names = ", ".join(offered)
        raise ConfigError("default", Text("set one that is offered: %(names)s", names=names))
    return (default, *(code for code in offered if code != default))
