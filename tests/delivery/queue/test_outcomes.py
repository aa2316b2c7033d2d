"""What a job turns out to be: which mails take their turn together."""

from __future__ import annotations

import pytest

from pwless_middleware.delivery.queue.outcomes import Delivery


@pytest.mark.parametrize(
    ("recipient", "lane"),
    [
        ("jo@example.com", "example.com"),
        ("jo@a.b.example.com", "example.com"),
        ("jo@example.co.uk", "example.co.uk"),
        ("jo@mail.example.co.uk", "example.co.uk"),
        ("jo@co.uk", "co.uk"),
        ("jo@example.gov.au", "example.gov.au"),
        ("jo@mx.co.example", "co.example"),
        ("jo@localhost", "localhost"),
    ],
)
def test_names_below_one_registered_domain_are_one_lane(recipient: str, lane: str) -> None:
    assert Delivery(recipient, None).lane == lane


def test_a_recipient_is_not_shown() -> None:
    assert "jo@" not in repr(Delivery("jo@example.com", None))


def test_text_messages_are_one_lane_whoever_they_are_for() -> None:
    assert Delivery("+4915112345678", None, channel="sms").lane == "sms"
