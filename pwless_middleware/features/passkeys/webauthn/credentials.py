"""Strict readers of what a browser answers: `PublicKeyCredential.toJSON()` (WebAuthn L3 §5.1).

Read is the shape alone: types, sizes, and base64url in its one spelling. What the bytes say is
judged in `verification`, after the challenge was taken. Members that we do not need are ignored, as
the standard has it; so are the outputs of extensions, which anybody between us and the
authenticator may write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import unb64
from pwless_middleware.core.people.passkey import MAX_ID_BYTES
from pwless_middleware.errors import FieldViolation, InvalidArgument
from pwless_middleware.text import Text

MAX_CLIENT_DATA: Final = 4096
"""Bytes. Browsers send some 150, of which most is the origin, and may add members."""
MAX_AUTHENTICATOR_DATA: Final = 2048
"""Bytes. Without extensions an answer has 37 (§6.1)."""
MAX_SIGNATURE: Final = 1024
"""Bytes. RSA with 4096 bits has 512, all others have fewer."""
MAX_ATTESTATION_OBJECT: Final = 11 * 1024
"""Bytes. As text it is just below the 16 KiB of a body; a TPM's attestation has some 5 KiB."""
MAX_USER_HANDLE: Final = 64
"""Bytes (§5.4.3)."""
MAX_TRANSPORTS: Final = 16

_TRANSPORT = re.compile(r"[a-z0-9-]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """An answer with a passkey (`AuthenticatorAssertionResponse`).

    Attributes:
        id: the credential's.
        client_data: what the browser says of the page that asked, as JSON.
        authenticator_data: what the authenticator says.
        signature: over both.
        user_handle: whose the passkey is to the authenticator; `None` if it does not say.
    """

    id: bytes
    client_data: bytes = field(repr=False)
    authenticator_data: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    user_handle: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """A passkey that was made (`AuthenticatorAttestationResponse`).

    Attributes:
        id: the credential's.
        client_data: what the browser says of the page that asked, as JSON.
        attestation_object: what the authenticator says, as CBOR; the public key is in it.
        transports: how the authenticator was reached, in order of the alphabet.
    """

    id: bytes
    client_data: bytes = field(repr=False)
    attestation_object: bytes = field(repr=False)
    transports: tuple[str, ...]


def read_assertion(value: object) -> Assertion:
    """Read an answer with a passkey.

    Args:
        value: the object that `toJSON()` gave.

    Raises:
        InvalidArgument: every field that is missing, or of another type, size or encoding.
    """
    members = _Members(value)
    found = Assertion(
        id=members.read_id(),
        client_data=members.read("clientDataJSON", MAX_CLIENT_DATA),
        authenticator_data=members.read("authenticatorData", MAX_AUTHENTICATOR_DATA),
        signature=members.read("signature", MAX_SIGNATURE),
        user_handle=members.read_optional("userHandle", MAX_USER_HANDLE),
    )
    members.check()
    return found


def read_attestation(value: object) -> Attestation:
    """Read a passkey that was made.

    Args:
        value: the object that `toJSON()` gave.

    Raises:
        InvalidArgument: every field that is missing, or of another type, size or encoding.
    """
    members = _Members(value)
    found = Attestation(
        id=members.read_id(),
        client_data=members.read("clientDataJSON", MAX_CLIENT_DATA),
        attestation_object=members.read("attestationObject", MAX_ATTESTATION_OBJECT),
        transports=members.read_transports(),
    )
    members.check()
    return found


class _Members:
    """The members of a credential, and what is wrong with them."""

    def __init__(self, value: object) -> None:
        self._bad: list[FieldViolation] = []
        self._value = self._object("credential", value)
        self._response = self._object("credential.response", self._value.get("response"))

    def read_id(self) -> bytes:
        """Return the credential's id, which comes twice and must be the same."""
        kind = self._value.get("type")
        if kind != "public-key":
            self._refuse_kind(kind)
        found = self._bytes("credential.id", self._value.get("id"), MAX_ID_BYTES)
        raw = self._bytes("credential.rawId", self._value.get("rawId"), MAX_ID_BYTES)
        if found and raw and found != raw:
            self._refuse("credential.rawId", Text("This must be the same as id."), "same")
        return found

    def read(self, name: str, most: int) -> bytes:
        """Return a member of the response."""
        return self._bytes(f"credential.response.{name}", self._response.get(name), most)

    def read_optional(self, name: str, most: int) -> bytes | None:
        """Return a member of the response; `None` if it is missing or `null`."""
        return None if self._response.get(name) is None else self.read(name, most)

    def read_transports(self) -> tuple[str, ...]:
        """Return how the authenticator is reached; a browser need not say."""
        name, value = "credential.response.transports", self._response.get("transports")
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
            self._refuse(name, Text("This must be an array of strings."), "array")
            return ()
        if len(value) > MAX_TRANSPORTS or not all(_TRANSPORT.fullmatch(text) for text in value):
            self._refuse(name, Text("Send the transports that the browser gives."), "transports")
            return ()
        return tuple(sorted(set(value)))

    def check(self) -> None:
        """Refuse a credential in which something is wrong."""
        if self._bad:
            raise InvalidArgument(self._bad)

    def _object(self, name: str, value: object) -> Mapping[str, object]:
        if not isinstance(value, Mapping):
            raise InvalidArgument([*self._bad, _no_object(name, value)])
        return value

    def _bytes(self, name: str, value: object, most: int) -> bytes:
        if value is None:
            self._refuse(name, Text("This field is required."), "required")
        elif not isinstance(value, str):
            self._refuse(name, Text("This must be a string."), "string")
        elif not value or len(value) > (most * 4 + 2) // 3:
            self._refuse(
                name, Text("Send %(least)s to %(most)s bytes.", least=1, most=most), "size"
            )
        else:
            data = unb64(value)
            if data is not None:
                return data
            self._refuse(name, Text("Send base64url without padding."), "base64url")
        return b""

    def _refuse_kind(self, kind: object) -> None:
        if kind is None:
            self._refuse("credential.type", Text("This field is required."), "required")
        elif not isinstance(kind, str):
            self._refuse("credential.type", Text("This must be a string."), "string")
        else:
            names = Text("Send one of %(names)s.", names="public-key")
            self._refuse("credential.type", names, "enum")

    def _refuse(self, name: str, description: str, constraint: str) -> None:
        self._bad.append(FieldViolation(name, description, constraint))


def _no_object(name: str, value: object) -> FieldViolation:
    if value is None:
        return FieldViolation(name, Text("This field is required."), "required")
    return FieldViolation(name, Text("This must be an object."), "object")
