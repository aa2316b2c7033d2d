"""A provider by OpenID Connect of the tests' own, which lies as a test wants it to.

async with own_oidc() as provider:
    provider.claims["aud"] = "another app"
    ...
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, RSAKey

from tests.delivery.texts.fake_server import FakeServer, Reply, Seen, reply, serving
from tests.identity_providers.provider import CLIENT_ID, CLIENT_SECRET


@cache
def key(name: str, kind: str = "EC") -> Key:
    """Return a key pair, the same one whenever it is asked for by this name."""
    parameters: Any = {"kid": name, "use": "sig"}
    if kind == "RSA":
        return RSAKey.generate_key(2048, parameters)
    return ECKey.generate_key("P-256", parameters)


def sign(claims: Any, with_key: Key, algorithm: str = "ES256", **header: Any) -> str:
    """Return claims as a token."""
    given = {"alg": algorithm, "kid": with_key.kid, **header}
    protected = {name: value for name, value in given.items() if value is not None}
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    return jws.serialize_compact(protected, json.dumps(claims), with_key, registry=registry)


def secret_key(secret: str = CLIENT_SECRET) -> Key:
    """Return a secret as the key of HMAC."""
    return OctKey.import_key(secret)


class OwnProvider:
    """Answers as it is told to.

    Attributes:
        metadata: its configuration; what is `None` is left out.
        keys: its public keys.
        claims: those of the next ID token, beside `iss`, `aud`, `nonce` and the times; what is
            `None` is left out.
        userinfo: what it says of the person there.
        sign: makes the ID token of claims.
        tokens: what stands beside the ID token in the answer of the token endpoint.
        answers: path to an answer in the place of its own.
    """

    def __init__(self) -> None:
        self.server: FakeServer
        self.key = key("first")
        self.keys: list[Any] = [self.key.as_dict(private=False)]
        self.metadata: dict[str, Any] = {}
        self.nonce = ""
        self.claims: dict[str, Any] = {"sub": "248289761001", "email": "jo@acme.example"}
        self.userinfo: dict[str, Any] = {"sub": "248289761001"}
        self.sign: Callable[[dict[str, Any]], str] = lambda claims: sign(claims, self.key)
        self.tokens: dict[str, Any] = {"access_token": "an-access-token", "token_type": "Bearer"}
        self.answers: dict[str, Reply] = {}

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"  # no name to resolve

    def config(self, **more: Any) -> dict[str, Any]:
        """Return the configuration of a connection to it."""
        return {"issuer": self.issuer, "client_id": CLIENT_ID, **more}

    def asked(self, path: str) -> list[Seen]:
        """Return the requests to a path."""
        return [seen for seen in self.server.seen if seen.target.partition("?")[0] == path]

    def describe(self) -> dict[str, Any]:
        """Return its configuration."""
        usual = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }
        given = {**usual, **self.metadata}
        return {name: value for name, value in given.items() if value is not None}

    def id_token(self) -> str:
        """Return the token of the next login."""
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT_ID, "nonce": self.nonce,
                 "iat": now, "exp": now + 300}  # fmt: skip
        given = {**usual, **self.claims}
        return self.sign({name: value for name, value in given.items() if value is not None})

    def answer(self, seen: Seen) -> Reply:
        path = seen.target.partition("?")[0]
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            return _json(self.describe())
        if path == "/keys":
            return _json({"keys": self.keys})
        if path == "/token":
            return _json({**self.tokens, "id_token": self.id_token()})
        if path == "/userinfo":
            return _json(self.userinfo)
        return reply(404)


def _json(content: object, status: int = 200) -> bytes:
    return reply(status, json.dumps(content), content_type="application/json")


@asynccontextmanager
async def own_oidc() -> AsyncIterator[OwnProvider]:
    """Have it answer for as long as the context lasts."""
    provider = OwnProvider()
    async with serving(provider.answer) as server:
        provider.server = server
        yield provider
