"""Verify what an authenticator signed (WebAuthn Level 3 §7.1 and §7.2; security rules 30 to 33).

The library verifies all of it. Before it come the checks that it does not make, or makes less
strictly; they bound what it parses as well. Who was asked what, and whether the challenge is still
good, is known by then (`ceremonies`). Nothing here asks a store, a clock or the network.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import Final

import cbor2
from cryptography.exceptions import UnsupportedAlgorithm
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers.exceptions import InvalidAuthenticationResponse, WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.passkeys.webauthn.authenticator_data import (
    USER_PRESENT,
    AuthenticatorData,
    read_authenticator_data,
)
from pwless_middleware.features.passkeys.webauthn.cbor import find_end
from pwless_middleware.features.passkeys.webauthn.credentials import Assertion, Attestation
from pwless_middleware.features.passkeys.webauthn.public_keys import (
    ALGORITHMS,
    UnusableKey,
    check_public_key,
)
from pwless_middleware.features.passkeys.webauthn.relying_party import RelyingParty
from pwless_middleware.web.requests.bodies import parse_json

REASONS: Final = (
    "algorithm",
    "attestation",
    "backup_state",
    "challenge",
    "client_data",
    "cross_origin",
    "malformed",
    "not_present",
    "not_verified",
    "origin",
    "rp_id",
    "sign_count",
    "signature",
    "type",
    "unknown",
    "user_handle",
)
"""Why something is rejected: for events, never for who sent it."""

_LIBRARY_FAULTS = (WebAuthnException, UnsupportedAlgorithm, ValueError, TypeError, LookupError)
"""What the library raises, and the two below it. What is deep or huge does not reach them."""


class Rejected(Exception):
    """What was signed is not good.

    Args:
        reason: one of `REASONS`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredential:
    """A passkey that was made, verified.

    Attributes:
        id: the credential's.
        public_key: as a COSE key, of one of the algorithms that we offer.
        sign_count: the first one.
        aaguid: the authenticator's model as the text of a UUID; it may not be true.
        transports: how the authenticator was reached.
        is_synced: whether it can be on several devices (BE).
        is_backed_up: whether it is kept elsewhere as well (BS).
        is_verified: whether the authenticator checked who holds it (UV).
    """

    id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    is_synced: bool
    is_backed_up: bool
    is_verified: bool


@dataclass(frozen=True, slots=True)
class Use:
    """An answer with a passkey, verified.

    Attributes:
        sign_count: the authenticator's count.
        is_backed_up: whether the passkey is kept elsewhere as well, by now (BS).
        is_verified: whether the authenticator checked who holds it (UV).
    """

    sign_count: int
    is_backed_up: bool
    is_verified: bool


def verify_attestation(
    attestation: Attestation,
    *,
    challenge: bytes,
    party: RelyingParty,
    needs_presence: bool = True,
    needs_verification: bool = True,
) -> NewCredential:
    """Verify a passkey that was made.

    Args:
        attestation: what the browser answered.
        challenge: what it was to answer; taken, so that it is answered once.
        party: ours.
        needs_presence: whether somebody must have touched the authenticator (default). Not where a
            browser makes a passkey by itself, after a password manager's login (conditional create,
            WebAuthn Level 3 §7.1).
        needs_verification: whether the authenticator must have checked who holds it (default).

    Raises:
        Rejected: it is not good, and why.
    """
    _check_client_data(attestation.client_data, "webauthn.create", challenge, party)
    data = _read_attestation_object(attestation.attestation_object)
    _check_data(data, party, needs_presence=needs_presence, needs_verification=needs_verification)
    if data.id != attestation.id:
        raise Rejected("malformed")
    try:
        check_public_key(data.public_key)
    except UnusableKey as exc:
        raise Rejected("malformed" if exc.is_malformed else "algorithm") from exc
    response = AuthenticatorAttestationResponse(
        client_data_json=attestation.client_data,
        attestation_object=attestation.attestation_object,
    )
    try:
        found = verify_registration_response(
            credential=RegistrationCredential(
                id=b64(attestation.id), raw_id=attestation.id, response=response
            ),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_presence=needs_presence,
            require_user_verification=needs_verification,
            supported_pub_key_algs=list(ALGORITHMS),
        )
    except _LIBRARY_FAULTS as exc:
        # A self-attestation is the one thing in it that is verified here for the first time.
        raise Rejected("attestation") from exc
    return NewCredential(
        id=data.id,
        public_key=data.public_key,
        sign_count=data.sign_count,
        aaguid=found.aaguid,
        transports=attestation.transports,
        is_synced=data.is_synced,
        is_backed_up=data.is_backed_up,
        is_verified=data.is_verified,
    )


def verify_assertion(
    assertion: Assertion,
    *,
    challenge: bytes,
    party: RelyingParty,
    passkey: Passkey,
    needs_verification: bool = True,
) -> Use:
    """Verify an answer with a passkey.

    Args:
        assertion: what the browser answered.
        challenge: what it was to answer; taken, so that it is answered once.
        party: ours.
        passkey: whose id the answer has, as it is kept.
        needs_verification: whether the authenticator must have checked who holds it (default).

    Raises:
        Rejected: it is not good, and why.
    """
    data = _check_answer(assertion, challenge, party)
    if assertion.id != passkey.id:
        raise Rejected("unknown")
    if passkey.rp_id != party.id:
        raise Rejected("rp_id")
    handle = assertion.user_handle
    if handle is not None and not compare_digest(handle, passkey.user_handle):
        raise Rejected("user_handle")
    _check_data(data, party, needs_presence=True, needs_verification=needs_verification)
    if data.is_synced != passkey.is_synced:
        raise Rejected("backup_state")
    _check_signature(assertion, challenge, party, passkey, needs_verification)
    if not passkey.admits_count(data.sign_count):
        raise Rejected("sign_count")
    return Use(data.sign_count, data.is_backed_up, data.is_verified)


def check_context(assertion: Assertion, *, challenge: bytes, party: RelyingParty) -> None:
    """Check all of an answer that can be checked without its passkey.

    It is for one that we do not have. No signature is verified, so nothing may be concluded but
    that a browser in which our page was open means to answer what it was asked.

    Args:
        assertion: what the browser answered.
        challenge: what it was to answer.
        party: ours.

    Raises:
        Rejected: another challenge, type, origin or relying party id, or it cannot be read.
    """
    _check_answer(assertion, challenge, party)


def _check_answer(assertion: Assertion, challenge: bytes, party: RelyingParty) -> AuthenticatorData:
    _check_client_data(assertion.client_data, "webauthn.get", challenge, party)
    try:
        data = read_authenticator_data(assertion.authenticator_data, is_new=False)
    except ValueError as exc:
        raise Rejected("malformed") from exc
    if data.rp_id_hash != party.id_hash:
        raise Rejected("rp_id")
    return data


def _check_client_data(
    client_data: bytes, type: str, challenge: bytes, party: RelyingParty
) -> None:
    """Check what the browser says of the page that asked (§5.8.1, §7.1 steps 5 to 11)."""
    try:
        found = parse_json(client_data)
    except InvalidArgument as exc:  # no strict JSON: with a key twice, two readers read two things
        raise Rejected("client_data") from exc
    if found.get("type") != type:
        raise Rejected("type")
    told = found.get("challenge")
    # Compared as text, so that of base64's several spellings one is taken.
    if not isinstance(told, str) or not compare_digest(told.encode(), b64(challenge).encode()):
        raise Rejected("challenge")
    if found.get("origin") not in party.origins:
        raise Rejected("origin")
    # An iframe on another's page: whoever is there did not mean to sign in to us.
    if found.get("crossOrigin", False) is not False or "topOrigin" in found:
        raise Rejected("cross_origin")
    binding = found.get("tokenBinding")  # of older browsers; what the library takes of it
    if isinstance(binding, dict) and binding.get("status") not in ("supported", "present"):
        raise Rejected("client_data")


def _check_data(
    data: AuthenticatorData,
    party: RelyingParty,
    *,
    needs_presence: bool,
    needs_verification: bool,
) -> None:
    """Check what the flags say (§7.1 steps 14 to 18, §7.2 steps 16 to 19)."""
    if data.rp_id_hash != party.id_hash:
        raise Rejected("rp_id")
    if needs_presence and not data.flags & USER_PRESENT:
        raise Rejected("not_present")
    if needs_verification and not data.is_verified:
        raise Rejected("not_verified")
    if data.is_backed_up and not data.is_synced:
        raise Rejected("backup_state")


def _read_attestation_object(data: bytes) -> AuthenticatorData:
    """Return the authenticator data of an attestation in one of two formats: none, and self.

    We ask for none (§5.4.7). One that a certificate signs would have to be verified against those
    of its maker, which we have no list of; so it is refused, rather than taken for more than it is.
    """
    try:
        if find_end(data) != len(data):
            raise Rejected("malformed")
        found = cbor2.loads(data, allow_duplicate_keys=False)
    except (cbor2.CBORDecodeError, ValueError, TypeError, LookupError) as exc:
        raise Rejected("malformed") from exc
    if not isinstance(found, dict) or found.keys() != {"fmt", "attStmt", "authData"}:
        raise Rejected("malformed")
    fmt, statement, auth_data = found["fmt"], found["attStmt"], found["authData"]
    if not isinstance(statement, dict) or not isinstance(auth_data, bytes):
        raise Rejected("malformed")
    is_none = fmt == "none" and not statement
    is_self = fmt == "packed" and statement.keys() == {"alg", "sig"}
    if not is_none and not (is_self and isinstance(statement["sig"], bytes)):
        raise Rejected("attestation")
    try:
        return read_authenticator_data(auth_data, is_new=True)
    except ValueError as exc:
        raise Rejected("malformed") from exc


def _check_signature(
    assertion: Assertion,
    challenge: bytes,
    party: RelyingParty,
    passkey: Passkey,
    needs_verification: bool,
) -> None:
    """Let the library verify the whole answer."""
    response = AuthenticatorAssertionResponse(
        client_data_json=assertion.client_data,
        authenticator_data=assertion.authenticator_data,
        signature=assertion.signature,
    )
    credential = AuthenticationCredential(
        id=b64(assertion.id), raw_id=assertion.id, response=response
    )
    try:
        verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # ours is the rule (`Passkey.admits_count`)
            require_user_verification=needs_verification,
        )
    except InvalidAuthenticationResponse as exc:
        raise Rejected("signature") from exc
    except _LIBRARY_FAULTS as exc:
        raise Rejected("malformed") from exc
