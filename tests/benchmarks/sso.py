"""A company's login: the CPU of verifying what its provider says, by either protocol.

Without what lies around it (the state in the store, the door), which is measured with other logins.
Answers are made beforehand; the RSA keys are of 2048 bits, as providers have them.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator

from pwless_middleware.features.sso.oidc import id_token
from pwless_middleware.features.sso.oidc.keys import ProviderKeys, read_keys
from pwless_middleware.features.sso.saml.requests import make_request
from pwless_middleware.features.sso.saml.responses import decode_response, verify_response
from tests.benchmarks.figures import Options, Samples, Table
from tests.identity_providers.own_oidc import key, sign
from tests.identity_providers.saml import NOW, SERVICE, SAMLProvider, form_field

_TIMES = 200
_ISSUER, _CLIENT = "https://login.acme.example", "client"
_GOALS = {"ID token": "≤ 500", "SAML response": "≤ 2,000"}
Work = Callable[[], object]


async def measure(options: Options) -> list[Table]:
    """Measure each kind of answer."""
    works = dict([*_tokens(), *_answers()])
    found = {name: Samples() for name in works}
    gc.collect()
    for number in range(-1, options.rounds):
        options.say(f"sso, round {number + 1} of {options.rounds}")
        for name, work in works.items():
            began = time.process_time()
            for _ in range(_TIMES):
                work()
            if number >= 0:
                found[name].add((time.process_time() - began) / _TIMES * 1e6)
    table = Table("A company's login", ("what is verified", "CPU µs", "goal"))
    for name, samples in found.items():
        goal = next((goal for what, goal in _GOALS.items() if name.startswith(what)), "")
        table.add(name, samples.told(0), goal)
    return [table]


def _tokens() -> Iterator[tuple[str, Work]]:
    for kind, algorithm in (("RSA", "RS256"), ("EC", "ES256")):
        signing = key(f"bench {kind}", kind) if kind == "RSA" else key(f"bench {kind}")
        claims = {"iss": _ISSUER, "aud": _CLIENT, "sub": "jo", "nonce": "n", "iat": NOW,
                  "exp": NOW + 300, "email": "jo@acme.example"}  # fmt: skip
        token = sign(claims, signing, algorithm)
        keys = read_keys({"keys": [signing.as_dict(private=False)]})
        expected = id_token.Expected(issuer=_ISSUER, client_id=_CLIENT, nonce="n", now=NOW)
        yield f"ID token, {algorithm}", _calling(token, keys, expected)


def _calling(token: str, keys: ProviderKeys, expected: id_token.Expected) -> Work:
    return lambda: id_token.verify_id_token(token, keys, expected)


def _answers() -> Iterator[tuple[str, Work]]:
    provider = SAMLProvider(kind="rsa")
    settings = provider.settings()
    groups = {"email": ["jo@acme.example"], "groups": [f"group-{n}" for n in range(150)]}
    answers = {
        "SAML response, assertion signed": provider.answer(),
        "SAML response, both signed": provider.answer(signed="both"),
        "SAML response, assertion signed, 150 groups": provider.answer(attributes=groups),
    }

    def verifying(field: str) -> Work:
        return lambda: verify_response(
            decode_response(field), settings, SERVICE, request_id="_request", now=NOW
        )

    for name, xml in answers.items():
        yield name, verifying(form_field(xml))
    yield "SAML request, made", lambda: make_request(settings, SERVICE, now=NOW)
