"""Log lines about a database that cannot be asked: few, and one when it can again."""

from __future__ import annotations

import pytest

from pwless_middleware.database.sqlite.outage import Outage
from tests.support import Clock


def test_one_cause_is_told_once_in_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock(100)
    outage = Outage("written", clock)
    for _ in range(5):
        outage.begin("the disk is full")
    clock.advance(10)
    outage.begin("the disk is full")
    outage.begin("it is locked")
    assert [record.getMessage() for record in caplog.records] == [
        "the database cannot be written: the disk is full",
        "the database cannot be written: the disk is full",
        "the database cannot be written: it is locked",
    ]
    assert {vars(record)["event"] for record in caplog.records} == {"database_down"}


def test_the_end_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("written")
    outage.end()
    assert not caplog.records
    outage.begin("the disk is full")
    outage.end()
    outage.end()
    assert [vars(record)["event"] for record in caplog.records] == [
        "database_down",
        "database_recovered",
    ]


def test_causes_that_take_turns_or_come_and_go_are_told_as_seldom(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock(100)
    outage = Outage("written", clock)
    for _ in range(9):  # a second each
        outage.begin("it is locked")
        outage.begin("it took too long")
        outage.end()
        assert not outage.is_on
        clock.advance(1)
    outage.begin("it is locked")
    clock.advance(1)
    outage.begin("it is locked")
    outage.end()
    assert [record.getMessage() for record in caplog.records] == [
        "the database cannot be written: it is locked",
        "the database cannot be written: it took too long",
        "the database can be written again",
        "the database cannot be written: it is locked",
        "the database can be written again",
    ]
