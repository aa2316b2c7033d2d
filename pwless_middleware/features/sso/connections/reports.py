"""The report of a test of a connection: what came, and what was wrong with it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.flows.capabilities.records import MOST_BYTES

MOST_VALUES: Final = 60
"""Values of what came that are kept, at most."""
_LENGTH: Final = 200
_MOST_FAULTS: Final = 10
_ROOM: Final = MOST_BYTES - 256

Rows = tuple[tuple[str, str], ...]
"""Pairs of a name and a value, both as text."""


@dataclass(frozen=True, slots=True)
class ReportedFault:
    """One thing that was wrong.

    Attributes:
        code: which fault, of `core.organizations.sso_faults.FAULTS`.
        expected, received: what should have come, and what came; empty for nothing to show.
    """

    code: str
    expected: str = ""
    received: str = ""

    @classmethod
    def of(cls, fault: SSOFault) -> ReportedFault:
        """Return what a report keeps of a fault."""
        return cls(fault.code, fault.expected, fault.received)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a test.

    Attributes:
        faults: what a login would have failed by; empty where it would have worked.
        warnings: what leaves something out, or will be a fault one day.
        person: what is known of the person, by the names of `connection_tests.FIELDS`.
        received: what the answer says of itself.
        attributes: what the provider sent of the person.
    """

    faults: tuple[ReportedFault, ...] = ()
    warnings: tuple[ReportedFault, ...] = ()
    person: Rows = ()
    received: Rows = ()
    attributes: Rows = ()

    @classmethod
    def of(cls, fault: SSOFault) -> Report:
        """Return the report of a test that ended at one fault."""
        return cls(faults=(ReportedFault.of(fault),))

    def pack(self) -> bytes:
        """Return it as the store keeps it: with as many of the attributes as there is room for."""
        rows = [
            [[one.code, _shorten(one.expected), _shorten(one.received)] for one in found]
            for found in (self.faults[:_MOST_FAULTS], self.warnings[:_MOST_FAULTS])
        ]
        values = [_cut(found) for found in (self.person, self.received, self.attributes)]
        data = json.dumps([*rows, *values]).encode()
        if len(data) <= _ROOM or not (self.attributes or self.received):
            return data
        kept = self.attributes[: len(self.attributes) // 2]
        return replace(self, attributes=kept, received=self.received[: len(kept)]).pack()

    @classmethod
    def unpack(cls, value: bytes) -> Report:
        """Return what `pack` has packed."""
        faults, warnings, *values = json.loads(value)
        person, received, attributes = (
            tuple((name, text) for name, text in rows) for rows in values
        )
        return cls(
            faults=tuple(ReportedFault(*row) for row in faults),
            warnings=tuple(ReportedFault(*row) for row in warnings),
            person=person,
            received=received,
            attributes=attributes,
        )


def text_of(value: object) -> str:
    """Return a claim as people read it."""
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _cut(rows: Rows) -> Rows:
    return tuple((_shorten(name), _shorten(text)) for name, text in rows[:MOST_VALUES])


def _shorten(text: str) -> str:
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 1]}…"
