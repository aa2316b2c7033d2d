"""Tracebacks for the log."""

from __future__ import annotations

from pwless_middleware.tracebacks import traceback_without_text


def test_a_traceback_says_where_and_what_but_nothing_that_the_error_says() -> None:
    """Another's exception may quote an address (security rule 13)."""
    address = "jo@example.com"
    try:
        raise LookupError(address)
    except LookupError as error:
        text = traceback_without_text(error)
    assert address not in text
    assert text.endswith("builtins.LookupError")
    assert "test_tracebacks.py" in text
