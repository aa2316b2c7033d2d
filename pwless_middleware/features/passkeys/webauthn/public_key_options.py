"""What a browser is asked, in the JSON form of WebAuthn Level 3 (§5.1.9 and §5.1.10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Final, Literal

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.features.passkeys.ceremonies.ceremonies import Ceremony

UserVerification = Literal["required", "preferred"]

ALGORITHMS: Final = (-7, -8, -257)
"""ES256, EdDSA and RS256 (RFC 9053, RFC 8812), the one that most devices have first."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a caller is given to ask a browser with.

    Attributes:
        ceremony_id: what comes back with the browser's answer.
        expires_at: unix seconds.
        options: for `PublicKeyCredential.parseRequestOptionsFromJSON`, or where a passkey is to be
            made `parseCreationOptionsFromJSON`.
    """

    ceremony_id: str = field(repr=False)
    expires_at: int
    options: Mapping[str, object] = field(repr=False)

    def to_json(self, now: int) -> dict[str, object]:
        """Return the answer of the JSON API; `now` is unix seconds."""
        return {
            "ceremony_id": self.ceremony_id,
            "expires_at": str(self.expires_at),
            "expires_in": self.expires_at - now,
            "options": dict(self.options),
        }


def request_options(
    ceremony: Ceremony,
    *,
    rp_id: str,
    now: int,
    user_verification: UserVerification,
    passkeys: Iterable[Passkey] = (),
) -> dict[str, object]:
    """Return the options for an answer with a passkey.

    Args:
        ceremony: the challenge.
        rp_id: the relying party's id.
        now: unix seconds.
        user_verification: whether the authenticator has to check who holds it.
        passkeys: those that will do; none (default) asks for any that the browser has, so that the
            options are the same for everybody (security rule 35).
    """
    return {
        "challenge": b64(ceremony.challenge),
        "timeout": (ceremony.expires_at - now) * 1000,
        "rpId": rp_id,
        "allowCredentials": [_describe(passkey) for passkey in passkeys],
        "userVerification": user_verification,
    }


def creation_options(
    ceremony: Ceremony,
    *,
    rp_id: str,
    rp_name: str,
    now: int,
    user_verification: UserVerification,
    user_name: str,
    display_name: str,
    passkeys: Iterable[Passkey],
) -> dict[str, object]:
    """Return the options for a new passkey, which the authenticator itself finds by the host.

    Args:
        ceremony: the challenge, with the person's user handle.
        rp_id: the relying party's id.
        rp_name: how the site is called.
        now: unix seconds.
        user_verification: whether the authenticator has to check who holds it.
        user_name: by which the browser shows whose it is: the address.
        display_name: what the person is called.
        passkeys: those that the person has: no authenticator makes a second one.
    """
    return {
        "rp": {"id": rp_id, "name": rp_name},
        "user": {
            "id": b64(ceremony.user_handle),
            "name": user_name,
            "displayName": display_name,
        },
        "challenge": b64(ceremony.challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in ALGORITHMS],
        "timeout": (ceremony.expires_at - now) * 1000,
        "excludeCredentials": [_describe(passkey) for passkey in passkeys],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": user_verification,
        },
        "attestation": "none",
        "extensions": {"credProps": True},
    }


def _describe(passkey: Passkey) -> dict[str, object]:
    return {
        "type": "public-key",
        "id": b64(passkey.id),
        "transports": list(passkey.transports),
    }
