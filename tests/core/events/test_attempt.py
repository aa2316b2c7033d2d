"""What became of an attempt, whatever order its events come in."""

from __future__ import annotations

import random
from typing import Any

import pytest

from pwless_middleware.core.events.attempt import OUTCOMES, Attempt, fold_attempts, merge
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_search import StoredEvent

Told = tuple[str, dict[str, Any]]

ASKED: Told = ("send.requested", {"address": "d-1", "device": "Firefox on Linux", "country": "DE"})
WRONG: Told = ("code.wrong", {"address": "d-1"})
RIGHT: Told = ("login.verified", {"method": "email_code"})
IN: Told = ("session.created", {"user_id": "u-1", "methods": ("email_code", "totp")})


def numbered(*told: Told) -> list[tuple[int, StoredEvent]]:
    """Return events of one attempt, in this order, with their numbers."""
    return [
        (number, StoredEvent(Event(at=number, kind=kind, attempt="a-1", **fields)))
        for number, (kind, fields) in enumerate(told, 1)
    ]


def outcome(*told: Told) -> tuple[str, str | None]:
    found = fold_attempts(numbered(*told))["a-1"]
    return found.outcome, found.reason


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([ASKED], ("asked", None)),
        ([ASKED, ("mail.sent", {})], ("sent", None)),
        ([ASKED, ("mail.deferred", {"reason": "busy"}), ("mail.sent", {})], ("sent", None)),
        ([ASKED, ("mail.failed", {"reason": "no such box"})], ("not_delivered", "no such box")),
        ([ASKED, ("mail.sent", {}), ("link.scanned", {})], ("sent", None)),
        ([ASKED, ("mail.suppressed", {"reason": "superseded"})], ("asked", None)),
        ([ASKED, ("mail.suppressed", {"reason": "unknown_user"}), WRONG],
         ("not_sent", "unknown_user")),
        ([ASKED, WRONG, ("limit.reached", {"reason": "try_by_challenge"})],
         ("limited", "try_by_challenge")),
        ([ASKED, WRONG, RIGHT, ("step.required", {"methods": ("totp",)})], ("step_open", None)),
        ([ASKED, RIGHT, IN], ("signed_in", None)),
        ([ASKED, RIGHT, IN, ("login.refused", {"reason": "used"}), WRONG], ("signed_in", None)),
        ([ASKED, ("mail.suppressed", {"reason": "disabled"}), RIGHT, IN], ("signed_in", None)),
        ([("own.kind", {})], ("asked", None)),
    ],
)  # fmt: skip
def test_the_outcome_is_what_decided(told: list[Told], expected: tuple[str, str | None]) -> None:
    assert outcome(*told) == expected
    assert expected[0] in OUTCOMES


def test_it_does_not_depend_on_the_order_in_which_events_come() -> None:
    whole = numbered(
        ASKED,
        ("mail.sent", {}),
        WRONG,
        RIGHT,
        ("step.required", {"methods": ("totp", "sms_code")}),
        ("step.wrong", {"method": "totp", "user_id": "u-1"}),
        ("step.verified", {"method": "sms_code"}),
        ("session.created", {"user_id": "u-1", "methods": ("email_code", "sms_code")}),
    )
    told = fold_attempts(whole)["a-1"]
    assert (told.first, told.last, told.user_id, told.method) == (1, 8, "u-1", "email_code")
    assert (told.step, told.country, told.device) == ("sms_code", "DE", "Firefox on Linux")
    chance = random.Random(1)
    for _ in range(50):
        chance.shuffle(whole)
        cut = chance.randrange(1, len(whole))
        parts = [fold_attempts(part)["a-1"] for part in (whole[:cut], whole[cut:])]
        assert merge(*parts) == told


def test_events_without_an_attempt_are_of_none() -> None:
    event = Event(at=1, kind="session.ended", user_id="u-1")
    assert fold_attempts([(1, StoredEvent(event))]) == {}


def test_an_attempt_of_which_only_its_name_is_known() -> None:
    alone = fold_attempts([(7, StoredEvent(Event(at=1, kind="sms.sent", attempt="a-1")))])
    assert alone == {"a-1": Attempt(name="a-1", first=7, last=7, outcome="asked")}
