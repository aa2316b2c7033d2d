"""The browser's JSON is read strictly: each field × wrong type, size, encoding is named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.passkeys.webauthn.credentials import (
    MAX_ATTESTATION_OBJECT,
    MAX_AUTHENTICATOR_DATA,
    MAX_CLIENT_DATA,
    MAX_SIGNATURE,
    MAX_USER_HANDLE,
    read_assertion,
    read_attestation,
)
from tests.features.passkeys.authenticator import Authenticator, b64, unb64
from tests.features.passkeys.webauthn.test_verification import CREATION, ORIGIN, REQUEST

_AUTHENTICATOR = Authenticator()
MADE = _AUTHENTICATOR.create(CREATION, origin=ORIGIN)
ANSWERED = _AUTHENTICATOR.get(REQUEST, origin=ORIGIN)
READERS: list[tuple[Callable[[object], object], dict[str, Any]]] = [
    (read_assertion, ANSWERED),
    (read_attestation, MADE),
]
FIELDS = [
    (read_assertion, ANSWERED, "id", 1023),
    (read_assertion, ANSWERED, "response.clientDataJSON", MAX_CLIENT_DATA),
    (read_assertion, ANSWERED, "response.authenticatorData", MAX_AUTHENTICATOR_DATA),
    (read_assertion, ANSWERED, "response.signature", MAX_SIGNATURE),
    (read_assertion, ANSWERED, "response.userHandle", MAX_USER_HANDLE),
    (read_attestation, MADE, "id", 1023),
    (read_attestation, MADE, "response.clientDataJSON", MAX_CLIENT_DATA),
    (read_attestation, MADE, "response.attestationObject", MAX_ATTESTATION_OBJECT),
]
WRONG: list[tuple[object, str]] = [
    (None, "required"),
    (1, "string"),
    (1.5, "string"),
    (True, "string"),
    (["YQ"], "string"),
    ({"0": 97}, "string"),
    (b"YQ", "string"),
    ("", "size"),
    ("YQ==", "base64url"),
    ("YR", "base64url"),  # YQ with a bit that stands for nothing
    ("Y", "base64url"),
    ("Y Q", "base64url"),
    ("YQ\n", "base64url"),
    ("+/+/", "base64url"),
    ("YQ.YQ", "base64url"),
    ("ÝQ", "base64url"),
    ("\ud800", "base64url"),
    ("\x00", "base64url"),
]


def replace(credential: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a credential in which a member is another; `...` leaves it out."""
    changed = copy.deepcopy(credential)
    *outer, name = path.split(".")
    place = changed[outer[0]] if outer else changed
    if value is ...:
        del place[name]
    else:
        place[name] = value
    if name == "id":
        changed["rawId"] = value if value is not ... else changed["rawId"]
    return changed


def violations(read: Callable[[object], object], value: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidArgument) as caught:
        read(value)
    return [(bad.field, bad.constraint) for bad in caught.value.violations]


def test_what_is_good_is_read() -> None:
    assertion = read_assertion(ANSWERED)
    response = ANSWERED["response"]
    assert assertion.id == unb64(ANSWERED["id"])
    assert assertion.client_data == unb64(response["clientDataJSON"])
    assert assertion.authenticator_data == unb64(response["authenticatorData"])
    assert assertion.signature == unb64(response["signature"])
    assert assertion.user_handle == unb64(response["userHandle"])
    attestation = read_attestation(MADE)
    assert attestation.attestation_object == unb64(MADE["response"]["attestationObject"])
    assert attestation.transports == ("hybrid", "internal")


@pytest.mark.parametrize(("value", "constraint"), WRONG)
@pytest.mark.parametrize(("read", "good", "path", "most"), FIELDS)
def test_a_field_of_another_type_size_or_encoding(
    read: Callable[[object], object],
    good: dict[str, Any],
    path: str,
    most: int,
    value: object,
    constraint: str,
) -> None:
    if path == "response.userHandle" and value is None:
        return  # a browser may write that there is none
    bad = dict(violations(read, replace(good, path, value)))
    assert bad.pop(f"credential.{path}") == constraint
    assert bad in ({}, {"credential.rawId": constraint})


@pytest.mark.parametrize(("read", "good", "path", "most"), FIELDS)
def test_a_field_at_its_bound(
    read: Callable[[object], object], good: dict[str, Any], path: str, most: int
) -> None:
    read(replace(good, path, b64(b"x" * most)))
    for longer in (b64(b"x" * (most + 1)), "A" * 1_000_000):
        bad = dict(violations(read, replace(good, path, longer)))
        assert bad[f"credential.{path}"] == "size"


@pytest.mark.parametrize(("read", "good", "path", "most"), FIELDS)
def test_a_field_that_is_missing(
    read: Callable[[object], object], good: dict[str, Any], path: str, most: int
) -> None:
    changed = replace(good, path, ...)
    if path == "response.userHandle":
        assert read_assertion(changed).user_handle is None
    else:
        assert violations(read, changed) == [(f"credential.{path}", "required")]


@pytest.mark.parametrize(("read", "good"), READERS)
@pytest.mark.parametrize(
    ("path", "value", "constraint"),
    [
        ("type", ..., "required"),
        ("type", None, "required"),
        ("type", 1, "string"),
        ("type", ["public-key"], "string"),
        ("type", "password", "enum"),
        ("type", "PUBLIC-KEY", "enum"),
        ("rawId", ..., "required"),
        ("rawId", 1, "string"),
        ("rawId", b64(b"another"), "same"),
        pytest.param("rawId", ANSWERED["id"] + "==", "base64url", id="rawId-padded"),
        ("response", ..., "required"),
        ("response", None, "required"),
        ("response", "{}", "object"),
        ("response", [], "object"),
        ("response", 0, "object"),
    ],
)
def test_what_a_credential_is_made_of(
    read: Callable[[object], object],
    good: dict[str, Any],
    path: str,
    value: object,
    constraint: str,
) -> None:
    assert (f"credential.{path}", constraint) in violations(read, replace(good, path, value))


@pytest.mark.parametrize(("read", "good"), READERS)
@pytest.mark.parametrize(
    ("value", "constraint"),
    [(None, "required"), ([], "object"), ("{}", "object"), (1, "object"), (b"{}", "object")],
)
def test_no_credential(
    read: Callable[[object], object], good: object, value: object, constraint: str
) -> None:
    assert violations(read, value) == [("credential", constraint)]


@pytest.mark.parametrize(
    ("value", "constraint"),
    [
        ("usb", "array"),
        (1, "array"),
        ({"usb": True}, "array"),
        (["usb", 1], "array"),
        ([None], "array"),
        ([["usb"]], "array"),
        (["USB"], "transports"),
        ([""], "transports"),
        (["usb\n"], "transports"),
        (["x" * 33], "transports"),
        (["<b>"], "transports"),
        (["usb"] * 17, "transports"),
    ],
)
def test_transports(value: object, constraint: str) -> None:
    bad = violations(read_attestation, replace(MADE, "response.transports", value))
    assert bad == [("credential.response.transports", constraint)]


def test_transports_that_are_not_known_yet_are_kept_once() -> None:
    given = ["usb", "hybrid", "usb", "smart-card", "telepathy"]
    read = read_attestation(replace(MADE, "response.transports", given))
    assert read.transports == ("hybrid", "smart-card", "telepathy", "usb")
    assert read_attestation(replace(MADE, "response.transports", ...)).transports == ()
    assert read_attestation(replace(MADE, "response.transports", None)).transports == ()


@pytest.mark.parametrize(("read", "good"), READERS)
def test_other_members_are_ignored(read: Callable[[object], object], good: dict[str, Any]) -> None:
    more = {"authenticatorAttachment": 5, "clientExtensionResults": [None], "x": {"y": [1]}}
    response = {**good["response"], "publicKey": 1, "more": None}
    assert read({**good, **more, "response": response}) == read(good)


def test_every_bad_field_is_named_at_once() -> None:
    bad = violations(read_assertion, {"response": {"signature": 1, "userHandle": ""}})
    assert [field for field, _ in bad] == [
        "credential.type",
        "credential.id",
        "credential.rawId",
        "credential.response.clientDataJSON",
        "credential.response.authenticatorData",
        "credential.response.signature",
        "credential.response.userHandle",
    ]


def test_nothing_of_it_is_shown() -> None:
    """What was signed is of a person's device; logs need none of it (security rule 13)."""
    shown = repr(read_assertion(ANSWERED)) + repr(read_attestation(MADE))
    for secret in ("signature", "user_handle", "client_data", "attestation_object"):
        assert secret not in shown
