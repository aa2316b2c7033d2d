"""Verify an ID token (OpenID Connect Core 1.0 section 3.1.3.7, security rule 51).

signature   by a key of this provider, by an algorithm of the list
iss         the issuer that is set
aud, azp    this deployment's client
exp, iat    now, give or take a minute
nonce       of this login
sub         somebody
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError

from pwless_middleware.core.control_characters import CONTROL
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.organizations.connection import SUBJECT_LENGTH
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.oidc.keys import ALGORITHMS, ED25519, ProviderKey, ProviderKeys
from pwless_middleware.features.sso.oidc.requests import read_object
from pwless_middleware.features.sso.oidc.settings import TENANT

LEEWAY: Final = 60
"""Seconds that the clocks of both servers may differ."""
MOST_CHARACTERS: Final = 65_536
"""Of a token. Entra puts up to 200 groups into one, some 8 KiB."""
_MOST_TRIED: Final = 8
"""Keys that are tried where the token does not say which it is signed with."""
_TENANT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SUBJECT: Final = re.compile(rf"[^{CONTROL}]{{1,{SUBJECT_LENGTH}}}")
_HASHES: Final[Mapping[str, Callable[[bytes], Any]]] = {
    "256": hashlib.sha256,
    "384": hashlib.sha384,
    "512": hashlib.sha512,
}
"""Of the access token, by the number in the algorithm's name; Ed25519's has none."""


class _Registry(jws.JWSRegistry):
    """What the library is to take: our algorithms, and headers as they are in the field."""

    max_header_length = 16_384  # some put their certificates there
    max_payload_length = MOST_CHARACTERS

    def __init__(self) -> None:
        super().__init__(algorithms=[*ALGORITHMS], strict_check_header=False)

    def get_alg(self, name: str) -> Any:
        # `EdDSA` is Ed25519's older name, which the library warns of.
        return super().get_alg("Ed25519" if name in ED25519 else name)


_REGISTRY: Final = _Registry()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an ID token has to say.

    Attributes:
        issuer: as it is set; with `{tenantid}` in it, that of the tenant that the token names.
        client_id: this deployment's, at the provider.
        nonce: of the login.
        now: unix seconds.
        access_token: what came beside it; compared where the token has a digest of it.
        login_since: unix second after which the person must have signed in there; `None` for any.
    """

    issuer: str
    client_id: str
    nonce: str
    now: int
    access_token: str = ""
    login_since: int | None = None


def verify_id_token(token: str, keys: ProviderKeys, expected: Expected) -> Mapping[str, object]:
    """Return the claims of an ID token.

    Raises:
        SSOFault: `id_token_…`; the first thing that is wrong.
    """
    algorithm, payload = _verify_signature(token, keys)
    claims = read_object(payload)
    if claims is None:
        raise SSOFault("id_token_malformed")
    issuer, wanted = claims.get("iss"), _issuer_of(claims, expected.issuer)
    if wanted is None or issuer != wanted:
        raise SSOFault(
            "id_token_issuer", expected=wanted or expected.issuer, received=_shown(issuer)
        )
    _check_audience(claims, expected.client_id)
    _check_times(claims, expected)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not _equal(nonce, expected.nonce):
        raise SSOFault("id_token_nonce")
    _check_access_token(claims.get("at_hash"), algorithm, expected.access_token)
    read_subject(claims)
    return claims


def _issuer_of(claims: Mapping[str, object], issuer: str) -> str | None:
    """Return who has to have issued a token; `None` where it names no tenant, and has to."""
    if TENANT not in issuer:
        return issuer
    tenant = claims.get("tid")
    if not isinstance(tenant, str) or not _TENANT_ID.fullmatch(tenant):
        return None
    return issuer.replace(TENANT, tenant)


def read_subject(claims: Mapping[str, object]) -> str:
    """Return who claims are about.

    Raises:
        SSOFault: `subject_malformed`.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise SSOFault("subject_malformed", received=_shown(subject))
    return subject


def _verify_signature(token: str, keys: ProviderKeys) -> tuple[str, bytes]:
    """Return algorithm and payload of a token, once a key of the provider has verified it."""
    parts = token.split(".", 5)
    if len(parts) == 5:
        raise SSOFault("id_token_encrypted")
    if len(parts) != 3 or len(token) > MOST_CHARACTERS:
        raise SSOFault("id_token_malformed")
    header = _read_header(parts[0])
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise SSOFault("id_token_algorithm", received=_shown(algorithm))
    if "crit" in header or "b64" in header:
        # What must be understood is not (RFC 7515 section 4.1.11).
        raise SSOFault("id_token_malformed", received="crit")
    for one in _candidates(keys, kid, algorithm):
        try:
            # The key alone decides: `jwk`, `jku`, `x5c` and `x5u` of the header are the sender's.
            found = jws.deserialize_compact(token, one.key, registry=_REGISTRY)
        except BadSignatureError:
            continue
        except (JoseError, ValueError) as error:
            raise SSOFault("id_token_malformed") from error
        return algorithm, found.payload
    raise SSOFault("id_token_signature", received=_shown(kid))


def _candidates(keys: ProviderKeys, kid: object, algorithm: str) -> list[ProviderKey]:
    """Return the keys that may have signed a token; there is one at least."""
    found = [one for one in keys if algorithm in one.algorithms]
    if kid is not None:
        found = [one for one in found if one.kid == kid]
    if not found:
        raise SSOFault("id_token_key", received=_shown(kid))
    return found[:_MOST_TRIED]


def _read_header(part: str) -> Mapping[str, object]:
    try:
        header = read_object(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        header = None
    if header is None:
        raise SSOFault("id_token_malformed")
    return header


def _check_audience(claims: Mapping[str, object], client_id: str) -> None:
    audience, party = claims.get("aud"), claims.get("azp")
    listed = audience if isinstance(audience, list) else [audience]
    if client_id not in listed:
        raise SSOFault("id_token_audience", expected=client_id, received=_shown(audience))
    # A token for several is for whoever asked for it, and that must be us.
    if (len(listed) > 1 or party is not None) and party != client_id:
        raise SSOFault("id_token_audience", expected=f"azp {client_id}", received=_shown(party))


def _check_times(claims: Mapping[str, object], expected: Expected) -> None:
    now = expected.now
    if _time(claims, "exp") <= now - LEEWAY:
        raise SSOFault("id_token_expired", expected=now, received=_shown(claims["exp"]))
    for name in ("iat", "nbf"):
        if (name == "iat" or name in claims) and _time(claims, name) > now + LEEWAY:
            raise SSOFault("id_token_early", expected=now, received=_shown(claims[name]))
    since = expected.login_since
    if since is not None and _time(claims, "auth_time") < since - LEEWAY:
        raise SSOFault("id_token_login", expected=since, received=_shown(claims["auth_time"]))


def _time(claims: Mapping[str, object], name: str) -> float:
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise SSOFault("id_token_claim", expected=name, received=_shown(found))
    return found


def _check_access_token(digest: object, algorithm: str, access_token: str) -> None:
    """Compare what came beside the token with its digest in it (Core section 3.1.3.8)."""
    hashed = _HASHES.get(algorithm[2:])
    if digest is None or hashed is None or not access_token:
        return
    left = hashed(access_token.encode()).digest()
    if not isinstance(digest, str) or not _equal(digest, b64(left[: len(left) // 2])):
        raise SSOFault("id_token_claim", expected="at_hash")


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _shown(value: object) -> str:
    """Return a value of a token as an administrator reads it."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)
