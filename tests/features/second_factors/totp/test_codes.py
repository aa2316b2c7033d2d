"""One-time passwords, against RFC 6238 and authenticators of other authors (security rule 41)."""

from __future__ import annotations

import subprocess
from urllib.parse import parse_qs, unquote, urlsplit

import mintotp
import pyotp
import pytest

from pwless_middleware.features.second_factors.totp.codes import (
    PERIOD,
    SECRET_BYTES,
    enrollment_uri,
    find_counter,
    good_counters_before,
    make_secret,
    write_secret,
)
from tests.needs import need_command

RFC_SECRET = b"12345678901234567890"
# RFC 6238, appendix B: of the eight digits the last six are what a code of six digits has.
RFC_VECTORS = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
NOW = 1_767_225_600


@pytest.mark.parametrize(("now", "code"), RFC_VECTORS.items())
def test_the_vectors_of_the_rfc(now: int, code: str) -> None:
    assert find_counter(RFC_SECRET, code[2:], now=now) == now // PERIOD


@pytest.mark.parametrize(
    ("late", "is_good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_the_code_before_and_the_code_after_are_good_and_no_others(
    late: int, is_good: bool
) -> None:
    secret, present = make_secret(), NOW // PERIOD
    code = mintotp.hotp(write_secret(secret), present + late)
    others = {mintotp.hotp(write_secret(secret), present + n) for n in (-1, 0, 1)}
    if not is_good and code in others:  # once in 300,000
        pytest.skip("two counters have one code")
    found = find_counter(secret, code, now=NOW)
    assert found == (present + late if is_good else None)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert find_counter(RFC_SECRET, code, now=NOW) is None


def test_before_the_second_period_of_1970_there_is_no_counter_before() -> None:
    code = mintotp.hotp(write_secret(RFC_SECRET), 0)
    assert find_counter(RFC_SECRET, code, now=0) == 0
    assert list(good_counters_before(1, now=0)) == [0]


def test_an_authenticator_of_the_system_shows_the_same_codes() -> None:
    need_command("oathtool")
    secret = make_secret()
    shown = subprocess.run(
        ["oathtool", "--totp", "--base32", "-N", f"@{NOW}", write_secret(secret)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert find_counter(secret, shown.stdout.strip(), now=NOW) == NOW // PERIOD


def test_a_secret_has_160_random_bits() -> None:
    first, second = make_secret(), make_secret()
    assert len(first) == len(second) == SECRET_BYTES
    assert first != second
    assert len(write_secret(first)) == 32


def test_an_app_learns_everything_from_the_link() -> None:
    secret = make_secret()
    uri = enrollment_uri(secret, account="jo+x@example.com", issuer="Acme: & Söhne")
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    label = unquote(parts.path).removeprefix("/")
    assert label.partition(":") == ("Acme  & Söhne", ":", "jo+x@example.com")
    values = parse_qs(parts.query)
    assert values["secret"] == [write_secret(secret)]
    assert values["issuer"] == ["Acme  & Söhne"]
    app = pyotp.parse_uri(uri)
    assert isinstance(app, pyotp.TOTP)
    assert find_counter(secret, app.at(NOW), now=NOW) == NOW // PERIOD


def test_what_was_shown_before_is_named_as_long_as_it_is_good() -> None:
    present = NOW // PERIOD
    assert list(good_counters_before(present + 1, now=NOW)) == [present - 1, present]
    assert list(good_counters_before(present, now=NOW)) == [present - 1]
    assert list(good_counters_before(present - 1, now=NOW)) == []
