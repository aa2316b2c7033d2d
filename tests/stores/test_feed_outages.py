"""A feed that is interrupted is told, once for each outage, and never as a flood."""

from __future__ import annotations

import pytest

from pwless_middleware.errors import StoreError
from pwless_middleware.stores.feed_outages import FeedOutages
from tests.support import Clock


@pytest.fixture
def clock() -> Clock:
    """The time of the test."""
    return Clock()


@pytest.fixture
def outages(clock: Clock) -> FeedOutages:
    """The lines of one feed."""
    return FeedOutages(clock)


def test_an_outage_is_told_once_however_often_it_is_tried(
    outages: FeedOutages, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(100):
        outages.note(StoreError("it is gone"))
        clock.advance(1)
    assert caplog.messages == ["the revocation feed is interrupted: it is gone"]
    outages.end()
    outages.note(StoreError("it is gone again"))
    assert len(caplog.messages) == 2


def test_a_connection_that_comes_and_goes_is_told_once_in_ten_seconds(
    outages: FeedOutages, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(30):
        for _ in range(20):
            outages.note(StoreError("it is gone"))
            outages.end()
        clock.advance(1)
    assert len(caplog.messages) == 3


def test_an_outage_that_follows_another_one_at_once_is_told_if_it_lasts(
    outages: FeedOutages, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    outages.note(StoreError("it is gone"))
    outages.end()
    clock.advance(5)
    outages.note(StoreError("it is gone for good"))
    assert len(caplog.messages) == 1
    clock.advance(5)
    outages.note(StoreError("it is gone for good"))
    assert caplog.messages[1:] == ["the revocation feed is interrupted: it is gone for good"]
