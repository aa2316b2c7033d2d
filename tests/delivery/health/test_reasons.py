"""What a log, an event and the queue have of a reason."""

from __future__ import annotations

import time

import pytest

from pwless_middleware.delivery.health.reasons import MOST_CHARACTERS, redact

JO, PHONE = "jo@example.com", "+4915112345678"


@pytest.mark.parametrize("quoted", [JO, f"<{JO}>", "https://app.example.com/x?y", "amqp://u:p@a"])
def test_addresses_and_links_are_struck(quoted: str) -> None:
    for is_text in (False, True):
        assert redact(f"cannot send to {quoted} now", is_text=is_text) == "cannot send to … now"


@pytest.mark.parametrize("quoted", [PHONE, PHONE[1:], "+49 (151) 123-456-78", "123456", "123 456"])
def test_of_a_text_message_numbers_and_codes_are_too(quoted: str) -> None:
    assert redact(f"error 30007: {quoted}, answer 400", is_text=True) == (
        "error 30007: …, answer 400"
    )


def test_of_a_mail_numbers_stay() -> None:
    told = "550 5.7.1 message 1234567 refused"
    assert redact(told) == told


@pytest.mark.parametrize("page", ["a" * 500_000, "1(/" * 200_000, "+1" * 200_000, "a b" * 200_000])
def test_a_page_that_a_sender_quotes_stops_nothing(page: str) -> None:
    begun = time.process_time()
    told = redact(f"it answers {page}", is_text=True)
    assert time.process_time() - begun < 0.5
    assert told.startswith("it answers")
    assert len(told) <= MOST_CHARACTERS + 2


def test_the_cut_goes_through_no_address() -> None:
    for before in range(MOST_CHARACTERS - 20, MOST_CHARACTERS + 1):
        told = redact(f"{'x' * before} {JO} {PHONE} is refused", is_text=True)
        assert "jo" not in told
        assert "151" not in told
