"""What an authenticator signed: everything that can be false in it is rejected, by its reason.

The challenge that is expected is ours, never what is sent (security rule 30); all else is security
rule 31.
"""

from __future__ import annotations

import json
from typing import Any

import cbor2
import pytest

from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.features.passkeys.webauthn.credentials import (
    read_assertion,
    read_attestation,
)
from pwless_middleware.features.passkeys.webauthn.relying_party import RelyingParty
from pwless_middleware.features.passkeys.webauthn.verification import (
    REASONS,
    NewCredential,
    Rejected,
    Use,
    check_context,
    verify_assertion,
    verify_attestation,
)
from tests.features.passkeys.authenticator import (
    BE,
    BS,
    EDDSA,
    ES256,
    RS256,
    UP,
    UV,
    Authenticator,
    b64,
    cbor,
    cose_of,
    make_key,
    unb64,
)
from tests.passkeys import handle_of, make_passkey

ORIGIN = "https://app.example.com"
PARTY = RelyingParty("example.com", [ORIGIN])
CHALLENGE = bytes(range(32))
CREATION: dict[str, Any] = {
    "rp": {"id": "example.com", "name": "Example"},
    "user": {"id": b64(handle_of("jo")), "name": "jo@example.com", "displayName": "Jo"},
    "challenge": b64(CHALLENGE),
    "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in (ES256, EDDSA, RS256)],
    "authenticatorSelection": {"userVerification": "required"},
}
REQUEST: dict[str, Any] = {
    "rpId": "example.com",
    "challenge": b64(CHALLENGE),
    "userVerification": "required",
}


def make(
    authenticator: Authenticator | None = None,
    *,
    origin: str = ORIGIN,
    party: RelyingParty = PARTY,
    needs_presence: bool = True,
    needs_verification: bool = True,
    **false: Any,
) -> NewCredential:
    """Make a passkey in which something is false, and verify it."""
    made = (authenticator or Authenticator()).create(CREATION, origin=origin, **false)
    return verify_attestation(
        read_attestation(made),
        challenge=CHALLENGE,
        party=party,
        needs_presence=needs_presence,
        needs_verification=needs_verification,
    )


def keep(authenticator: Authenticator, **changes: Any) -> Passkey:
    """Make a good passkey, and return what is kept of it."""
    new = make(authenticator)
    kept: dict[str, Any] = {
        "id": new.id,
        "public_key": new.public_key,
        "sign_count": new.sign_count,
        "is_synced": new.is_synced,
        "is_backed_up": new.is_backed_up,
    }
    return make_passkey("jo", **kept | changes)


def answer(
    authenticator: Authenticator | None = None,
    passkey: Passkey | None = None,
    *,
    origin: str = ORIGIN,
    party: RelyingParty = PARTY,
    needs_verification: bool = True,
    **false: Any,
) -> Use:
    """Answer with a passkey in a way in which something is false, and verify it."""
    authenticator = authenticator or Authenticator()
    passkey = passkey or keep(authenticator)
    answered = authenticator.get(REQUEST, origin=origin, **false)
    return verify_assertion(
        read_assertion(answered),
        challenge=CHALLENGE,
        party=party,
        passkey=passkey,
        needs_verification=needs_verification,
    )


def check_rejected(reason: str, verify: Any, *arguments: Any, **false: Any) -> None:
    with pytest.raises(Rejected) as caught:
        verify(*arguments, **false)
    assert caught.value.reason == reason
    assert reason in REASONS


# --- what is good -------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
@pytest.mark.parametrize("fmt", ["none", "packed"])
def test_a_passkey_is_made_and_answers(algorithm: int, fmt: str) -> None:
    authenticator = Authenticator(algorithms=[algorithm])
    new = make(authenticator, fmt=fmt)
    soft = authenticator.passkeys[0]
    assert (new.id, new.public_key) == (soft.id, soft.public_key)
    assert new.aaguid == "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"
    assert new.transports == ("hybrid", "internal")
    assert (new.is_synced, new.is_backed_up, new.is_verified) == (True, True, True)
    assert answer(authenticator, keep(authenticator)) == Use(0, True, True)


def test_backed_up_later() -> None:
    authenticator = Authenticator(is_backed_up=False)
    passkey = keep(authenticator)
    assert not passkey.is_backed_up
    authenticator.is_backed_up = True
    assert answer(authenticator, passkey).is_backed_up


def test_no_verification_where_none_is_needed() -> None:
    authenticator = Authenticator()
    assert make(authenticator, flags=UP, needs_verification=False).is_verified is False
    passkey = keep(authenticator)
    used = answer(authenticator, passkey, flags=UP | BE, needs_verification=False)
    assert used == Use(0, False, False)


def test_made_by_the_browser_itself() -> None:
    """A conditional create has nobody present; a login with it still needs both.

    Presence at every login is security rule 31.
    """
    authenticator = Authenticator()
    new = make(authenticator, is_conditional=True, needs_presence=False, needs_verification=False)
    assert not new.is_verified
    check_rejected("not_present", make, is_conditional=True)
    passkey = make_passkey("jo", id=new.id, public_key=new.public_key)
    check_rejected("not_present", answer, authenticator, passkey, flags=BE | BS)
    check_rejected("not_verified", answer, authenticator, passkey, flags=UP | BE | BS)
    assert answer(authenticator, passkey).is_verified


def test_outputs_of_extensions_are_read_over() -> None:
    authenticator = Authenticator()
    outputs = cbor({"credProtect": 2, "uvm": [[2, 4, 2]], "hmac-secret": b"x" * 32})
    make(authenticator, extensions=outputs)
    answer(authenticator, keep(authenticator), extensions=outputs)


def test_further_members_of_the_client_data_are_ignored() -> None:
    answer(client_data={"other_keys_can_be_added_here": "do not compare clientDataJSON", "x": [1]})
    answer(client_data={"crossOrigin": ...})
    answer(client_data={"tokenBinding": {"status": "supported"}})


def test_every_origin_of_the_party_is_good_as_it_stands() -> None:
    app = "android:apk-key-hash:" + b64(bytes(32))
    party = RelyingParty("example.com", [ORIGIN, "https://shop.example", app])
    for origin in party.origins:
        make(origin=origin, party=party)
        answer(origin=origin, party=party)


# --- the client data ----------------------------------------------------------------------------

ORIGINS = [
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com:443",
    "https://app.example.com.",
    "https://app.example.com/",
    "https://app.example.com.evil.example",
    "https://evil.example/https://app.example.com",
    "https://app.example.com@evil.example",
    "https://user@app.example.com",
    "https://APP.example.com",
    "https://example.com",
    "https://evil.app.example.com",
    " https://app.example.com",
    "https://app.example.com\n",
    "https://app.example.com\x00",
    "https://аpp.example.com",  # a Cyrillic letter
    "app.example.com",
    "null",
    "",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_another_origin(origin: str) -> None:
    check_rejected("origin", make, origin=origin)
    check_rejected("origin", answer, origin=origin)


@pytest.mark.parametrize("origin", [None, 1, True, [ORIGIN], {ORIGIN: ORIGIN}, ...])
def test_an_origin_that_is_no_text(origin: object) -> None:
    check_rejected("origin", make, client_data={"origin": origin})
    check_rejected("origin", answer, client_data={"origin": origin})


@pytest.mark.parametrize(
    "challenge",
    [
        b64(bytes(32)),
        b64(CHALLENGE[:-1]),
        b64(CHALLENGE) + "=",
        b64(CHALLENGE)[:-1] + "9",  # the same bytes in another spelling
        b64(CHALLENGE) + "\n",
        "",
        "ä",
        None,
        [b64(CHALLENGE)],
        list(CHALLENGE),
        ...,
    ],
)
def test_another_challenge(challenge: object) -> None:
    check_rejected("challenge", make, client_data={"challenge": challenge})
    check_rejected("challenge", answer, client_data={"challenge": challenge})


@pytest.mark.parametrize("kind", ["", "WEBAUTHN.GET", "payment.get", None, ["webauthn.get"], ...])
def test_another_type(kind: object) -> None:
    check_rejected("type", make, client_data={"type": kind})
    check_rejected("type", answer, client_data={"type": kind})


def test_an_answer_is_not_taken_for_a_new_passkey_nor_the_other_way() -> None:
    check_rejected("type", make, client_data={"type": "webauthn.get"})
    check_rejected("type", answer, client_data={"type": "webauthn.create"})


@pytest.mark.parametrize(
    "members",
    [
        {"crossOrigin": True},
        {"crossOrigin": "false"},
        {"crossOrigin": 0},
        {"crossOrigin": None},
        {"topOrigin": ORIGIN},
        {"topOrigin": None},
        {"crossOrigin": True, "topOrigin": "https://evil.example"},
    ],
)
def test_from_an_iframe(members: dict[str, object]) -> None:
    check_rejected("cross_origin", make, client_data=members)
    check_rejected("cross_origin", answer, client_data=members)


def _client_data(kind: str) -> bytes:
    members = {"type": kind, "challenge": b64(CHALLENGE), "origin": ORIGIN, "crossOrigin": False}
    return json.dumps(members).encode()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda good: good[:-1] + b', "origin": "https://evil.example"}',
        lambda good: good[:-1] + b', "or\\u0069gin": "https://app.example.com"}',
        lambda good: good[:-1] + b', "x": {"y": 1, "y": 1}}',
        lambda good: b"\xef\xbb\xbf" + good,
        lambda good: good.decode().encode("utf-16"),
        lambda good: good.replace(b"https", b"http\xff"),
        lambda good: good[:-1] + b', "x": "\xed\xa0\x80"}',
        lambda good: good[:-1] + b', "x": "\\ud800"}',
        lambda good: good[:-1] + b', "x": ' + b"[" * 1500 + b"]" * 1500 + b"}",
        lambda good: good[:-1] + b', "x": NaN}',
        lambda good: good[:-1] + b', "x": 1e999}',
        lambda good: good + b"x",
        lambda good: good + good,
        lambda good: good[:-1],
        lambda good: b"[" + good + b"]",
        lambda good: b"\x00" + good,
        lambda good: b'"' + b64(good).encode() + b'"',
        lambda good: b"null",
        lambda good: good[:-1] + b', "tokenBinding": {"status": "not-supported"}}',
        lambda good: good[:-1] + b', "tokenBinding": {}}',
    ],
)
def test_client_data_that_two_readers_may_read_differently(spoil: Any) -> None:
    made, got = (_client_data(f"webauthn.{kind}") for kind in ("create", "get"))
    make(client_data_bytes=made)
    answer(client_data_bytes=got)
    check_rejected("client_data", make, client_data_bytes=spoil(made))
    check_rejected("client_data", answer, client_data_bytes=spoil(got))


# --- the authenticator data ---------------------------------------------------------------------


@pytest.mark.parametrize("rp_id", ["app.example.com", "example.org", "com", " ", "EXAMPLE.COM"])
def test_another_relying_party(rp_id: str) -> None:
    check_rejected("rp_id", make, rp_id=rp_id)
    check_rejected("rp_id", answer, rp_id=rp_id)


def test_a_passkey_of_an_earlier_relying_party_id() -> None:
    authenticator = Authenticator()
    passkey = keep(authenticator, rp_id="app.example.com")
    check_rejected("rp_id", answer, authenticator, passkey)


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (UV | BE | BS, "not_present"),
        (0, "not_present"),
        (UP | BE | BS, "not_verified"),
        (UP | 0x02 | BE | BS, "not_verified"),
        (UP | UV | BS, "backup_state"),
    ],
)
def test_flags(flags: int, reason: str) -> None:
    check_rejected(reason, make, flags=flags)
    check_rejected(reason, answer, flags=flags)


@pytest.mark.parametrize("is_synced", [True, False])
def test_whether_it_is_synced_never_changes(is_synced: bool) -> None:
    authenticator = Authenticator(is_synced=is_synced)
    passkey = keep(authenticator)
    authenticator.is_synced = not is_synced
    authenticator.is_backed_up = False
    check_rejected("backup_state", answer, authenticator, passkey)


@pytest.mark.parametrize(
    ("before", "now", "is_good"),
    [(0, 0, True), (0, 1, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)],
)
def test_a_count_that_does_not_grow(before: int, now: int, is_good: bool) -> None:
    """It is refused of a device-bound passkey, and of a synced one told (security rule 33)."""
    bound, synced = Authenticator(is_synced=False), Authenticator(is_synced=True)
    assert answer(synced, keep(synced, sign_count=before), sign_count=now).sign_count == now
    passkey = keep(bound, sign_count=before)
    if is_good:
        assert answer(bound, passkey, sign_count=now).sign_count == now
    else:
        check_rejected("sign_count", answer, bound, passkey, sign_count=now)


@pytest.mark.parametrize(
    "false",
    [
        {"tail": b"\x00"},
        {"tail": cbor({"credProtect": 2})},
        {"extensions": b"\xa1\x61"},
        {"extensions": b"\xbf\xff"},
        {"extensions": cbor([1])},
        {"extensions": b"\x81" * 500},
        {"extensions": b"\xa1\x61x" + b"\x9b" + b"\xff" * 8},
        {"extensions": b"\xa1\x61x\x5b\x7f" + b"\xff" * 7},
        {"extensions": b"\xa1\x61x\xc2\x41\x01"},
        {"extensions": b"\xba\x00\x00\xff\xff" + b"\x00" * 600},
        {"auth_data": b"\x00" * 36},
        {"auth_data": b"\x00"},
    ],
)
def test_authenticator_data_of_another_extent(false: dict[str, bytes]) -> None:
    check_rejected("malformed", make, **false)
    check_rejected("malformed", answer, **false)


def test_an_answer_has_no_key() -> None:
    authenticator = Authenticator()
    made = authenticator.create(CREATION, origin=ORIGIN)
    whole = unb64(made["response"]["authenticatorData"])
    check_rejected("malformed", answer, auth_data=whole)
    check_rejected("malformed", answer, flags=UP | UV | BE | BS | 0x40)


# --- the signature ------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_another_signature(algorithm: int) -> None:
    authenticator = Authenticator(algorithms=[algorithm])
    passkey = keep(authenticator)
    good = authenticator.get(REQUEST, origin=ORIGIN)
    for name in ("signature", "authenticatorData", "clientDataJSON"):
        data = bytearray(unb64(good["response"][name]))
        data[-2] ^= 1
        false = {**good, "response": {**good["response"], name: b64(bytes(data))}}
        with pytest.raises(Rejected) as caught:
            verify_assertion(
                read_assertion(false), challenge=CHALLENGE, party=PARTY, passkey=passkey
            )
        assert caught.value.reason in ("signature", "client_data")
    for signature in (b"\x00", b"\x30\x00", b"\x30\x06\x02\x01\x00\x02\x01\x00", b"\xff" * 256):
        check_rejected("signature", answer, authenticator, passkey, signature=signature)


def test_a_signature_of_another_passkey() -> None:
    """Neither under its own id nor under the other's."""
    mine, other = Authenticator(), Authenticator()
    passkey = keep(mine)
    keep(other)
    check_rejected("unknown", answer, other, passkey)
    check_rejected("signature", answer, other, passkey, id=passkey.id)


def test_another_user_handle() -> None:
    """The owner and who the authenticator says it is are one (security rule 32)."""
    authenticator = Authenticator()
    passkey = keep(authenticator)
    check_rejected("user_handle", answer, authenticator, passkey, user_handle=handle_of("eve"))
    check_rejected("user_handle", answer, authenticator, passkey, user_handle=b"jo")
    answer(authenticator, passkey, has_user_handle=False)


# --- the key ------------------------------------------------------------------------------------

EC, ED, RSA = (cose_of(make_key(algorithm)) for algorithm in (ES256, EDDSA, RS256))
WEAK = cose_of(make_key(RS256, size=1024))


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ({**EC, 3: -35}, "algorithm"),  # ES384, not offered
        ({**EC, 3: -36}, "algorithm"),
        ({**EC, 3: -8}, "algorithm"),
        ({**EC, 3: -257}, "algorithm"),
        ({**EC, 3: -65535}, "algorithm"),  # RSA with SHA-1
        ({**EC, 3: 0}, "malformed"),
        ({**EC, 3: "ES256"}, "algorithm"),
        ({**EC, 3: -7.0}, "algorithm"),
        ({**EC, -1: 2}, "algorithm"),
        ({**EC, -1: 6}, "algorithm"),
        ({**EC, 1: 1}, "algorithm"),
        ({**EC, 1: 3}, "algorithm"),
        ({**EC, 1: 99}, "malformed"),
        ({**EC, -2: b"\x00" * 31 + b"\x05"}, "malformed"),  # on no curve
        ({**EC, -2: b"\x00" * 32, -3: b"\x00" * 32}, "malformed"),
        ({**EC, -2: b"\x01" * 33}, "algorithm"),
        ({**EC, -2: b""}, "malformed"),
        ({**EC, -2: "x" * 32}, "algorithm"),
        ({**EC, -3: True}, "algorithm"),  # a compressed point
        ({k: v for k, v in EC.items() if k != -3}, "malformed"),
        ({**ED, 3: -7}, "algorithm"),
        ({**ED, -1: 1}, "algorithm"),
        ({**ED, -1: 7}, "algorithm"),  # Ed448
        ({**ED, -2: b"\x01" * 31}, "algorithm"),
        ({**RSA, 3: -7}, "algorithm"),
        ({**RSA, 3: -37}, "algorithm"),  # PSS
        ({**RSA, 3: -258}, "algorithm"),
        ({**RSA, -2: b"\x03"}, "algorithm"),
        ({**RSA, -2: b"\x01"}, "algorithm"),
        ({**RSA, -2: b"\xff" * 256}, "algorithm"),
        ({**RSA, -1: 65537}, "algorithm"),
        ({**RSA, -1: b"\xff" * 600}, "algorithm"),
        (WEAK, "algorithm"),
        ({1: 7, 3: -48, -1: b"x" * 900}, "algorithm"),
        ({1: 7, 3: -7, -1: b"x" * 900}, "algorithm"),  # ML-DSA that says ES256
        ({**EC, 99: b"x" * 1000}, "malformed"),
        ({}, "malformed"),
        ([], "malformed"),
        (b"x" * 70, "malformed"),
        (4, "malformed"),
    ],
)
def test_a_key_that_a_passkey_may_not_have(key: object, reason: str) -> None:
    check_rejected(reason, make, public_key=cbor(key))


def test_a_raw_point_as_u2f_has_it() -> None:
    x, y = EC[-2], EC[-3]
    assert isinstance(x, bytes)
    assert isinstance(y, bytes)
    check_rejected("malformed", make, public_key=b"\x04" + x + y)


def test_a_key_with_a_member_twice() -> None:
    twice = b"\xa6" + cbor(EC)[1:] + cbor(3) + cbor(-257)
    check_rejected("malformed", make, public_key=twice)


# --- the attestation ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fmt", "statement"),
    [
        ("fido-u2f", {"sig": b"x", "x5c": [b"x"]}),
        ("packed", {"alg": -7, "sig": b"x", "x5c": [b"x"]}),
        ("packed", {"alg": -7, "sig": b"x", "ecdaaKeyId": b"x"}),
        ("packed", {"alg": -7}),
        ("packed", {"alg": -7, "sig": b""}),
        ("packed", {"alg": -7, "sig": b"wrong"}),
        ("packed", {"alg": -257, "sig": b"wrong"}),
        ("packed", {"alg": -7, "sig": "text"}),
        ("packed", {}),
        ("tpm", {"ver": "2.0", "alg": -65535, "x5c": [b"x"], "certInfo": b"", "pubArea": b""}),
        ("android-key", {"alg": -7, "sig": b"x", "x5c": [b"x"]}),
        ("android-safetynet", {"ver": "1", "response": b"x.y.z"}),
        ("apple", {"x5c": [b"x"]}),
        ("compound", {}),
        ("none", {"alg": -7}),
        ("none", {"unknown": 1}),
        ("None", {}),
        ("", {}),
        (None, {}),
        (1, {}),
        (["none"], {}),
    ],
)
def test_another_attestation_is_neither_verified_nor_taken(fmt: object, statement: object) -> None:
    check_rejected("attestation", make, fmt=fmt, statement=statement)


def test_self_attestation_with_another_key() -> None:
    other = Authenticator()
    made = other.create(CREATION, origin=ORIGIN, fmt="packed")
    signed = cbor2.loads(unb64(made["response"]["attestationObject"]))["attStmt"]
    check_rejected("attestation", make, fmt="packed", statement=signed)


GOOD_DATA = unb64(Authenticator().create(CREATION, origin=ORIGIN)["response"]["authenticatorData"])


@pytest.mark.parametrize(
    "attestation",
    [
        b"\x00",
        b"\xf6",
        b"\xff",
        cbor([]),
        cbor({}),
        cbor({"fmt": "none", "attStmt": {}}),
        cbor({"fmt": "none", "authData": GOOD_DATA}),
        cbor({"attStmt": {}, "authData": GOOD_DATA}),
        cbor({"fmt": "none", "attStmt": [], "authData": GOOD_DATA}),
        cbor({"fmt": "none", "attStmt": {}, "authData": "text"}),
        cbor({"fmt": "none", "attStmt": {}, "authData": GOOD_DATA, "more": 1}),
        cbor({"fmt": "none", "attStmt": {}, "authData": GOOD_DATA}) + b"\x00",
        cbor({"fmt": "none", "attStmt": {}, "authData": GOOD_DATA})[:-1],
        b"\xbf\x63fmt\x64none\xff",
        b"\x81" * 10_000,
        b"\xa1" * 10_000,
        b"\x9f" * 10_000,
        b"\xd9\xd9\xf7" * 3_000,
        b"\x9b" + b"\xff" * 8,
        b"\x5b" + b"\xff" * 8,
        b"\x9a\x00\xff\xff\xff" + b"\x00" * 10_000,
        b"\x99\x27\x10" + b"\x00" * 10_000,
        b"\xc2\x59\x20\x00" + b"\xff" * 8192,
        b"\xa2\x63fmt\x64none\x63fmt\x64none",
    ],
)
def test_cbor_that_is_something_else_or_a_bomb(attestation: bytes) -> None:
    check_rejected("malformed", make, attestation_object=attestation)


def test_ids_at_their_bound() -> None:
    authenticator = Authenticator()
    new = make(authenticator, id=b"x" * 1023)
    assert len(new.id) == 1023
    answer(authenticator, make_passkey("jo", id=new.id, public_key=new.public_key))
    made = authenticator.create(CREATION, origin=ORIGIN)
    signed = {**made, "id": b64(b"other"), "rawId": b64(b"other")}
    with pytest.raises(Rejected, match="malformed"):
        verify_attestation(read_attestation(signed), challenge=CHALLENGE, party=PARTY)
    # 1,024 bytes in what was signed, under an id that the reader takes.
    longer = authenticator.create(CREATION, origin=ORIGIN, id=b"x" * 1024)
    shown = {**longer, "id": b64(b"x" * 1023), "rawId": b64(b"x" * 1023)}
    with pytest.raises(Rejected, match="malformed"):
        verify_attestation(read_attestation(shown), challenge=CHALLENGE, party=PARTY)


@pytest.mark.parametrize(
    "key",
    [b"", b"\xff", cbor([]), cbor({1: 2}), cbor({**EC, -3: b"x" * 32})],
    ids=["empty", "broken", "array", "incomplete", "off-curve"],
)
def test_a_key_that_was_damaged_where_it_is_kept(key: bytes) -> None:
    authenticator = Authenticator()
    check_rejected("malformed", answer, authenticator, keep(authenticator, public_key=key))


# --- an answer whose passkey is nobody's --------------------------------------------------------


def test_the_context_of_an_answer_is_checked_without_its_passkey() -> None:
    authenticator = Authenticator()
    keep(authenticator)

    def check(**false: Any) -> None:
        answered = authenticator.get(REQUEST, **{"origin": ORIGIN, **false})
        check_context(read_assertion(answered), challenge=CHALLENGE, party=PARTY)

    check(signature=b"any")
    check_rejected("origin", check, origin="https://evil.example")
    check_rejected("rp_id", check, rp_id="evil.example")
    check_rejected("challenge", check, client_data={"challenge": b64(bytes(32))})
    check_rejected("type", check, client_data={"type": "webauthn.create"})
    check_rejected("cross_origin", check, client_data={"crossOrigin": True})
    check_rejected("malformed", check, auth_data=b"x")
