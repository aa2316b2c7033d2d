"""The package's public names, which are imported when they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pwless_middleware


def test_every_public_name_is_there_and_comes_from_where_it_says() -> None:
    assert set(pwless_middleware.__all__) == set(pwless_middleware._HOMES)
    for name in pwless_middleware.__all__:
        assert getattr(pwless_middleware, name).__name__ == name


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        pwless_middleware.Nonsense  # type: ignore[attr-defined] # noqa: B018


def test_dir_lists_them_before_they_are_imported() -> None:
    assert {*pwless_middleware.__all__, "__version__"} <= set(dir(pwless_middleware))


def test_the_middleware_without_redis_does_not_import_redis() -> None:
    code = (
        "import sys; from pwless_middleware import PasswordlessMiddleware, SMTPMailer, Outbox;"
        "print([m for m in ('redis', 'aiosmtplib') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
