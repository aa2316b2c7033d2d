"""The load test's proof finds every kind of breach, and none where there is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.load.events import Answer, Kind, Record, judge


def answer(kind: Kind, status: int, at: float = 1.0, **more: str) -> Answer:
    """Return an answer that took 10 ms."""
    given = {"process": "a", "address": "jo", **more}
    return Answer(kind, begun=at, ended=at + 0.01, status=status, **given)


ASKED = answer("ask", 303, 0.1)
WON = answer("code", 303, 0.5, session="s")
LET_IN = answer("request", 200, session="s", told="jo")
LEFT = answer("logout", 303, 2.0, session="s")


def record(*answers: Answer) -> Record:
    """Return the record of one login, and these answers."""
    mails = Counter({"jo": 1})
    return Record([ASKED, WON, LET_IN, *answers], mails=mails, sessions=Counter({"jo": 1}))


def test_a_good_run_has_no_breach() -> None:
    run = record(
        LEFT,
        answer("request", 200, 2.05, session="s", told="jo"),
        answer("request", 401, 2.2, session="s"),
        answer("request", 503, 3.0, session="s"),
        answer("code", 0, 3.0),
        *(answer("code", 400) for _ in range(4)),
        answer("code", 429),
    )
    run.revoked["s"] = 2.01
    run.gone.append(("a", 2.9, 3.1))
    assert judge(run) == []
    assert run.latest == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("breach", "said"),
    [
        (answer("request", 500), "500 from a to request"),
        (answer("request", 0), "cut a request though it was not killed"),
        (answer("link", 303, session="t"), "2 sessions from one challenge"),
        (answer("request", 200, session="s", told="al"), "as somebody else"),
        (answer("request", 200, session="forged", told="jo"), "as somebody else"),
        (answer("request", 401, session="s"), "a session was lost"),
        (answer("ask", 303, address="al"), "neither delivered nor reported"),
    ],
)
def test_a_breach_is_found(breach: Answer, said: str) -> None:
    found = judge(record(breach))
    assert len(found) == 1
    assert said in found[0]


def test_a_sixth_code_is_a_breach() -> None:
    assert judge(record(*(answer("code", 400) for _ in range(5)))) == [
        "6 codes compared for one challenge"
    ]


def test_a_session_that_nobody_won_is_a_breach() -> None:
    run = record()
    run.sessions["jo"] = 2
    assert judge(run) == ["2 session records from one challenge"]


def test_a_revoked_session_that_is_let_in_is_a_breach() -> None:
    run = record(LEFT, replace(LET_IN, begun=2.2, ended=2.21))
    run.revoked["s"] = 2.01
    assert judge(run) == ["a let a revoked session in after 190 ms"]


def test_a_doubtful_session_may_be_in_or_out() -> None:
    run = record(answer("logout", 503, 2.0, session="s"), answer("request", 401, 3, session="s"))
    run.doubtful.add("s")
    assert judge(run) == []


def test_a_reported_mail_is_not_lost() -> None:
    run = record(answer("ask", 303, address="al"))
    run.reported = 1
    assert judge(run) == []
