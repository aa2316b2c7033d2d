"""The guide's table "When something is down", Redis: a test for each row.

Each ends with what matters most: it works again by itself, who was in is still in, and who had a
mail can finish the login, since what was asked in vain cost nothing.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from tests.failures.scene import Scene, an_address, scene
from tests.ports import free_port
from tests.redis_proxy import Proxy
from tests.redis_server import Server, until
from tests.support import wrong

pytestmark = pytest.mark.anyio


@pytest.fixture
async def admin(server: Server) -> AsyncIterator[Any]:
    """Talk to the module's server; its settings are as before after the test."""
    client: Any = redis.asyncio.Redis.from_url(server.url)
    yield client
    await client.config_set("maxmemory", "0")
    await client.execute_command("REPLICAOF", "NO", "ONE")
    await client.connection_pool.disconnect()


async def assert_everything_closed(at: Scene) -> None:
    """Hold every request that needs the store to: closed."""
    at.assert_closed(await at.writers())
    at.assert_closed(await at.readers())
    await at.assert_socket_refused()
    await at.assert_public_still_works()
    assert await at.health() == (503, ["store"])


async def test_refused(server: Server) -> None:
    """Nobody listens: 503 at once. Redis comes back with its data, and everybody goes on."""
    async with scene(server.url) as at:
        server.kill()
        await assert_everything_closed(at)
        at.assert_closed(await at.enders())
        server.start()
        await at.recovers()
        await at.assert_still_in()
        await at.assert_login_can_be_finished()


async def test_hanging(server: Server) -> None:
    """Connections stay open and nothing answers: 503 within two seconds, each."""
    async with scene(server.url) as at:
        server.freeze()
        await assert_everything_closed(at)
        server.thaw()
        await at.recovers()
        await at.assert_still_in()
        await at.assert_login_can_be_finished()


async def test_what_was_asked_of_a_hanging_redis_may_happen_late_and_lets_nobody_in(
    server: Server,
) -> None:
    """It waited in Redis' socket. To end a session late is what was wanted; a link is spent."""
    async with scene(server.url) as at:
        server.freeze()
        at.assert_closed(await at.enders())
        server.thaw()
        await at.recovers()
        assert await at.waiting.who() is None
        assert (await at.waiting.type_code(at.code)).status_code in (303, 410)
        await at.assert_a_login_works()


async def test_restarted_empty(server: Server) -> None:
    """Everybody signs in again. No cookie is cleared, no error but "expired" is shown."""
    async with scene(server.url) as at:
        server.kill()
        shutil.rmtree(Path(server.folder) / "appendonlydir")
        server.start()
        await at.recovers()
        answers = {**await at.readers(), **await at.writers()}
        for name, answer in answers.items():
            assert answer.status_code < 500, name
        assert answers["request"].status_code == 401
        assert answers["right code"].status_code == 410
        assert answers["wrong code"].status_code == 410
        assert at.inside.cookie() is not None
        assert at.waiting.cookie() is None
        await at.assert_a_login_works()


async def test_read_only_replica(server: Server, admin: Any) -> None:
    """A replica does not hear of what is ended at the primary: nothing it says is believed."""
    async with scene(server.url) as at:
        # Of a primary that it cannot reach: it keeps its data and would serve it.
        await admin.execute_command("REPLICAOF", "127.0.0.1", free_port())
        await _lease_ends(at)
        await assert_everything_closed(at)
        at.assert_closed(await at.enders())
        await admin.execute_command("REPLICAOF", "NO", "ONE")
        await at.recovers()
        await at.assert_still_in()
        await at.assert_login_can_be_finished()


async def test_replica_without_its_primary(server: Server, admin: Any) -> None:
    """MASTERDOWN: closed, until it is promoted."""
    async with scene(server.url) as at:
        await admin.config_set("replica-serve-stale-data", "no")
        await admin.execute_command("REPLICAOF", "127.0.0.1", free_port())
        await _lease_ends(at)
        await assert_everything_closed(at)
        await admin.execute_command("REPLICAOF", "NO", "ONE")
        await admin.config_set("replica-serve-stale-data", "yes")
        await at.recovers()
        await at.assert_still_in()
        await at.assert_login_can_be_finished()


async def test_emptied_while_it_runs(server: Server, admin: Any) -> None:
    """FLUSHALL: who was held in process is out within seconds, as after a restart without data."""
    async with scene(server.url) as at:
        await at.assert_still_in()
        await admin.flushall()
        async with asyncio.timeout(30):
            while await at.inside.who() is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        answers = {**await at.readers(), **await at.writers()}
        assert {name for name, answer in answers.items() if answer.status_code >= 500} == set()
        assert answers["right code"].status_code == 410
        assert at.inside.cookie() is not None
        await at.assert_a_login_works()


async def test_failover_behind_one_name(server: Server, admin: Any) -> None:
    """The name leads to the promoted replica; old connections to the demoted primary stand."""
    promoted = Server({"replicaof": f"127.0.0.1 {server.port}"})
    there: Any = redis.asyncio.Redis(port=promoted.port)
    try:
        async with Proxy(server.port) as name, scene(name.url) as at:
            await admin.execute_command("WAIT", 1, 5000)
            await there.execute_command("REPLICAOF", "NO", "ONE")
            name.target = promoted.port
            await admin.execute_command("REPLICAOF", "127.0.0.1", promoted.port)
            await at.recovers()
            await at.assert_still_in()
            await at.assert_login_can_be_finished()
            await at.assert_a_login_works()
    finally:
        await there.connection_pool.disconnect()
        promoted.close()


async def _lease_ends(at: Scene) -> None:
    """Wait until what is held in process is no longer served."""
    feed = at.site.store.feed
    await until(lambda: not feed.is_live())


async def test_cannot_save() -> None:
    """MISCONF: writes are refused, and who is in stays in."""
    server = Server({"save": "3600 1"})
    there: Any = redis.asyncio.Redis(port=server.port)
    try:
        async with scene(server.url) as at:
            shutil.rmtree(server.folder)
            await there.bgsave()
            async with asyncio.timeout(30):
                while (await there.info("persistence"))["rdb_last_bgsave_status"] == "ok":  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            at.assert_closed(await at.writers())
            await asyncio.sleep(2.5)  # longer than any proof lasts
            await at.assert_still_in()
            assert await at.health() == (503, ["store"])
            await there.config_set("save", "")  # who never saves has no failed save
            await at.recovers()
            await at.assert_login_can_be_finished()
    finally:
        await there.connection_pool.disconnect()
        server.close()


async def test_a_thousand_sends_at_once(server: Server) -> None:
    """They wait in line for their turn; nobody is told that the store is down."""
    async with scene(server.url) as at:
        visitors = [at.site.browser(ip=f"198.18.{n // 250}.{n % 250}") for n in range(1000)]
        answers = await asyncio.gather(*(each.ask(an_address()) for each in visitors))
        assert {answer.status_code for answer in answers} == {303}


async def test_full(server: Server, admin: Any) -> None:
    """What is new is refused; who is in stays in, and can leave."""
    async with scene(server.url) as at:
        await admin.config_set("maxmemory", "1")
        at.assert_closed(await at.writers())
        await at.assert_still_in()
        assert await at.health() == (503, ["store"])
        assert (await at.inside.post("/auth/logout", {})).status_code == 303
        assert await at.inside.who() is None
        await admin.config_set("maxmemory", "0")
        await at.recovers()
        await at.assert_login_can_be_finished()


async def test_a_link_pressed_while_redis_is_full(server: Server, admin: Any) -> None:
    """Taking makes room first, so a link finishes what was begun, exactly once."""
    async with scene(server.url) as at:
        await admin.config_set("maxmemory", "1")
        done = await at.waiting.press_link(at.link)
        assert done.status_code == 303
        assert await at.waiting.who() is not None
        await admin.config_set("maxmemory", "0")
        assert (await at.waiting.type_code(at.code)).status_code == 410


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_reply_lost_in_mid_login(server: Server, lost: int) -> None:
    """The first reply of a verify is that of the count, the second that of the take.

    After a lost count the same code still works. After a lost take it was spent, by a session whose
    secret nobody has: the person asks for a new mail, and is never in twice.
    """
    async with Proxy(server.port) as proxy, scene(proxy.url) as at:
        await _lose(at, proxy, lost)
        again = await at.waiting.type_code(at.code)
        assert again.status_code == (303 if lost == 1 else 410), again.text
        assert (await at.waiting.who() is not None) is (lost == 1)
        await at.assert_still_in()
        await at.assert_a_login_works()


async def _lose(at: Scene, proxy: Proxy, lost: int) -> None:
    """Type the code while the reply to the n-th script is lost."""
    if lost == 1:
        proxy.drops = 1
        answer = await at.waiting.type_code(at.code)
    else:
        store: Any = at.site.store
        attempt = store.attempt

        async def then_drop(*args: Any, **kwargs: Any) -> Any:
            answer = await attempt(*args, **kwargs)
            proxy.drops = 1
            return answer

        store.attempt = then_drop
        answer = await at.waiting.type_code(at.code)
        store.attempt = attempt
    at.assert_closed({"verify": answer})
    assert proxy.drops == 0


async def test_a_client_that_retries_hides_lost_replies(server: Server) -> None:
    """Operation ids: a script that ran twice costs no try, and its winner is told that it won."""
    async with Proxy(server.port) as proxy:
        client = redis.asyncio.Redis.from_url(
            proxy.url,
            retry=Retry(NoBackoff(), 3),
            retry_on_error=[redis.exceptions.ConnectionError],
        )
        async with scene(client) as at:
            for n in range(4):
                proxy.drops = 1
                answer = await at.waiting.type_code(wrong(at.code, n))
                assert answer.status_code == 400, (n, answer.text)
                assert proxy.drops == 0
            proxy.drops = 2
            await at.assert_login_can_be_finished()
        await client.connection_pool.disconnect()


async def test_limits_are_not_bypassed(server: Server) -> None:
    """Neither a 503 nor what comes after gives sends or tries back."""
    async with scene(server.url) as at:
        asking, address = at.site.browser(ip="203.0.113.50"), an_address()
        for n in range(2):
            assert (await at.waiting.type_code(wrong(at.code, n))).status_code == 400
        assert (await asking.ask(address)).status_code == 303
        assert (await asking.ask(address)).status_code == 303
        server.kill()
        for n in range(6):
            at.assert_closed({"try": await at.waiting.type_code(wrong(at.code, n))})
            at.assert_closed({"send": await asking.ask(address)})
        server.start()
        await at.recovers()
        assert (await asking.ask(address)).status_code == 429
        tries = [(await at.waiting.type_code(wrong(at.code, n))).status_code for n in range(5)]
        assert tries == [400, 400, 400, 429, 429]
        assert (await at.waiting.type_code(at.code)).status_code == 429


async def test_failover_in_mid_login() -> None:
    """Behind Sentinel: closed until the replica is promoted; then the login goes on."""
    primary = Server()
    replica = Server({"replicaof": f"127.0.0.1 {primary.port}"})
    port = free_port()
    watcher = Server(
        port=port,
        sentinel_config=(
            f"port {port}\nbind 127.0.0.1\nsentinel monitor us 127.0.0.1 {primary.port} 1\n"
            "sentinel down-after-milliseconds us 500\nsentinel failover-timeout us 2000\n"
        ),
    )
    sentinel = Sentinel([("127.0.0.1", port)], socket_timeout=1)  # type: ignore[no-untyped-call]
    client = sentinel.master_for("us", socket_timeout=1)
    asked: Any = redis.asyncio.Redis(port=port)
    try:
        async with asyncio.timeout(30):
            while not await asked.execute_command("SENTINEL", "REPLICAS", "us"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        async with scene(client) as at:
            await client.execute_command("WAIT", 1, 2000)
            primary.kill()
            at.assert_closed({"verify": await at.waiting.type_code(at.code)})
            at.assert_closed({"request": await at.inside.get("/private")})
            await at.recovers()
            await at.assert_still_in()
            await at.assert_login_can_be_finished()
    finally:
        for each in (client, asked, *sentinel.sentinels):
            await each.connection_pool.disconnect()
        for each in (watcher, replica, primary):
            each.close()
