"""A change of settings that is looked at before it is made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, Self

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.setting import SettingValue
from pwless_middleware.core.operators.settings import SettingChange
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.settings.settings import Settings
from pwless_middleware.text import Text
from pwless_middleware.web.requests.bodies import parse_json

_BAD: Final = Text("This form is of another page. Begin again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done: set values, take some back, or let an earlier version hold again.

    Attributes:
        seen: the version of the settings that it was decided by.
        values: whole name to value.
        reset: whole names.
        version: the earlier one; `None` for none.
    """

    seen: int
    values: Mapping[str, SettingValue] | None = None
    reset: Sequence[str] = ()
    version: int | None = None

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Self:
        """Read what `fields` wrote; the settings check what it holds.

        Raises:
            InvalidArgument: it is not that.
        """
        seen = read_version(form.get("seen", ""))
        if "values" in form:
            values = parse_json(form["values"].encode())
            given = {name: _value(value) for name, value in values.items()}
            return cls(seen=seen, values=given)
        if "version" in form:
            return cls(seen=seen, version=read_version(form["version"]))
        names = form.get("reset", "").split()
        if not names:
            raise InvalidArgument.of("reset", _BAD, "form")
        return cls(seen=seen, reset=names)

    @property
    def fields(self) -> Mapping[str, str]:
        """The hidden fields of the form whose button does it."""
        fields = {"seen": str(self.seen)}
        if self.values is not None:
            fields["values"] = json.dumps(dict(self.values), ensure_ascii=False)
        elif self.version is not None:
            fields["version"] = str(self.version)
        else:
            fields["reset"] = " ".join(self.reset)
        return fields

    async def run(
        self, settings: Settings, *, by: str, dry_run: bool = False
    ) -> Sequence[SettingChange]:
        """Do it.

        Args:
            settings: where.
            by: who does it.
            dry_run: whether to change nothing, and say what would change.

        Raises:
            ConfigError, StoreError: as `Settings.set`.
        """
        if self.values is not None:
            return await settings.set(self.values, by=by, seen=self.seen, dry_run=dry_run)
        if self.version is not None:
            return await settings.revert(self.version, by=by, seen=self.seen, dry_run=dry_run)
        return await settings.reset(self.reset, by=by, seen=self.seen, dry_run=dry_run)


def read_version(text: str) -> int:
    """Return a version of the settings as a form or a path has it.

    Raises:
        InvalidArgument: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidArgument.of("version", _BAD, "version")
    return int(text)


def _value(value: object) -> SettingValue:
    """Return a value of JSON; what is no value of a setting is left to be refused."""
    if isinstance(value, list):
        return tuple(value)
    return value  # type: ignore[return-value]  # checked by `Setting.read`
