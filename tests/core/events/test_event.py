"""The table of events: closed, and of one shape."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from typing import Any

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events import event_kinds
from pwless_middleware.core.events.event import FIELDS, Event, EventFields, EventKind
from pwless_middleware.core.events.event_kinds import KINDS
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.errors import ConfigError


def test_record_fields_and_table_name_the_same_things() -> None:
    names = [field.name for field in fields(Event)]
    assert names == ["at", "kind", "id", *FIELDS]
    of_callers = {"caller", "client", "country", "device"}
    assert set(EventFields.__annotations__) == set(FIELDS) - of_callers


def test_no_two_kinds_have_one_name() -> None:
    source = inspect.getsource(event_kinds)
    assert len(re.findall(r"^        EventKind\(", source, re.MULTILINE)) == len(KINDS)


@pytest.mark.parametrize(
    "declared",
    [
        {"name": "Passkey.added"},
        {"name": "passkey"},
        {"name": "passkey.added\n"},
        {"fields": ("password",)},
        {"fields": ("user_id",), "reasons": ("asked",)},
        {"fields": ("user_id",), "details": ("name",)},
        {"fields": ("details",)},
    ],
)
def test_a_kind_of_another_shape_is_refused(declared: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as raised:
        EventKind(**{"name": "passkey.added", "meaning": "…", "fields": (), **declared})
    assert raised.value.option == "event_kinds"


def test_a_kind_admits_its_fields_and_no_others() -> None:
    kind = EventKind(
        "passkey.added", "…", ("user_id", "reason", "details"), ("asked",), details=("name",)
    )
    good: EventFields = {"user_id": "u-1", "reason": "asked", "details": {"name": "phone"}}
    assert kind.admits(None, good)
    assert not kind.admits(Caller(), good), "it has no field of a caller"
    bad: list[EventFields] = [
        {"reason": "asked", "address": Address("jo@example.com")},
        {"reason": "because"},
        {"user_id": "u-1"},
        {"reason": "asked", "details": {"number": "1"}},
        {"reason": "asked", "details": {"name": b"phone"}},  # type: ignore[dict-item]
    ]
    assert not any(kind.admits(None, given) for given in bad)


def test_an_event_as_a_mapping_has_what_it_has() -> None:
    event = Event(at=1, kind="mail.sent", tries=0)
    assert event.to_dict() == {"at": 1, "kind": "mail.sent", "tries": 0}
