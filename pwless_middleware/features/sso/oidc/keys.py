"""The keys that a provider signs with (RFC 7517): those that are good for it, and no others.

A key set is foreign input: keys of kinds that are not verified with, secret ones, those for
encryption, and those of sizes that are too weak, or whose arithmetic would hold up the process, are
left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.features.sso.faults import SSOFault

MOST_KEYS: Final = 50
"""Of a set that are read."""
_RSA_MODULUS: Final = range(342, 1367)
"""Characters of base64url: 2048 bits (NIST SP 800-131A) to 8192."""
_RSA_EXPONENT: Final = range(1, 7)
_CURVES: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A key of a provider.

    Attributes:
        kid: its id; `None` where it has none.
        algorithms: those that it may have signed with.
        key: itself.
    """

    kid: str | None
    algorithms: frozenset[str]
    key: Key


ProviderKeys = tuple[ProviderKey, ...]


def read_keys(document: Mapping[str, object] | None) -> ProviderKeys:
    """Return the keys of a set that signatures can be verified with.

    Raises:
        SSOFault: `jwks_malformed`: it is no set, or has none of them.
    """
    listed = document.get("keys") if document is not None else None
    if not isinstance(listed, list):
        raise SSOFault("jwks_malformed")
    found = tuple(_read_each(listed[:MOST_KEYS]))
    if not found:
        raise SSOFault("jwks_malformed", received=f"0 / {len(listed)}")
    return found


def _read_each(listed: list[object]) -> Iterator[ProviderKey]:
    for one in listed:
        if not isinstance(one, dict) or one.get("use", "sig") != "sig":
            continue
        operations = one.get("key_ops")
        if operations is not None and not (isinstance(operations, list) and "verify" in operations):
            continue
        try:
            read = _read_one({name: v for name, v in one.items() if isinstance(v, str)})
        except (JoseError, ValueError):
            continue  # not a point of its curve, for one: the others are as good as before
        if read is not None:
            yield read


def _read_one(given: Mapping[str, str]) -> ProviderKey | None:
    """Return a key, of its public part alone; `None` for one that is not verified with."""
    kind = given.get("kty")
    key: Key | None = None
    algorithms: frozenset[str] = frozenset()
    if kind == "RSA":
        n, e = given.get("n", ""), given.get("e", "")
        if len(n) in _RSA_MODULUS and len(e) in _RSA_EXPONENT:
            key = RSAKey.import_key({"kty": kind, "n": n, "e": e})
            algorithms = RSA
    elif kind == "EC":
        curve = given.get("crv", "")
        if curve in _CURVES:
            key = ECKey.import_key({name: given.get(name, "") for name in ("kty", "crv", "x", "y")})
            algorithms = frozenset((_CURVES[curve],))
    elif kind == "OKP" and given.get("crv") == "Ed25519":
        key = OKPKey.import_key({name: given.get(name, "") for name in ("kty", "crv", "x")})
        algorithms = ED25519
    if key is None:
        return None
    named = given.get("alg")
    if named is not None:
        algorithms &= ED25519 if named in ED25519 else frozenset((named,))
    return ProviderKey(given.get("kid"), algorithms, key) if algorithms else None


RSA: Final = frozenset(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"))
ED25519: Final = frozenset(("EdDSA", "Ed25519"))
"""RFC 8037 and RFC 9864 have a name each for the same."""
ALGORITHMS: Final = RSA | ED25519 | frozenset(_CURVES.values())
"""That are accepted: asymmetric ones alone. `none` is no signature, and what HS verifies with, the
client secret, is no key of the provider's (security rule 51)."""
