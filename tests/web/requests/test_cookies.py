"""Cookie reading, against a reader written a second time (security rules 11 and 23)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.challenges.challenge import ID_BYTES, ChallengeId
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.logins.device_cookie import KnownAddress
from pwless_middleware.web.requests.cookies import MAX_FLOW, Cookies, read_cookie
from tests.support import KEY, OTHER_KEY

NAME = b"__Host-pwless="
tokens = st.lists(
    st.sampled_from([NAME, b"__Host-pwless", b"pwless=", b"__Host-pwless-flow=", b"=", b";", b"; ",
                     b" ", b"\t", b"\x85", b"\xa0", b"\x00", b"\r", b'"', b"a", b"a=b", b"\xff",
                     b",", b"\x0b", b"pws_"]),
    max_size=12,
).map(b"".join)  # fmt: skip
lines = st.lists(st.tuples(st.sampled_from([b"cookie", b"x"]), tokens), max_size=3)


def by_hand(headers: list[tuple[bytes, bytes]]) -> str | None:
    """Read as security rule 11 says, letter by letter."""
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
    signed, rest, others = ours.split(headers)
    assert all(other.startswith(b"pwless=") for other in others)
    read = by_hand(headers)
    assert signed == (None if read is not None and read.startswith("pws_") else read)
    assert signed == ours.session(headers)
    kept = [value for key, value in rest if key == b"cookie"]
    hidden = (*ours.names.all, b"pwless=")
    assert not any(
        part.strip(b" \t").startswith(hidden) for value in kept for part in value.split(b";")
    )
    assert [pair for pair in rest if pair[0] != b"cookie"] == [
        pair for pair in headers if pair[0] != b"cookie"
    ]

    def of_the_app(lines: list[bytes]) -> list[bytes]:
        parts = [part.strip(b" \t") for line in lines for part in line.split(b";")]
        return [part for part in parts if part and not part.startswith(hidden)]

    assert of_the_app(kept) == of_the_app([value for key, value in headers if key == b"cookie"])


def as_sent(set_cookie: str) -> list[tuple[bytes, bytes]]:
    return [(b"cookie", set_cookie.partition(";")[0].encode())]


ids = st.binary(min_size=ID_BYTES, max_size=ID_BYTES).map(ChallengeId)


@given(st.lists(ids, max_size=6, unique=True))
def test_the_flow_cookie_keeps_the_newest_three(held: list[ChallengeId]) -> None:
    ours = cookies()
    key_id = ours._keyring.current
    line = ours.set_flow(dict.fromkeys(held, key_id), max_age=9)
    assert list(ours.flow(as_sent(line)).items()) == [(id, key_id) for id in held[:MAX_FLOW]]
    assert ("Max-Age=0" in line) is (not held)


def test_of_a_flow_cookie_what_is_not_ours_is_left_out_and_no_more_than_three_are_read() -> None:
    ours = cookies()
    key_id = ours._keyring.current
    ids = [ChallengeId(bytes([n]) * ID_BYTES) for n in range(4)]
    parts = [ours._keyring.seal("flow", id) for id in ids]
    line = f"__Host-pwless-flow={'~'.join([parts[0], 'x', *parts[1:]])}".encode()
    assert ours.flow([(b"cookie", line)]) == {ids[0]: key_id, ids[1]: key_id}


def test_the_device_cookie_comes_back_and_lives_a_year() -> None:
    ours = cookies()
    known = (KnownAddress(b"e" * 8, b"o" * 16, 1_800_000_000, 7),)
    line = ours.set_device(known)
    assert "Max-Age=31536000" in line
    assert ours.device(as_sent(line)) == known
    assert ours.device([]) == ()
    assert ours.device([(b"cookie", b"__Host-pwless-device=nonsense")]) == ()


def test_the_pending_cookie_comes_and_goes() -> None:
    ours = cookies()
    line = ours.set_pending("handle", max_age=600)
    assert "Max-Age=600" in line
    assert ours.pending(as_sent(line)) == "handle"
    assert "Max-Age=0" in ours.set_pending(None, max_age=600)


def test_more_browsers_than_are_remembered_are_each_read_rightly() -> None:
    reader = cookies(secure=False)
    for _ in range(2):
        for n in range(1_100):
            value = b"a=%d; pwless=session-%d; b=1" % (n, n)
            signed, kept, _ = reader.split([(b"host", b"x"), (b"cookie", value)])
            assert signed == f"session-{n}"
            assert kept == [(b"host", b"x"), (b"cookie", b"a=%d; b=1" % n)]


def test_a_flood_of_cookies_hides_neither_ours_nor_the_apps() -> None:
    """A sister domain may set hundreds; each header is read whole, whatever its size."""
    flood = (b"cookie", b"own=1; " + NAME + b"a; " + b"x=1; " * 250 + b"last=2")
    kept = (b"cookie", b"own=1; " + b"x=1; " * 250 + b"last=2")
    assert cookies().split([flood, (b"x", b"y")]) == ("a", [kept, (b"x", b"y")], ())
    assert cookies().split([flood, (b"cookie", NAME + b"b")]) == (None, [kept], ())
    assert read_cookie([flood, (b"cookie", NAME + b"b")], NAME) is None


@pytest.mark.parametrize("name", ["pwless", "staff", "pwless-0123abcd", "my-pwless"])
def test_the_app_sees_no_cookie_of_ours_of_any_instance_and_all_of_its_own(name: str) -> None:
    theirs = [
        "__Host-pwless=a", "pwless-0a1b2c3d=b", "pwless-0a1b2c3d-flow=c", "pwless-device=d",
        "__Host-pwless-ffffffff-pending=e", "pwless-0a1b2c3d-setup=f",
    ]  # fmt: skip
    apps = [
        "pwless_theme=1", "pwless-theme=2", "xpwless=3", "pwless-0a1b2c3=4", "pwless-0A1B2C3D=5",
        "__Secure-pwless=6", "a=pwless=7", "pwless-0a1b2c3d-flowers=8", "pwless=x"[1:], "staffs=9",
    ]  # fmt: skip
    ours = cookies(cookie_name=name, secure=False)
    own = [f"{name}=s", f"{name}-flow=f", f"{name}-device=d", f"{name}-pending=p"]
    mixed = [
        cookie for three in zip(apps, (theirs + own + apps)[:10], strict=True) for cookie in three
    ]
    hidden = {*theirs, *own}
    header = (b"cookie", "; ".join(mixed).encode())
    _, kept, others = ours.split([(b"x", b"y"), header])
    assert kept[0] == (b"x", b"y")
    assert kept[1][1].decode().split("; ") == [c for c in mixed if c not in hidden]
    names = {cookie.partition("=")[0] for cookie in own}
    others_are = [cookie for cookie in theirs if cookie.partition("=")[0] not in names]
    assert [other.decode() for other in others] == others_are


def test_a_trust_cookie_keeps_the_three_newest_ids_and_opens_for_nothing_else() -> None:
    ours = cookies()
    ids = [bytes([n]) * 16 for n in range(4)]
    name, _, rest = ours.set_trusted(ids, max_age=60).partition("=")
    value = rest.partition(";")[0]
    header = [(b"cookie", f"{name}={value}".encode())]
    assert ours.trust_ids(header) == tuple(ids[:3])
    assert ours.trust_ids([(b"cookie", f"{name}={value[:-1]}A".encode())]) == ()
    other = Cookies(Keyring(OTHER_KEY, realm="r"), cookie_name="pwless", secure=True)
    assert other.trust_ids(header) == ()
    as_passkeys = ours.names.passkeys + value.encode()
    assert ours.passkeys([(b"cookie", as_passkeys)]) is None
    assert "Max-Age=0" in ours.set_trusted([], max_age=60)


def test_a_set_up_cookie_opens_as_no_other_and_ends_when_it_is_told_to() -> None:
    ours = cookies()
    name, _, rest = ours.set_setup(b"a link", max_age=60).partition("=")
    value = rest.partition(";")[0]
    assert name == "__Host-pwless-setup"
    assert ours.setup([(b"cookie", f"{name}={value}".encode())]) == b"a link"
    assert ours.setup([(b"cookie", f"{name}={value[:-1]}A".encode())]) is None
    assert ours.passkeys([(b"cookie", ours.names.passkeys + value.encode())]) is None
    assert "Max-Age=0" in ours.set_setup(None, max_age=60)
