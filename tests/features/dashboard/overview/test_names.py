"""Whatever is counted by its reason has a name, also what a feature of somebody else records."""

from __future__ import annotations

import pytest

from pwless_middleware.core.events.event_kinds import KINDS
from pwless_middleware.features.dashboard.overview.figures import FAILURES
from pwless_middleware.features.dashboard.overview.names import (
    REASONS,
    name_failure,
    name_methods,
    name_reason,
)


@pytest.mark.parametrize("kind", REASONS)
def test_every_reason_has_a_name_and_no_name_is_left_over(kind: str) -> None:
    assert set(REASONS[kind]) == set(KINDS[kind].reasons)


def test_every_failure_is_told_in_words() -> None:
    for kind in FAILURES:
        declared = KINDS.get(kind)  # none of a feature of its own
        for reason in (declared.reasons if declared is not None else ()) or ("",):
            assert "_" not in name_failure(kind, reason)
            assert "." not in name_failure(kind, reason)


def test_what_is_unknown_is_told_in_its_own_words() -> None:
    assert name_reason("login.refused", "not_today") == "not today"
    assert name_methods("email_code+face") == "Code by email + face"
    assert name_methods("") == "Not known"
