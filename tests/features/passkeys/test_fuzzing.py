"""Whatever is sent, out come two errors; and what we take, the library takes as well.

Security rule 31.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers.exceptions import WebAuthnException

from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.passkeys.webauthn.credentials import (
    read_assertion,
    read_attestation,
)
from pwless_middleware.features.passkeys.webauthn.verification import (
    Rejected,
    verify_assertion,
    verify_attestation,
)
from tests.features.passkeys.authenticator import EDDSA, ES256, RS256, Authenticator, b64, unb64
from tests.features.passkeys.webauthn.test_verification import (
    CHALLENGE,
    CREATION,
    ORIGIN,
    PARTY,
    REQUEST,
    keep,
)

AUTHENTICATORS = [Authenticator(algorithms=[algorithm]) for algorithm in (ES256, EDDSA, RS256)]
PASSKEYS = [keep(authenticator) for authenticator in AUTHENTICATORS]
ANSWERED = [authenticator.get(REQUEST, origin=ORIGIN) for authenticator in AUTHENTICATORS]
MADE = [
    authenticator.create(CREATION, origin=ORIGIN, fmt=fmt)
    for authenticator in AUTHENTICATORS
    for fmt in ("none", "packed")
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
EDITS = st.lists(
    st.tuples(st.sampled_from(["set", "flip", "cut", "put"]), st.integers(0, 600), st.binary()),
    max_size=3,
)


def edit(data: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    """Change bytes here and there."""
    changed = bytearray(data)
    for how, place, given_bytes in edits:
        at = place % (len(changed) or 1)
        if how == "flip" and changed:
            changed[at] ^= 1 << place % 8
        elif how == "set":
            changed[at : at + len(given_bytes)] = given_bytes
        elif how == "cut":
            del changed[at : at + max(1, len(given_bytes))]
        else:
            changed[at:at] = given_bytes
    return bytes(changed)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_an_answer_that_was_changed(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(ANSWERED) - 1))
    passkey, good = PASSKEYS[number], ANSWERED[number]
    name = data.draw(st.sampled_from(["clientDataJSON", "authenticatorData", "signature"]))
    changed = edit(unb64(good["response"][name]), data.draw(EDITS))
    sent = {**good, "response": {**good["response"], name: b64(changed)}}
    try:
        verify_assertion(read_assertion(sent), challenge=CHALLENGE, party=PARTY, passkey=passkey)
    except (InvalidArgument, Rejected):
        return
    found = verify_authentication_response(
        credential=sent,
        expected_challenge=CHALLENGE,
        expected_rp_id=PARTY.id,
        expected_origin=ORIGIN,
        credential_public_key=passkey.public_key,
        credential_current_sign_count=0,
        require_user_verification=True,
    )
    assert found.user_verified
    assert sent == good


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_a_new_passkey_that_was_changed(data: st.DataObject) -> None:
    """What is not signed may be another: then the library and we read the same of it."""
    good = data.draw(st.sampled_from(MADE))
    name = data.draw(st.sampled_from(["clientDataJSON", "attestationObject", "authData"]))
    response = good["response"]
    if name == "authData":
        whole = cbor2.loads(unb64(response["attestationObject"]))
        whole["authData"] = edit(whole["authData"], data.draw(EDITS))
        changed = {"attestationObject": b64(cbor2.dumps(whole))}
    else:
        changed = {name: b64(edit(unb64(response[name]), data.draw(EDITS)))}
    sent = {**good, "response": {**response, **changed}}
    try:
        new = verify_attestation(read_attestation(sent), challenge=CHALLENGE, party=PARTY)
    except (InvalidArgument, Rejected):
        return
    found = verify_registration_response(
        credential=sent,
        expected_challenge=CHALLENGE,
        expected_rp_id=PARTY.id,
        expected_origin=ORIGIN,
        require_user_verification=True,
    )
    assert (new.id, new.sign_count, new.aaguid) == (
        found.credential_id,
        found.sign_count,
        found.aaguid,
    )
    assert cbor2.loads(new.public_key) == cbor2.loads(found.credential_public_key)
    assert new.is_backed_up is found.credential_backed_up


@settings(max_examples=100, deadline=None)
@given(value=JSON, place=st.sampled_from(["", "id", "rawId", "type", "response", *"abcdef"]))
def test_any_json(value: Any, place: str) -> None:
    inner = ["clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject"]
    for read, good in ((read_assertion, ANSWERED[0]), (read_attestation, MADE[0])):
        if not place:
            sent: object = value
        elif len(place) == 1:
            name = [*inner, "transports"]["abcdef".index(place)]
            sent = {**good, "response": {**good["response"], name: value}}
        else:
            sent = {**good, place: value}
        with suppress(InvalidArgument):
            read(sent)


def test_the_library_alone_takes_what_we_refuse() -> None:
    """That is why we check before it; if this fails, a check of ours may be needless by now."""
    authenticator, passkey = AUTHENTICATORS[0], PASSKEYS[0]
    twice = unb64(ANSWERED[0]["response"]["clientDataJSON"])[:-1] + b',"type":"webauthn.get"}'
    false_ones: list[dict[str, Any]] = [
        {"client_data": {"crossOrigin": True}},
        {"client_data": {"topOrigin": "https://evil.example"}},
        {"client_data_bytes": twice},
    ]
    for false in false_ones:
        sent = authenticator.get(REQUEST, origin=ORIGIN, passkey=authenticator.passkeys[0], **false)
        with pytest.raises(Rejected):
            verify_assertion(
                read_assertion(sent), challenge=CHALLENGE, party=PARTY, passkey=passkey
            )
        try:
            verify_authentication_response(
                credential=sent,
                expected_challenge=CHALLENGE,
                expected_rp_id=PARTY.id,
                expected_origin=ORIGIN,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=0,
            )
        except WebAuthnException as error:
            pytest.fail(f"{false}: {error}")
