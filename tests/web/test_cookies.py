"""Cookie reading, against a reader written a second time (rule 11; attacks: tests/security)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.challenges import ID_BYTES, ChallengeId
from pwless_middleware.core.keyring import Keyring, b64
from pwless_middleware.errors import ConfigError
from pwless_middleware.web.cookies import MAX_FLOW, Cookies, read_cookie
from tests.support import KEY

NAME = b"__Host-pwless="
tokens = st.lists(
    st.sampled_from([NAME, b"__Host-pwless", b"pwless=", b"__Host-pwless-flow=", b"=", b";", b"; ",
                     b" ", b"\t", b"\x85", b"\xa0", b"\x00", b"\r", b'"', b"a", b"a=b", b"\xff",
                     b",", b"\x0b", b"pws_"]),
    max_size=12,
).map(b"".join)  # fmt: skip
lines = st.lists(st.tuples(st.sampled_from([b"cookie", b"x"]), tokens), max_size=3)


def by_hand(headers: list[tuple[bytes, bytes]]) -> str | None:
    """Read as rule 11 says, letter by letter."""
    found = []
    for key, value in headers:
        if key != b"cookie":
            continue
        for part in value.split(b";"):
            while part[:1] in (b" ", b"\t") and part:
                part = part[1:]
            while part[-1:] in (b" ", b"\t") and part:
                part = part[:-1]
            if part[: len(NAME)] == NAME:
                found.append(part[len(NAME) :])
    if len(found) != 1 or any(byte > 127 for byte in found[0]):
        return None
    return found[0].decode()


@given(lines)
def test_a_cookie_is_read_as_the_rule_says(headers: list[tuple[bytes, bytes]]) -> None:
    assert read_cookie(headers, NAME) == by_hand(headers)


def cookies(**options: object) -> Cookies:
    keyring = Keyring(KEY, realm="r")
    return Cookies(keyring, **{"cookie_name": "pwless", "secure": True, **options})  # type: ignore[arg-type]


@given(lines)
def test_what_is_handed_to_the_app_has_all_but_our_cookies(
    headers: list[tuple[bytes, bytes]],
) -> None:
    ours = cookies()
    signed, rest = ours.taken(headers)
    read = by_hand(headers)
    assert signed == (None if read is not None and read.startswith("pws_") else read)
    assert signed == ours.session(headers)
    kept = [value for key, value in rest if key == b"cookie"]
    assert not any(
        part.strip(b" \t").startswith(ours.names.all)
        for value in kept
        for part in value.split(b";")
    )
    assert [pair for pair in rest if pair[0] != b"cookie"] == [
        pair for pair in headers if pair[0] != b"cookie"
    ]

    def others(lines: list[bytes]) -> list[bytes]:
        parts = [part.strip(b" \t") for line in lines for part in line.split(b";")]
        return [part for part in parts if part and not part.startswith(ours.names.all)]

    assert others(kept) == others([value for key, value in headers if key == b"cookie"])


def as_sent(set_cookie: str) -> list[tuple[bytes, bytes]]:
    return [(b"cookie", set_cookie.partition(";")[0].encode())]


ids = st.binary(min_size=ID_BYTES, max_size=ID_BYTES).map(ChallengeId)


@given(st.lists(ids, max_size=6, unique=True))
def test_the_flow_cookie_keeps_the_newest_three(held: list[ChallengeId]) -> None:
    ours = cookies()
    line = ours.set_flow(held, max_age=9)
    if held:
        assert ours.flow(as_sent(line)) == tuple(held[:MAX_FLOW])
    else:
        assert "Max-Age=0" in line
        assert ours.flow(as_sent(line)) == ()


names = st.binary(min_size=16, max_size=16)


@given(st.dictionaries(names, names.map(b64), min_size=1, max_size=6))
def test_the_device_cookie_keeps_the_last_three(known: dict[bytes, str]) -> None:
    ours = cookies()
    read = ours.device(as_sent(ours.set_device(known)))
    assert list(read.items()) == list(known.items())[-3:]


def test_a_device_cookie_with_a_part_of_the_wrong_size_keeps_the_others() -> None:
    ours = cookies()
    good = b64(b"a" * 16 + b"n" * 16)
    signed = Keyring(KEY, realm="r").sign("device", f"{good}~{b64(b'short')}~*")
    assert ours.device([(b"cookie", b"__Host-pwless-device=" + signed.encode())]) == {
        b"a" * 16: b64(b"n" * 16)
    }


def test_the_pending_cookie_comes_and_goes() -> None:
    ours = cookies()
    line = ours.set_pending("handle", max_age=600)
    assert "Max-Age=600" in line
    assert ours.pending(as_sent(line)) == "handle"
    assert "Max-Age=0" in ours.set_pending(None, max_age=600)


@pytest.mark.parametrize(
    "name", ["", "a b", "a=", "__Host-x", "__x", "é", "x" * 41, "a;b", None, 5]
)
def test_a_cookie_name_is_letters_and_digits(name: object) -> None:
    with pytest.raises(ConfigError, match="cookie_name"):
        cookies(cookie_name=name)


def test_a_header_of_more_cookies_than_a_browser_keeps_is_neither_read_nor_handed_on() -> None:
    flood = (b"cookie", NAME + b"a; " + b"x=1; " * 250)
    assert cookies().taken([flood, (b"x", b"y")]) == (None, [(b"x", b"y")])
