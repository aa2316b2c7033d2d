"""Fill a store with other people's logins and sessions, through its own verbs, in batches."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace

from pwless_middleware import PasswordlessMiddleware
from pwless_middleware.core.challenges.budget import Draw, Limit
from pwless_middleware.core.challenges.challenge import ID_BYTES, ChallengeId
from pwless_middleware.core.keys.keyring import MAC_BYTES
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.session import SECRET_BYTES, Session, SessionPolicy
from pwless_middleware.core.storage.format_v1 import pack_challenge
from pwless_middleware.core.storage.store_keys import challenge_key, session_place, user_slot
from pwless_middleware.stores.base import Put, Store, Writes
from tests.benchmarks.redis_memory import challenge
from tests.benchmarks.targets import Target

_ADDRESS = (Limit(2, 60), Limit(5, 900), Limit(20, 86400), Limit(10, 86400, mask=0xFFFFFFFF))
_AT_ONCE = 16
_KEPT = 100_000
"""Cookies that are kept: ten times what a process holds records for."""


def make_site(target: Target) -> PasswordlessMiddleware:
    """Return our middleware of a target."""
    assert isinstance(target.app, PasswordlessMiddleware)
    return target.app


async def outstanding(store: Store, number: int) -> None:
    """Add so many challenges, each with the budget of its address; their mails have gone out."""
    now = int(time.time())

    async def add(n: int) -> None:
        id = ChallengeId(secrets.token_bytes(ID_BYTES))
        key = challenge_key(id)
        one = replace(challenge(n, id), asked_at=now, started_at=now, expires_at=now + 600)
        put = Put(key, secrets.token_bytes(MAC_BYTES) + pack_challenge(one), now + 7200)
        draws = [Draw(key.partition("}")[0] + "}s", _ADDRESS, tag=random.getrandbits(32))]
        await store.admit(draws, put, job=None, replaces=None, now=now, op=str(n))

    with _no_collection():
        for start in range(0, number, _AT_ONCE):
            await asyncio.gather(*(add(n) for n in range(start, min(start + _AT_ONCE, number))))


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Let millions of live objects come without a look through all of them, each of 100 ms."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


async def sessions(target: Target, number: int) -> list[bytes]:
    """Add so many sessions; give the `Cookie` headers of an even sample of them."""
    passwordless = make_site(target).passwordless
    name = passwordless.cookies.names.session
    keeper, life, now = passwordless.identities._sessions, SessionPolicy(), int(time.time())
    keyring = keeper._keyring
    every = max(1, number // _KEPT)
    cookies: list[bytes] = []
    puts: list[Put] = []
    with _no_collection():
        for n in range(number):
            email = f"person{n}@example.com"
            proof = (Authentication("email_code", now),)
            user_id, random = f"u{n:021d}", secrets.token_bytes(SECRET_BYTES - 16)
            secret = random + user_slot(keyring.realm, user_id)
            key, id = session_place(secret)
            ends, device = now + life.absolute, "Firefox on Linux"
            session = Session(id, user_id, email, now, now, life.idle, ends, proof, device)
            puts.append(keeper._put(key, session, keyring.current))
            if n % every == 0:
                cookies.append(name + keyring.seal("session", secret).encode())
            if len(puts) == 100 or n == number - 1:
                await passwordless.store.write(Writes(puts=tuple(puts)), now=now, op=f"seed{n}")
                puts.clear()
    return cookies
