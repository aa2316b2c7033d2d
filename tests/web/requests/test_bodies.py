"""What is read is what was meant, and nothing makes the readers fail (security rule 12)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request

from pwless_middleware.errors import ApiError, InvalidArgument
from pwless_middleware.web.requests.bodies import MAX_DEPTH, parse_json, read_form
from tests.support import http_scope

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=10,
)  # fmt: skip
objects = st.dictionaries(words, values, max_size=5)


def depth(value: Any) -> int:
    """Count how deep a value is nested."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@given(objects, st.booleans())
@example({"a": "{[{[{[{[{["}, True)
@example({'"\\': '\\"[['}, True)
def test_an_object_is_read_as_it_was_written(value: dict[str, Any], is_ascii: bool) -> None:
    body = json.dumps(value, ensure_ascii=is_ascii).encode()
    if depth(value) <= MAX_DEPTH:
        assert parse_json(body) == value
    else:
        with pytest.raises(InvalidArgument):
            parse_json(body)


@given(st.integers(1, 12), st.booleans())
def test_depth_ends_at_eight(levels: int, is_list: bool) -> None:
    inner = "[" * (levels - 1) + "]" * (levels - 1)
    if not is_list:
        inner = '{"a":' * (levels - 1) + "1" + "}" * (levels - 1)
    body = ('{"x":' + (inner or "1") + "}").encode()
    if levels <= MAX_DEPTH:
        parse_json(body)
    else:
        with pytest.raises(InvalidArgument):
            parse_json(body)


@given(st.binary(max_size=60) | st.text(st.sampled_from('{}[]",:\\u0dD8 1eE+-.nNaIftrl'), max_size=40).map(str.encode))  # fmt: skip  # noqa: E501
def test_no_bytes_make_the_reader_fail(body: bytes) -> None:
    try:
        found = parse_json(body)
    except InvalidArgument:
        return
    assert found == json.loads(body)


@given(objects, words, values, values)
def test_a_key_that_comes_twice_is_refused_wherever_it_stands(
    rest: dict[str, Any], key: str, first: Any, second: Any
) -> None:
    pairs = f"{json.dumps(key)}:{json.dumps(first)},{json.dumps(key)}:{json.dumps(second)}"
    others = "".join(f",{json.dumps(k)}:{json.dumps(v)}" for k, v in rest.items() if k != key)
    for body in (f"{{{pairs}{others}}}", f'{{"x":[{{{pairs}}}]}}'):
        with pytest.raises(InvalidArgument):
            parse_json(body.encode())


@pytest.mark.parametrize("digits", [4300, 4301, 16_000])
def test_a_huge_number_is_read_or_refused_and_nothing_else(digits: int) -> None:
    """Python stops at 4300 digits (CVE-2020-10735); no field of ours takes such a number."""
    body = b'{"x":' + b"9" * digits + b"}"
    if digits <= 4300:
        assert parse_json(body)["x"] == int("9" * digits)
    else:
        with pytest.raises(InvalidArgument):
            parse_json(body)


# --- forms ---------------------------------------------------------------------------------------


async def form(body: bytes, **headers: str) -> dict[str, str]:
    given = {"content-type": "application/x-www-form-urlencoded", **headers}
    raw = [(k.encode(), v.encode()) for k, v in given.items() if v]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return await read_form(Request(http_scope(method="POST", headers=raw), receive))


def run(coroutine: Any) -> Any:
    """Run what never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


@given(st.dictionaries(words, words, max_size=16))
def test_a_form_is_read_as_a_browser_writes_it(fields: dict[str, str]) -> None:
    assert run(form(urlencode(fields).encode())) == fields


@given(st.lists(st.tuples(words, words), min_size=1, max_size=16), words)
def test_a_field_that_comes_twice_is_refused(fields: list[tuple[str, str]], value: str) -> None:
    again = [*fields, (fields[0][0], value)]
    with pytest.raises(InvalidArgument):
        run(form(urlencode(again).encode()))


@given(st.binary(max_size=40) | st.text(st.sampled_from("a=&%f0+;\x00é"), max_size=30).map(str.encode))  # fmt: skip  # noqa: E501
def test_no_bytes_make_the_form_reader_fail(body: bytes) -> None:
    try:
        fields = run(form(body))
    except ApiError:
        return
    assert all(quote_plus(name).isascii() for name in fields)


def test_no_body_and_no_type_is_an_empty_form() -> None:
    assert run(form(b"", **{"content-type": ""})) == {}
    with pytest.raises(ApiError) as raised:
        run(form(b"a=b", **{"content-type": ""}))
    assert raised.value.status == 415


# --- pieces --------------------------------------------------------------------------------------


class Piece(bytes):
    """A piece of a body that counts what is copied to put it behind the others."""

    copied = 0

    def __radd__(self, before: bytes) -> bytes:
        Piece.copied += len(before)
        return bytes(before) + bytes(self)


def test_what_came_before_is_not_copied_with_each_piece_of_a_body() -> None:
    """Some servers hand on each chunk by itself: 640 KiB of them would cost 16 s (rule 23)."""
    pieces = [Piece(b"a"), Piece(b"="), *[Piece(b"b")] * 1000]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    Piece.copied = 0
    found = run(read_form(Request(http_scope(method="POST", headers=headers), receive)))
    assert found == {"a": "b" * 1000}
    assert Piece.copied == 0
