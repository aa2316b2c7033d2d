"""A software authenticator and the browser in front of it, in which everything can be false.

    authenticator = Authenticator()
    made = authenticator.create(options, origin="https://app.example.com")
    answered = authenticator.get(options, origin="https://app.example.com")

`options` is the JSON that the server sends, what comes back is what `PublicKeyCredential.toJSON()`
gives (WebAuthn Level 3 §5.1). Without more it does what a good one does; each keyword makes one
thing false, and the signature is then made over what is false, so that it alone never is what is
refused.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

ES256, EDDSA, RS256 = -7, -8, -257
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
AAGUID = bytes.fromhex("ea9b8d664d011d213ce4b6b48cb575d4")
"""Google Password Manager's."""


class NotAllowed(Exception):
    """The browser's `NotAllowedError`: no passkey here, or nobody who could be verified."""


class InvalidState(Exception):
    """The browser's `InvalidStateError`: the person has a passkey here already."""


@dataclass
class SoftPasskey:
    """A passkey with its private half."""

    id: bytes
    key: PrivateKey = field(repr=False)
    rp_id: str
    user_handle: bytes
    sign_count: int

    @property
    def algorithm(self) -> int:
        return algorithm_of(self.key)

    @property
    def public_key(self) -> bytes:
        """The public half as a COSE key."""
        return cbor(cose_of(self.key))


class Authenticator:
    """Keep passkeys, make them and answer with them.

    Args:
        algorithms: those that it can, the one it likes best first.
        is_synced: whether its passkeys go to other devices (BE).
        is_backed_up: whether they are there by now (BS); `None` as `is_synced`.
        verifies: whether it can check who holds it.
        counts: whether it counts its signatures.
        aaguid: its model, 16 bytes.
        transports: how it is reached.
    """

    def __init__(
        self,
        *,
        algorithms: Sequence[int] = (ES256, EDDSA, RS256),
        is_synced: bool = True,
        is_backed_up: bool | None = None,
        verifies: bool = True,
        counts: bool = False,
        aaguid: bytes = AAGUID,
        transports: Sequence[str] = ("internal", "hybrid"),
    ) -> None:
        self.algorithms = tuple(algorithms)
        self.is_synced = is_synced
        self.is_backed_up = is_synced if is_backed_up is None else is_backed_up
        self.verifies = verifies
        self.counts = counts
        self.aaguid = aaguid
        self.transports = list(transports)
        self.passkeys: list[SoftPasskey] = []

    def create(
        self,
        options: Mapping[str, Any],
        *,
        origin: str,
        client_data: Mapping[str, object] | None = None,
        client_data_bytes: bytes | None = None,
        rp_id: str | None = None,
        flags: int | None = None,
        sign_count: int | None = None,
        id: bytes | None = None,
        key: PrivateKey | None = None,
        public_key: bytes | None = None,
        aaguid: bytes | None = None,
        extensions: bytes = b"",
        tail: bytes = b"",
        auth_data: bytes | None = None,
        fmt: object = "none",
        statement: object = None,
        attestation_object: bytes | None = None,
        is_conditional: bool = False,
    ) -> dict[str, Any]:
        """Make a passkey, and say so as a browser does.

        Args:
            options: `PublicKeyCredentialCreationOptionsJSON`.
            origin: of the page that asks.
            client_data: members that replace those of the client data; `...` leaves one out.
            client_data_bytes: all of it instead.
            rp_id: whose hash the authenticator signs; `None` is that of the options.
            flags: all of them (see above), but AT and ED, which are as the data is.
            sign_count: the first count.
            id: the credential's, instead of 16 random bytes.
            key: the key pair, instead of one of the first algorithm that both can.
            public_key: what is said to be the COSE key.
            aaguid: the model.
            extensions: outputs of extensions, as CBOR.
            tail: bytes behind the authenticator data.
            auth_data: all of the authenticator data.
            fmt: the attestation's format; "packed" without `statement` is signed with the key.
            statement: the attestation's statement; `None` is the right one.
            attestation_object: all of the attestation.
            is_conditional: a browser makes it by itself: nobody was asked, so no UP and no UV.

        Raises:
            InvalidState: it has one of `excludeCredentials`.
            NotAllowed: nobody can be verified, or there is no common algorithm.
        """
        party = options["rp"]["id"]
        excluded = {unb64(one["id"]) for one in options.get("excludeCredentials", ())}
        if any(p.id in excluded and p.rp_id == party for p in self.passkeys):
            raise InvalidState
        wanted = options.get("authenticatorSelection", {}).get("userVerification")
        if wanted == "required" and not self.verifies and flags is None and not is_conditional:
            raise NotAllowed
        if key is None:
            offered = [one["alg"] for one in options["pubKeyCredParams"]]
            common = [one for one in self.algorithms if one in offered]
            if not common:
                raise NotAllowed
            key = make_key(common[0])
        passkey = SoftPasskey(
            id=secrets.token_bytes(16) if id is None else id,
            key=key,
            rp_id=party,
            user_handle=unb64(options["user"]["id"]),
            sign_count=(1 if self.counts else 0) if sign_count is None else sign_count,
        )
        collected = client_data_bytes
        if collected is None:
            collected = _collect("webauthn.create", options, origin, client_data)
        data = auth_data
        if data is None:
            told = public_key if public_key is not None else passkey.public_key
            model = self.aaguid if aaguid is None else aaguid
            attested = model + len(passkey.id).to_bytes(2, "big") + passkey.id + told
            given = self._flags(is_present=not is_conditional) if flags is None else flags
            data = _auth_data(rp_id or party, given | AT, passkey.sign_count, attested, extensions)
            data += tail
        if statement is None:
            statement = {}
            if fmt == "packed":
                signature = sign(passkey.key, data + sha256(collected).digest())
                statement = {"alg": passkey.algorithm, "sig": signature}
        if attestation_object is None:
            attestation_object = cbor({"fmt": fmt, "attStmt": statement, "authData": data})
        self.passkeys.append(passkey)
        return _credential(
            passkey.id,
            {
                "clientDataJSON": b64(collected),
                "attestationObject": b64(attestation_object),
                "authenticatorData": b64(data),
                "transports": self.transports,
                "publicKeyAlgorithm": passkey.algorithm,
            },
            {"credProps": {"rk": True}},
        )

    def get(
        self,
        options: Mapping[str, Any],
        *,
        origin: str,
        passkey: SoftPasskey | None = None,
        client_data: Mapping[str, object] | None = None,
        client_data_bytes: bytes | None = None,
        rp_id: str | None = None,
        flags: int | None = None,
        sign_count: int | None = None,
        id: bytes | None = None,
        user_handle: bytes | None = None,
        has_user_handle: bool = True,
        extensions: bytes = b"",
        tail: bytes = b"",
        auth_data: bytes | None = None,
        signature: bytes | None = None,
    ) -> dict[str, Any]:
        """Answer with a passkey: one that is allowed, the newest if there are several.

        Args:
            options: `PublicKeyCredentialRequestOptionsJSON`.
            passkey: which one; `None` chooses.
            id: what is said to be the credential's id.
            user_handle: what is said to be the user handle; `None` is the passkey's.
            has_user_handle: whether any is said.
            signature: instead of the right one.
            origin, client_data, client_data_bytes, rp_id, flags, sign_count, extensions, tail,
            auth_data: as of `create`.

        Raises:
            NotAllowed: there is none, or nobody can be verified.
        """
        party = options["rpId"]
        allowed = {unb64(one["id"]) for one in options.get("allowCredentials", ())}
        found = [p for p in self.passkeys if p.rp_id == party and (not allowed or p.id in allowed)]
        if passkey is None:
            if not found:
                raise NotAllowed
            passkey = found[-1]
        if options.get("userVerification") == "required" and not self.verifies and flags is None:
            raise NotAllowed
        if self.counts:
            passkey.sign_count += 1
        count = passkey.sign_count if sign_count is None else sign_count
        collected = client_data_bytes
        if collected is None:
            collected = _collect("webauthn.get", options, origin, client_data)
        data = auth_data
        if data is None:
            given = self._flags(is_present=True) if flags is None else flags
            data = _auth_data(rp_id or party, given, count, b"", extensions) + tail
        if signature is None:
            signature = sign(passkey.key, data + sha256(collected).digest())
        response = {
            "clientDataJSON": b64(collected),
            "authenticatorData": b64(data),
            "signature": b64(signature),
        }
        if has_user_handle:
            response["userHandle"] = b64(
                passkey.user_handle if user_handle is None else user_handle
            )
        return _credential(passkey.id if id is None else id, response, {})

    def _flags(self, *, is_present: bool) -> int:
        flags = UP if is_present else 0
        flags |= UV if is_present and self.verifies else 0
        flags |= BE if self.is_synced else 0
        return flags | (BS if self.is_backed_up else 0)


def make_key(algorithm: int, *, size: int = 2048) -> PrivateKey:
    """Make a key pair for a COSE algorithm; `size` is of RSA, in bits."""
    if algorithm == ES256:
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    return _rsa_key(size)


@cache
def _rsa_key(size: int) -> rsa.RSAPrivateKey:
    """Return the one RSA key of a size: making one takes long."""
    return rsa.generate_private_key(65537, size)


def algorithm_of(key: PrivateKey) -> int:
    """Return the COSE algorithm of a key pair (RFC 9053, RFC 8812)."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ES256
    return EDDSA if isinstance(key, ed25519.Ed25519PrivateKey) else RS256


def cose_of(key: PrivateKey) -> dict[int, object]:
    """Return the public half as the members of a COSE key (RFC 9053 §7)."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        numbers = key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        return {1: 2, 3: ES256, -1: 1, -2: x, -3: y}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return {1: 1, 3: EDDSA, -1: 6, -2: key.public_key().public_bytes_raw()}
    n, e = key.public_key().public_numbers().n, key.public_key().public_numbers().e
    return {1: 3, 3: RS256, -1: n.to_bytes(n.bit_length() // 8, "big"), -2: e.to_bytes(3, "big")}


def sign(key: PrivateKey, data: bytes) -> bytes:
    """Sign as an authenticator does."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(hashes.SHA256()))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def cbor(value: object) -> bytes:
    """Write CBOR in CTAP2's canonical form."""
    return cbor2.dumps(value, canonical=True)


def b64(data: bytes) -> str:
    """Write base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Read base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _collect(
    type: str,
    options: Mapping[str, Any],
    origin: str,
    changes: Mapping[str, object] | None,
) -> bytes:
    """Return the client data, in the order in which browsers write it (§5.8.1.1)."""
    members: dict[str, object] = {
        "type": type,
        "challenge": options["challenge"],
        "origin": origin,
        "crossOrigin": False,
    }
    members |= changes or {}
    kept = {name: value for name, value in members.items() if value is not ...}
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def _auth_data(rp_id: str, flags: int, count: int, attested: bytes, extensions: bytes) -> bytes:
    """Return authenticator data (§6.1)."""
    flags |= ED if extensions else 0
    head = sha256(rp_id.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")
    return head + attested + extensions


def _credential(
    id: bytes, response: Mapping[str, object], extensions: Mapping[str, object]
) -> dict[str, Any]:
    """Return what `toJSON()` gives."""
    return {
        "id": b64(id),
        "rawId": b64(id),
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "response": dict(response),
        "clientExtensionResults": dict(extensions),
    }
