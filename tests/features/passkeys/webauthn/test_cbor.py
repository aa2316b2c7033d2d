"""How far a CBOR item reaches is found without making anything of it (security rule 31)."""

from __future__ import annotations

import tracemalloc

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pwless_middleware.features.passkeys.webauthn.cbor import MAX_DEPTH, MAX_ITEMS, find_end
from tests.features.passkeys.authenticator import cbor

LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.binary() | st.text()
ITEMS = st.recursive(
    LEAVES | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def _depth(item: object) -> int:
    inner = list(item.values()) if isinstance(item, dict) else item
    if not isinstance(inner, list):
        return 0
    return 1 + max((_depth(one) for one in inner), default=0)


@settings(max_examples=30)
@given(item=ITEMS, tail=st.binary(max_size=3))
def test_an_item_ends_where_it_was_written_to(item: object, tail: bytes) -> None:
    written = cbor2.dumps(item)
    if _depth(item) <= MAX_DEPTH:
        assert find_end(b"??" + written + tail, 2) == 2 + len(written)
    else:
        with pytest.raises(ValueError):
            find_end(written)


@settings(max_examples=100)
@given(data=st.binary(max_size=60))
def test_any_bytes_have_an_end_or_a_fault(data: bytes) -> None:
    try:
        end = find_end(data)
    except ValueError:
        return
    assert 0 < end <= len(data)


def test_depth_and_number_at_their_bounds() -> None:
    deep: object = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert find_end(cbor(deep)) == len(cbor(deep))
    many = cbor([1] * (MAX_ITEMS - 1))
    assert find_end(many) == len(many)
    for written in (cbor([deep]), cbor([1] * MAX_ITEMS), cbor([[1] * 200, [1] * 200])):
        with pytest.raises(ValueError):
            find_end(written)


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x81" * 16_000,
        b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x9a\xff\xff\xff\xff" + b"\x80" * 16_000,
        b"\x98\xff" + b"\x98\xff" * 8_000,
        b"\x5f" + b"\x41a" * 5_000 + b"\xff",
        b"\x7f\xff",
        b"\xc2\x43abc",
        b"\x1c",
        b"\x18",
        b"\x19\x01",
        b"\xf8",
        b"\xff",
        b"",
    ],
)
def test_a_bomb_costs_nothing(bomb: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ValueError):
            find_end(bomb)
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()
