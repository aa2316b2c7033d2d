"""What is said from the options alone; `test_check.py` has the rest, through the command."""

from __future__ import annotations

from pwless_middleware.cli.judgements import RELEASED, system_clock


def test_a_clock_from_before_this_program_fails() -> None:
    assert system_clock(RELEASED - 1).level == "fail"
    assert system_clock(RELEASED).level == "ok"
