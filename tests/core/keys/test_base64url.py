"""Base64url is read in the one spelling that we write."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.keys.base64url import b64, unb64


@given(st.binary(max_size=40), st.text(max_size=20))
def test_base64_is_read_in_one_spelling(data: bytes, text: str) -> None:
    assert unb64(b64(data)) == data
    found = unb64(text)
    assert found is None or b64(found) == text
