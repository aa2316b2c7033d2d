"""Device cookies: sealed, of one length, unlike each other, read under any key of the list.

Security rule 21.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.keys.base64url import unb64
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.logins.device_cookie import (
    KnownAddress,
    add_known,
    find_known,
    mark_value,
    open_known,
    seal_known,
)
from tests.support import KEY, OTHER_KEY

RING = Keyring(KEY, realm="r")
rows = st.builds(
    KnownAddress,
    st.binary(min_size=8, max_size=8).filter(any),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)


@given(st.lists(rows, max_size=3))
def test_what_was_sealed_is_read_and_has_one_length(known: list[KnownAddress]) -> None:
    sealed = seal_known(RING, tuple(known))
    assert open_known(RING, sealed) == tuple(known)
    assert len(sealed) == len(seal_known(RING, ()))


@given(st.lists(rows, max_size=6))
def test_the_last_three_addresses_are_kept_once_each(added: list[KnownAddress]) -> None:
    known: tuple[KnownAddress, ...] = ()
    for row in added:
        known = add_known(known, row)
        assert find_known(known, row.exact) == row
    exacts = [row.exact for row in known]
    last = list(dict.fromkeys(row.exact for row in reversed(added)))[:3]
    assert exacts == last[::-1]


def test_two_cookies_of_one_person_have_nothing_in_common() -> None:
    """Nor does one show the digest of its address, which anybody could compute."""
    exact = digest("exact-address", "r", "jo@example.com")[:8]
    first, second = (
        unb64(seal_known(RING, (KnownAddress(exact, b"o" * 16, 1_800_000_000, n),))) or b""
        for n in (1, 2)
    )
    assert exact not in first
    assert sum(a == b for a, b in zip(first, second, strict=True)) < len(first) // 4


def test_any_listed_key_opens_a_cookie_and_a_dropped_one_makes_a_stranger() -> None:
    known = (KnownAddress(b"e" * 8, b"o" * 16, 5, 6),)
    sealed = seal_known(RING, known)
    assert open_known(Keyring([KEY, OTHER_KEY], realm="r"), sealed) == known
    assert open_known(Keyring(OTHER_KEY, realm="r"), sealed) == ()
    assert open_known(Keyring(KEY, realm="another"), sealed) == ()
    for text in ("", "x", sealed[:-1], sealed + "A", "é" * 9, sealed[::-1]):
        assert open_known(RING, text) == ()


def test_a_clock_outside_of_32_bits_is_the_nearest_time_that_can_be_written() -> None:
    known = tuple(KnownAddress(bytes([n]) * 8, b"o" * 16, t, 1) for n, t in ((1, -5), (2, 1 << 33)))
    assert [row.issued_at for row in open_known(RING, seal_known(RING, known))] == [0, 0xFFFFFFFF]
    assert [mark_value(t) for t in (-5, 1 << 33)] == [bytes(4), b"\xff" * 4]
