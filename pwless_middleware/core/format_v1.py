"""How records are written in a store, version 1: a JSON array, its first element the version.

Arrays keep a challenge small (no names), stay readable with any Redis client, and are read by the
standard library in microseconds. A new field goes to the end and gets a default when it is missing;
a change of meaning needs a `format_v2`. What cannot be read raises `StoreError`: a record that
somebody else wrote (a newer version, say, while it is rolled out) is a fault of the store, not an
expired login, and answers 503.
"""

from __future__ import annotations

import json
from typing import Any

from pwless_middleware.core.authentication import Authentication, Login, PendingLogin, Step
from pwless_middleware.core.challenges import Challenge, ChallengeId
from pwless_middleware.core.sessions import Session
from pwless_middleware.errors import StoreError

VERSION = 1

_dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def _load(value: bytes) -> list[Any]:
    try:
        fields = json.loads(value)
    except ValueError as exc:
        raise StoreError("a record cannot be read") from exc
    if not isinstance(fields, list) or fields[:1] != [VERSION]:
        raise StoreError("a record is not of version 1")
    return fields


def pack_challenge(c: Challenge) -> bytes:
    """Write a challenge; its id is the key, and is left out."""
    fields: list[object] = [
        VERSION,
        c.key_id,
        c.generation,
        c.address,
        c.kind,
        c.template[4:],  # IN or UP: a byte saved is a byte saved a million times
        c.caller[0] + c.caller[7:],
        c.asked_at,
        c.started_at - c.asked_at,
        c.expires_at - c.asked_at,
        c.lifetime,
        c.resends,
        c.device,
        c.next,
    ]
    if c.state is not None or c.link_uri is not None or c.variables:
        fields += [c.state, c.link_uri, dict(c.variables)]
    return _dumps(fields).encode()


def unpack_challenge(id: ChallengeId, value: bytes) -> Challenge:
    """Read a challenge that `pack_challenge` wrote under this id."""
    f = _load(value)
    state, link_uri, variables = f[14:17] if len(f) > 14 else (None, None, {})
    return Challenge(
        id=id,
        key_id=f[1],
        generation=f[2],
        address=f[3],
        kind=f[4],
        template="SIGNIN" if f[5] == "IN" else "SIGNUP",
        caller="browser" if f[6] == "b" else "server:" + f[6][1:],
        asked_at=f[7],
        started_at=f[7] + f[8],
        expires_at=f[7] + f[9],
        lifetime=f[10],
        resends=f[11],
        device=f[12],
        next=f[13],
        state=state,
        link_uri=link_uri,
        variables=variables,
    )


def pack_session(s: Session) -> bytes:
    """Write a session; its id is the key, and is left out."""
    return _dumps(
        [
            VERSION,
            s.user_id,
            s.email,
            s.created_at,
            s.authenticated_at,
            s.seen_at,
            s.idle,
            s.expires_at,
            list(s.methods),
            s.device,
        ]
    ).encode()


def unpack_session(id: str, value: bytes) -> Session:
    """Read a session that `pack_session` wrote under this id."""
    f = _load(value)
    return Session(
        id=id,
        user_id=f[1],
        email=f[2],
        created_at=f[3],
        authenticated_at=f[4],
        seen_at=f[5],
        idle=f[6],
        expires_at=f[7],
        methods=tuple(f[8]),
        device=f[9],
    )


def pack_pending(p: PendingLogin) -> bytes:
    """Write a pending login."""
    login = p.login
    return _dumps(
        [
            VERSION,
            login.user_id,
            login.email,
            login.is_new,
            [[a.method, a.at] for a in login.authentications],
            login.caller,
            login.device,
            login.next,
            login.state,
            login.template,
            login.kind,
            [[s.method, s.path] for s in p.steps],
            p.expires_at,
        ]
    ).encode()


def unpack_pending(value: bytes) -> PendingLogin:
    """Read a pending login that `pack_pending` wrote."""
    f = _load(value)
    return PendingLogin(
        login=Login(
            user_id=f[1],
            email=f[2],
            is_new=f[3],
            authentications=tuple(Authentication(method, at) for method, at in f[4]),
            caller=f[5],
            device=f[6],
            next=f[7],
            state=f[8],
            template=f[9],
            kind=f[10],
        ),
        steps=tuple(Step(method, path) for method, path in f[11]),
        expires_at=f[12],
    )
