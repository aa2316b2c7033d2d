"""Instants of SAML are read strictly, and written in UTC."""

from __future__ import annotations

import pytest

from pwless_middleware.features.sso.saml.instants import format_instant, read_instant
from tests.identity_providers.saml import NOW


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2027-01-15T08:00:00Z", NOW),
        ("2027-01-15T08:00:00", NOW),
        ("2027-01-15T08:00:00.9999999Z", NOW),
        ("2027-01-15T10:00:00+02:00", NOW),
        ("2027-02-30T08:00:00Z", None),
        ("2027-01-15T24:00:00Z", None),
        ("2027-01-15 08:00:00Z", None),
        ("٢٠٢٧-01-15T08:00:00Z", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
    ids=range(11),
)
def test_an_instant_is_read_or_is_none(text: str | None, at: int | None) -> None:
    assert read_instant(text) == at


def test_an_instant_is_written_in_utc() -> None:
    assert format_instant(NOW) == "2027-01-15T08:00:00Z"
