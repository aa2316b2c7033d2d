"""How records are written in a store, version 1: the version first, then the fields in order.

In front of each stand the 16 bytes that bind it to its place (`Keyring.bind`), which are checked
before anything here is asked: what is not of ours is never parsed.

Sessions and pending logins are JSON arrays: readable with any Redis client, and read by the
standard library in microseconds. Challenges are packed (see `pack_challenge`). A new field goes to
the end and gets a default when it is missing; a change of meaning needs a `format_v2`. What cannot
be read raises `StoreError`: a record of ours in a newer version, while it is rolled out, is no
expired login, and answers 503.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.challenges.challenge import ID_BYTES, Challenge, ChallengeId, Kind
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.caller import BROWSER
from pwless_middleware.core.logins.device import NAMES, UNKNOWN
from pwless_middleware.core.logins.login import Login, PendingLogin, Step
from pwless_middleware.core.logins.session import Session
from pwless_middleware.errors import StoreError

VERSION = 1

_CHALLENGE = struct.Struct(">B16sBBIHHHBB")
_KINDS: tuple[Kind, ...] = ("OTP", "LINK", "LINK_OTP")

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
    """Return a challenge without its id, which is the place, and its key, which binds it.

    There may be a million of them at once, so this one record is packed: 30 bytes, then the texts
    that every challenge has, divided by NUL (none can hold one), then the others as JSON.
    """
    to_enter = [c.organization, c.is_break_glass] if c.organization or c.is_break_glass else []
    has_more = bool(c.state is not None or c.link_uri is not None or c.variables or to_enter)
    head = _CHALLENGE.pack(
        VERSION,
        c.salt,
        c.generation,
        _KINDS.index(c.kind) | (4 if c.template == "SIGNUP" else 0) | (8 if has_more else 0),
        c.asked_at,
        c.started_at - c.asked_at,
        c.expires_at - c.asked_at,
        c.lifetime,
        c.resends,
        NAMES.index(c.device),
    )
    caller = "" if c.caller == BROWSER else c.caller
    texts = [c.address, caller, c.next, c.language]
    if has_more:
        texts.append(_dumps([c.state, c.link_uri, dict(c.variables), *to_enter]))
    return head + "\0".join(texts).encode()


def unpack_challenge(id: ChallengeId, value: bytes, *, key_id: str) -> Challenge:
    """Read a challenge that `pack_challenge` wrote.

    Args:
        id: under which it stands.
        value: the record.
        key_id: fingerprint of the key that binds it.

    Raises:
        StoreError: another version wrote it.
    """
    try:
        version, salt, generation, flags, asked_at, started, expires, lifetime, resends, device = (
            _CHALLENGE.unpack_from(value)
        )
        address, caller, next, language, *more = value[_CHALLENGE.size :].decode().split("\0", 4)
        state, link_uri, variables, *to_enter = (
            json.loads(more[0]) if flags & 8 else (None, None, {})
        )
        organization, is_break_glass = to_enter or (None, False)
    except (struct.error, ValueError, IndexError) as exc:
        raise StoreError("a record cannot be read") from exc
    if version != VERSION:
        raise StoreError("a record is not of version 1")
    return Challenge(
        id=id,
        key_id=key_id,
        salt=salt,
        generation=generation,
        address=Address(address),
        kind=_KINDS[flags & 3],
        template="SIGNUP" if flags & 4 else "SIGNIN",
        caller=caller or BROWSER,
        asked_at=asked_at,
        started_at=asked_at + started,
        expires_at=asked_at + expires,
        lifetime=lifetime,
        resends=resends,
        device=NAMES[device] if device < len(NAMES) else UNKNOWN,
        next=next,
        state=state,
        link_uri=link_uri,
        variables=variables,
        language=language,
        organization=organization,
        is_break_glass=is_break_glass,
    )


_JOB = struct.Struct(f">{ID_BYTES}sB")


def pack_job(c: Challenge) -> bytes:
    """Return what the delivery queue keeps of a challenge: 33 bytes, and no secret among them."""
    return _JOB.pack(c.id, c.generation)


def unpack_job(value: bytes) -> tuple[ChallengeId, int]:
    """Read a job that `pack_job` wrote: id and generation."""
    id, generation = _JOB.unpack(value)
    return ChallengeId(id), generation


def _pack_authentications(given: tuple[Authentication, ...]) -> list[Any]:
    return [[one.method, one.at, one.factors, one.phishing_resistant] for one in given]


def _unpack_authentications(rows: list[Any]) -> tuple[Authentication, ...]:
    return tuple(
        Authentication(method, at, tuple(factors), phishing_resistant)
        for method, at, factors, phishing_resistant in rows
    )


def pack_session(s: Session) -> bytes:
    """Return a session; its id is the key, and is left out."""
    return _dumps(
        [
            VERSION,
            s.user_id,
            s.email,
            s.created_at,
            s.seen_at,
            s.idle,
            s.expires_at,
            _pack_authentications(s.authentications),
            s.device,
            s.organization,
            s.login_id,
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
        seen_at=f[4],
        idle=f[5],
        expires_at=f[6],
        authentications=_unpack_authentications(f[7]),
        device=f[8],
        organization=f[9],
        login_id=f[10] if len(f) > 10 else "",
    )


def pack_pending(p: PendingLogin) -> bytes:
    """Return a pending login."""
    login = p.login
    return _dumps(
        [
            VERSION,
            login.user_id,
            login.email,
            login.is_new,
            _pack_authentications(login.authentications),
            login.caller,
            login.device,
            login.next,
            login.organization,
            dict(login.answer),
            [[s.methods, s.path, s.enrolls] for s in p.steps],
            p.expires_at,
            p.renews,
            login.attempt.hex(),
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
            authentications=_unpack_authentications(f[4]),
            caller=f[5],
            device=f[6],
            next=f[7],
            organization=f[8],
            answer=f[9],
            attempt=bytes.fromhex(f[13]),
        ),
        steps=tuple(Step(tuple(methods), *rest) for methods, *rest in f[10]),
        expires_at=f[11],
        renews=f[12],
    )
