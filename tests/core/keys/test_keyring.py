"""The keyring: purposes apart, rotation without loss, one spelling (security rules 6 and 21)."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.challenges.challenge import ID_BYTES, SALT_BYTES, Challenge, ChallengeId
from pwless_middleware.core.challenges.codes import HIGH_ALPHABET, format_code
from pwless_middleware.core.challenges.pasted_text import code_in
from pwless_middleware.core.keys.base64url import b64, unb64
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.core.keys.keyring import (
    MAC_BYTES,
    Keyring,
    Opened,
    Purpose,
    RecordKind,
    new_operation,
)
from pwless_middleware.errors import ConfigError
from tests.support import KEY, OTHER_KEY

REALM = "https://app.example.com\x00pwless"
PURPOSES: tuple[Purpose, ...] = (
    "flow",
    "request",
    "link",
    "pending",
    "step",
    "session",
    "token",
    "device",
)
ids = st.binary(min_size=ID_BYTES, max_size=ID_BYTES).map(ChallengeId)
old, new = Keyring(KEY, realm=REALM), Keyring(OTHER_KEY, realm=REALM)
rolling_out = Keyring([OTHER_KEY, KEY], realm=REALM)
rolled = Keyring([KEY, OTHER_KEY], realm=REALM)
texts = st.text(string.ascii_letters + string.digits + "-_~", min_size=1, max_size=60)


def made(id: ChallengeId, **fields: Any) -> Challenge:
    """Make a challenge of the first key."""
    given: dict[str, Any] = {
        "key_id": old.current, "salt": b"s" * SALT_BYTES, "generation": 0,
        "address": Address("jo@example.com"), "kind": "LINK_OTP", "template": "SIGNIN",
        "caller": "browser", "asked_at": 0, "started_at": 0, "expires_at": 300, "lifetime": 300,
    }  # fmt: skip
    return Challenge(id=id, **{**given, **fields})


@given(ids, st.sampled_from(PURPOSES), st.sampled_from(PURPOSES))
def test_a_handle_opens_for_its_own_purpose_alone(id: bytes, made: Purpose, asked: Purpose) -> None:
    handle = old.seal(made, id)
    opened = Opened(id, old.current)
    assert old.open(asked, handle, size=ID_BYTES) == (opened if made == asked else None)
    signed = old.sign(made, b64(id))
    assert old.unsign(asked, signed) == (b64(id) if made == asked else None)


@given(ids, st.data())
def test_a_handle_with_one_changed_character_opens_nothing(id: bytes, data: st.DataObject) -> None:
    handle = old.seal("request", id)
    at = data.draw(st.integers(0, len(handle) - 1))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_=+/ \n.é"))
    changed = handle[:at] + other + handle[at + 1 :]
    opened = Opened(id, old.current)
    assert old.open("request", changed, size=ID_BYTES) == (opened if changed == handle else None)


@given(st.binary(min_size=24, max_size=24), st.lists(st.binary(min_size=8, max_size=8), min_size=2,
                                                    max_size=3, unique=True))  # fmt: skip
def test_handles_of_one_person_show_neither_the_person_nor_that_it_is_one(
    person: bytes, parts: list[bytes]
) -> None:
    """Without the key there is nothing to test a guessed address against, nor to compare."""
    handles = [unb64(old.seal("request", person + part)) or b"" for part in parts]
    pieces = [data[at : at + 4] for data in handles for at in range(len(data) - 3)]
    assert not {person[at : at + 4] for at in range(21)} & set(pieces)
    assert len(pieces) == len(set(pieces)), "no two handles have a piece in common"
    masks = [bytes(a ^ b for a, b in zip(data[16:40], person, strict=True)) for data in handles]
    assert len(set(masks)) == len(masks), "no two handles have one mask"


@given(st.binary(max_size=128), st.integers(1, 9), st.integers(1, 4))
def test_a_handle_holds_whole_items_and_not_too_many(data: bytes, size: int, most: int) -> None:
    fits = len(data) % size == 0 and 1 <= len(data) // size <= most
    opened = old.open("flow", old.seal("flow", data), size=size, most=most)
    assert opened == (Opened(data, old.current) if fits else None)


@given(texts, st.data())
def test_a_signed_cookie_has_one_spelling(value: str, data: st.DataObject) -> None:
    signed = old.sign("session", value)
    assert old.unsign("session", signed) == value
    at = data.draw(st.integers(0, len(signed)))
    more = data.draw(st.sampled_from(["=", "A", " ", "!", "\n", ".", "é", "\udcff"]))
    assert old.unsign("session", signed[:at] + more + signed[at:]) is None


@given(st.text(max_size=80), st.sampled_from(PURPOSES))
def test_no_text_makes_the_readers_fail(text: str, purpose: Purpose) -> None:
    assert old.open(purpose, text, size=ID_BYTES) is None
    assert old.unsign(purpose, text) is None
    assert old.open_link(text) is None


# --- rotation ------------------------------------------------------------------------------------


@given(ids, texts)
def test_through_a_rotation_old_handles_open_and_new_ones_are_understood(
    id: ChallengeId, value: str
) -> None:
    """Roll out `[new, old]`, then `[old, new]`: at no time is anybody logged out."""
    for writer in (old, rolling_out, rolled):
        for reader in (rolling_out, rolled):
            sealed, signed = writer.seal("request", id), writer.sign("session", value)
            assert reader.open("request", sealed, size=ID_BYTES) == Opened(id, writer.current)
            assert reader.unsign("session", signed) == value
    assert rolling_out.seal("request", id) == old.seal("request", id), "the last key signs"
    assert rolled.seal("request", id) == new.seal("request", id)
    assert new.open("request", old.seal("request", id), size=ID_BYTES) is None
    assert new.unsign("session", old.sign("session", value)) is None


@given(ids, st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES), st.integers(0, 255))
def test_a_challenge_is_derived_by_the_one_key_that_it_was_made_with(
    id: ChallengeId, salt: bytes, generation: int
) -> None:
    challenge = made(id, salt=salt, generation=generation)
    for ring in (old, rolling_out, rolled):
        assert ring.code(challenge, "standard") == old.code(challenge, "standard")
        assert ring.link_token(challenge) == old.link_token(challenge)
    assert rolled.current == new.current != old.current
    for derive in (new.link_token, lambda c: new.code(c, "standard")):
        with pytest.raises(KeyError):
            derive(challenge)


@given(ids, st.data())
def test_a_link_is_of_one_challenge_generation_salt_and_key(
    id: ChallengeId, data: st.DataObject
) -> None:
    challenge = made(id)
    link = rolled.open_link(rolled.link_token(challenge))
    assert link is not None
    assert (link.id, link.key_id) == (id, old.current)
    assert rolled.is_link_of(link, challenge)
    for other in (
        replace(challenge, id=ChallengeId(bytes(ID_BYTES))),
        replace(challenge, generation=1),
        replace(challenge, salt=b"t" * SALT_BYTES),
        replace(challenge, key_id=new.current),
    ):
        assert rolled.is_link_of(link, other) is (other == challenge)


@given(ids)
def test_a_link_that_another_key_sealed_is_none_even_with_the_right_secret(id: ChallengeId) -> None:
    """An older key of the list leads to the record, and no further."""
    challenge = made(id, key_id=new.current)
    right = rolled.open_link(rolled.link_token(challenge))
    assert right is not None
    assert rolled.is_link_of(right, challenge)
    assert not rolled.is_link_of(right._replace(key_id=old.current), challenge)
    forged = rolled.open_link(rolled.link_token(replace(challenge, key_id=old.current)))
    assert forged is not None
    assert not rolled.is_link_of(forged, challenge)


@given(ids, st.data())
def test_a_link_token_is_short_and_any_other_character_in_it_opens_nothing(
    id: ChallengeId, data: st.DataObject
) -> None:
    token = old.link_token(made(id))
    assert len(token) == 96
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyz234567")
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz234567018=+ é"))
    opened = old.open_link(token[:at] + other + token[at + 1 :])
    assert (opened is not None) is (other == token[at])


# --- records -------------------------------------------------------------------------------------

kinds = st.sampled_from(["challenge", "session", "pending", "job"])


@given(kinds, kinds, st.text(max_size=9), st.text(max_size=9), st.binary(max_size=60))
def test_a_record_is_bound_to_its_kind_its_place_and_every_byte(
    kind: RecordKind, other: RecordKind, place: str, elsewhere: str, value: bytes
) -> None:
    stored = old.bind(kind, place, value, key_id=old.current)
    assert len(stored) == len(value) + MAC_BYTES
    assert rolled.unbind(kind, place, stored) == Opened(value, old.current)
    assert new.unbind(kind, place, stored) is None
    for at in range(len(stored)):
        changed = bytearray(stored)
        changed[at] ^= 1
        assert rolled.unbind(kind, place, bytes(changed)) is None
    for changed_length in (stored[:-1], stored + b"x", b""):
        assert rolled.unbind(kind, place, changed_length) is None
    if other != kind:
        assert rolled.unbind(other, place, stored) is None
    if elsewhere != place:
        assert rolled.unbind(kind, elsewhere, stored) is None


@given(ids)
def test_another_realm_has_another_everything(id: ChallengeId) -> None:
    other = Keyring(KEY, realm="https://staging.example.com\x00pwless")
    assert other.current != old.current
    assert other.open("request", old.seal("request", id), size=ID_BYTES) is None
    assert other.name("client", "x") != old.name("client", "x")
    assert other.open_link(old.link_token(made(id))) is None


def test_names_survive_a_rotation_and_what_is_logged_is_keyed() -> None:
    assert old.name("client", "203.0.113.7") == new.name("client", "203.0.113.7")
    assert old.log_name("jo@example.com") != new.log_name("jo@example.com")
    assert digest("a", "b", "c") != digest("a", "bc")
    assert len(digest("a")) == 16
    assert new_operation() != new_operation()


# --- codes ---------------------------------------------------------------------------------------


@given(ids, st.integers(0, 255))
def test_codes_have_their_shape_and_are_read_back(id: ChallengeId, generation: int) -> None:
    challenge = made(id, generation=generation)
    code = old.code(challenge, "standard")
    assert len(code) == 6
    assert code_in(format_code(code, "standard"), "standard") == code
    high = old.code(challenge, "high")
    assert len(high) == 8
    assert set(high) <= set(HIGH_ALPHABET)
    shown = format_code(high, "high")
    assert shown[4] == "-"
    assert code_in(shown.lower(), "high") == high
    assert code_in(shown, "standard") is None


@given(ids)
def test_a_new_generation_or_another_salt_has_a_new_code_and_link(id: ChallengeId) -> None:
    challenges = [made(id, generation=g, salt=s * SALT_BYTES) for g in (0, 1) for s in (b"s", b"t")]
    assert len({old.code(challenge, "high") for challenge in challenges}) == 4
    assert len({old.link_token(challenge) for challenge in challenges}) == 4


def test_the_digits_of_many_codes_are_even() -> None:
    counts = [0] * 10
    for n in range(2000):
        id = ChallengeId(n.to_bytes(ID_BYTES, "big"))
        for digit in old.code(made(id), "standard"):
            counts[int(digit)] += 1
    assert all(1050 < count < 1350 for count in counts), counts


def test_repr_shows_fingerprints_and_no_key() -> None:
    assert KEY not in repr(rolled)
    assert old.current in repr(rolled)


def test_a_number_is_its_text_s_its_label_s_and_its_key_s_alone() -> None:
    both = Keyring([KEY, OTHER_KEY], realm=REALM)
    old = Keyring(KEY, realm=REALM)
    number = both.derive_number("code", b"text", key_id=old.current)
    assert number == old.derive_number("code", b"text", key_id=old.current)
    assert 0 <= number < 1 << 64
    others = {
        both.derive_number("code", b"text", key_id=both.current),
        both.derive_number("other", b"text", key_id=old.current),
        both.derive_number("code", b"other", key_id=old.current),
        both.derive("use").derive_number("code", b"text", key_id=both.derive("use").current),
    }
    assert len(others | {number}) == 5
    with pytest.raises(KeyError):
        old.derive_number("code", b"text", key_id=both.current)


def test_no_key_at_all_names_the_environment_variable() -> None:
    missing: Any
    for missing in (None, "", []):
        with pytest.raises(ConfigError, match="is the environment variable set"):
            Keyring(missing, realm="")
