"""What is said from the options alone; `test_check.py` has the rest, through the command."""

from __future__ import annotations

from pwless_middleware.cli.checks.option_checks import RELEASED, check_clock


def test_a_clock_from_before_this_program_fails() -> None:
    assert check_clock(RELEASED - 1).level == "fail"
    assert check_clock(RELEASED).level == "ok"
