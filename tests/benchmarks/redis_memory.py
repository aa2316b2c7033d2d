"""Measure the Redis memory of outstanding logins: `python -m tests.benchmarks.redis_memory [N]`.

A server of its own, filled with N sends (default 20,000) of realistic addresses, part by part:
the challenge alone, with the address's budget, with the queue entry, with a client's budget.
"""

from __future__ import annotations

import asyncio
import secrets
import sys

import redis.asyncio

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.challenges.budget import Draw, Limit
from pwless_middleware.core.challenges.challenge import ID_BYTES, SALT_BYTES, Challenge, ChallengeId
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.keys.keyring import MAC_BYTES
from pwless_middleware.core.storage.format_v1 import pack_challenge, pack_job
from pwless_middleware.stores.base import Put
from pwless_middleware.stores.redis import RedisStore
from tests.redis_server import Server

NOW = 1_790_000_000
_ADDRESS = (Limit(2, 60), Limit(5, 900), Limit(20, 86400), Limit(10, 86400, mask=0xFFFFFFFF))
_CLIENT = (Limit(20, 60), Limit(200, 3600))


def challenge(number: int, id: ChallengeId) -> Challenge:
    """Make a challenge like those of a newsletter's readers."""
    return Challenge(
        id=id,
        key_id="Zm9vYmFy",
        salt=secrets.token_bytes(SALT_BYTES),
        generation=0,
        address=Address(f"firstname.lastname{number}@example.com"),
        kind="LINK_OTP",
        template="SIGNIN",
        caller="browser",
        asked_at=NOW,
        started_at=NOW,
        expires_at=NOW + 300,
        lifetime=300,
        device="Firefox on Windows",
        next="/account/orders",
    )


async def measure(url: str, sends: int, *, address: bool, job: bool, client: bool) -> float:
    """Return the bytes for each of so many sends."""
    admin = redis.asyncio.Redis.from_url(url)
    store = RedisStore(url, max_jobs=10 * sends)
    await store.open()

    async def send(number: int) -> None:
        id = ChallengeId(secrets.token_bytes(ID_BYTES))
        slot = "{" + b64(id[:16]) + "}"
        draws = [Draw(slot + "s", _ADDRESS, secrets.randbits(32))] if address else []
        draws += [Draw("c" + secrets.token_urlsafe(16) + "s", _CLIENT)] if client else []
        one = challenge(number, id)
        # In front of each stands a MAC, as random as any bytes.
        record = secrets.token_bytes(MAC_BYTES) + pack_challenge(one)
        payload = (
            b"\x04mail" + secrets.token_bytes(MAC_BYTES) + pack_job(one) + bytes(4) if job else None
        )
        put = Put(slot + b64(id[16:]), record, NOW + 900)
        await store.admit(draws, put, job=payload, replaces=None, now=NOW, op=str(number))

    # The connections' buffers are the server's memory too, but not the logins'.
    await asyncio.gather(*(send(n) for n in range(200)))
    await admin.flushall()
    before = (await admin.info("memory"))["used_memory"]
    for start in range(0, sends, 50):
        await asyncio.gather(*(send(n) for n in range(start, min(start + 50, sends))))
    used = (await admin.info("memory"))["used_memory"] - before
    await store.aclose()
    await admin.connection_pool.disconnect()
    return float(used) / sends


async def main(sends: int) -> None:
    """Print a line for each part."""
    server = Server()
    try:
        for name, parts in {
            "challenge": {},
            "challenge, address budget": {"address": True},
            "challenge, queue entry": {"job": True},
            "challenge, address budget, queue entry": {"address": True, "job": True},
            "the same, and a client of its own": {"address": True, "job": True, "client": True},
        }.items():
            asked = {"address": False, "job": False, "client": False, **parts}
            used = await measure(server.url, sends, **asked)
            print(f"{used:7.0f} bytes  {name}")
    finally:
        server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
