"""What is said of a time in which little or nothing happened."""

from __future__ import annotations

import pytest

from pwless_middleware.core.events.event_counters import Counter, CounterName
from pwless_middleware.features.dashboard.overview.figures import sum_up
from pwless_middleware.features.dashboard.overview.sections import describe_emails


def test_without_emails_there_are_no_times() -> None:
    emails = describe_emails(sum_up((0,), []), ["today"])
    assert (emails.median, emails.slow, emails.sent) == ("", "", "0")
    assert not emails.times
    assert not emails.texts


@pytest.mark.parametrize(("seconds", "told"), [("0", "under 1 s"), ("1", "1 s"), ("990", "990 s")])
def test_times_to_delivery_are_told_in_seconds(seconds: str, told: str) -> None:
    counter = Counter(CounterName("day", 0, "mail.sent", "seconds", seconds), 3)
    emails = describe_emails(sum_up((0,), [counter]), ["today"])
    assert (emails.median, emails.slow) == (told, told)
