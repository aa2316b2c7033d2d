"""What is said about a server that cannot be used, and how fast."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
import trustme

from pwless_middleware.core.challenges.budget import Draw, Limit
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.stores.base import Drop, Put, Writes
from pwless_middleware.stores.redis import RedisStore
from pwless_middleware.stores.redis import server as redis_server
from pwless_middleware.stores.redis.errors import explain
from tests.needs import lacking
from tests.ports import free_port
from tests.redis_proxy import Proxy
from tests.redis_server import Server, until

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000
Stores = Callable[..., RedisStore]
Servers = Callable[..., Server]


async def refusal(store: RedisStore) -> str:
    """Return what the store says when it is opened; its cause must be chained."""
    with pytest.raises(StoreError) as caught:
        await store.open()
    return str(caught.value)


class TestOptions:
    @pytest.mark.parametrize(
        "server",
        ["", "localhost:6379", "http://localhost", "redis://localhost:port", "redis://h/0?db=x",
         "redis://h?nonsense=1", "redis://h\n", " redis://h", "redis://h/0\r\n", None, 6379,
         object()],
    )  # fmt: skip
    def test_what_is_no_redis_is_refused_where_the_store_is_made(self, server: object) -> None:
        with pytest.raises(ConfigError, match="redis://localhost:6379/0"):
            RedisStore(server)

    @pytest.mark.parametrize("url", ["redis://h", "rediss://u:p@h:1/2", "unix:///run/redis.sock"])
    def test_urls_of_all_kinds_are_taken(self, url: str) -> None:
        assert "u:p" not in repr(RedisStore(url))

    @pytest.mark.parametrize(
        "url",
        ["redis://:s3cr/et@h:6379", "redis://:12/34@h", "redis://:12#34@h:6379", "redis://:s3#x@h",
         "redis://:12?34@h:6379", "redis://u:s3cr[et@h:6379", "redis://:s3cr et@h:pa",
         "redis://h:s3cr"],
    )  # fmt: skip
    def test_a_url_that_is_refused_shows_no_part_of_its_password(self, url: str) -> None:
        """An unescaped `/`, `#` or `?` makes a port or a path of it."""
        with pytest.raises(ConfigError) as caught:
            RedisStore(url)
        told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__context__)
        for part in ("s3", "12", "34"):
            assert part not in told.replace(__file__, "").split("ConfigError", 1)[1]
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize("prefix", ["", "a b", "{a}", "ü", "x" * 65, "a\n", None])
    def test_a_prefix_is_plain(self, prefix: object) -> None:
        with pytest.raises(ConfigError, match=r"store\.prefix"):
            RedisStore("redis://h", prefix=prefix)  # type: ignore[arg-type]

    @pytest.mark.parametrize("most", [0, -1, True, 1.5, "9"])
    def test_the_queue_has_a_bound(self, most: object) -> None:
        with pytest.raises(ConfigError, match=r"store\.max_jobs"):
            RedisStore("redis://h", max_jobs=most)  # type: ignore[arg-type]

    @pytest.mark.parametrize("flag", ["no", 1, None])
    def test_a_flag_is_true_or_false(self, flag: object) -> None:
        with pytest.raises(ConfigError, match=r"store\.allow_eviction"):
            RedisStore("redis://h", allow_eviction=flag)  # type: ignore[arg-type]

    def test_a_url_that_is_no_utf_8_is_told_without_its_password(self) -> None:
        with pytest.raises(ConfigError, match="store: it holds a byte") as caught:
            RedisStore("redis://:s3\udce9@h")
        assert caught.value.__context__ is None

    def test_a_cluster_client_must_not_read_from_replicas(self) -> None:
        client = redis.asyncio.RedisCluster(host="127.0.0.1", port=1)
        client.read_from_replicas = True
        with pytest.raises(ConfigError, match="read_from_replicas"):
            RedisStore(client)

    def test_redis_is_imported_only_by_who_makes_a_redis_store(self) -> None:
        code = "import pwless_middleware, sys; assert 'redis' not in sys.modules"
        subprocess.run([sys.executable, "-c", code], check=True)


class TestClients:
    @pytest.mark.parametrize("options", [{}, {"decode_responses": True}, {"protocol": 3}])
    async def test_a_client_that_is_passed_in_is_used_and_left_open(
        self, redis_url: str, redis_stores: Stores, options: dict[str, Any]
    ) -> None:
        client = redis.asyncio.Redis.from_url(redis_url, **options)
        store = redis_stores(client)
        await store.open()
        value = bytes(range(256))
        await store.write(Writes(puts=(Put("k", value, NOW + 9, "li"),)), now=NOW, op="1")
        assert await store.read("k", now=NOW) == value
        assert list(await store.read_list("li", now=NOW)) == [("k", value)]
        await until(store.feed.is_live)
        await store.aclose()
        assert await client.ping()
        await client.connection_pool.disconnect()

    async def test_everything_stands_under_the_prefix_and_ends_by_itself(
        self, redis_stores: Stores, prefix: str, admin: Any
    ) -> None:
        store = redis_stores()
        draw = Draw("{a}l", (Limit(9, 60), Limit(9, 3600)))
        put = Put("{a}k", b"v", NOW + 50, "{a}li")
        await store.admit([draw], put, job=None, replaces=None, now=NOW, op="1")
        await store.attempt([draw], "{a}k", now=NOW, op="2")
        ttls = {str(key, "ascii"): await admin.ttl(key) for key in await admin.keys(f"{prefix}*")}
        assert set(ttls) == {
            f"{prefix}:{k}" for k in ("{a}l", "{a}k", "{a}li", "o:{a}:t:2", "marker")
        }
        assert ttls[f"{prefix}:{{a}}l"] > 3500
        assert 45 < ttls[f"{prefix}:{{a}}k"] <= 50
        assert 45 < ttls[f"{prefix}:{{a}}li"] <= 50
        assert 55 < ttls[f"{prefix}:o:{{a}}:t:2"] <= 60

    async def test_a_writer_whose_clock_runs_ahead_unlists_nothing(
        self, redis_stores: Stores
    ) -> None:
        """What it takes for ended lives for the others, and must be found by "revoke all"."""
        store = redis_stores()
        lives, ahead = Put("s1", b"v", NOW + 300, "li"), Put("s2", b"v", NOW + 99_999, "li")
        await store.write(Writes(puts=(lives,)), now=NOW, op="1")
        await store.write(Writes(puts=(ahead,)), now=NOW + 9_999, op="2")
        assert sorted(await store.read_list("li", now=NOW)) == [("s1", b"v"), ("s2", b"v")]

    async def test_two_prefixes_know_nothing_of_each_other(self, redis_stores: Stores) -> None:
        one, other = redis_stores(), redis_stores(prefix="test-other-" + secrets.token_hex(4))
        await one.write(Writes(puts=(Put("k", b"v", NOW + 9),)), now=NOW, op="1")
        assert await other.read("k", now=NOW) is None

    async def test_four_hundred_first_calls_at_once_wait_for_their_connection(
        self, redis_stores: Stores
    ) -> None:
        store = redis_stores()
        answers = await asyncio.gather(*(store.read("k", now=NOW) for _ in range(400)))
        assert answers == [None] * 400

    def test_each_event_loop_has_connections_of_its_own(self, redis_url: str, prefix: str) -> None:
        """As under a test client that makes a loop for each request and closes nothing."""
        store = RedisStore(redis_url, prefix=prefix)

        async def request(number: int) -> bytes | None:
            put = Put("k", b"%d" % number, NOW + 9)
            await store.write(Writes(puts=(put,)), now=NOW, op=str(number))
            store.feed.is_live()
            await until(store.feed.is_live)
            return await store.read("k", now=NOW)

        assert [asyncio.run(request(number)) for number in range(3)] == [b"0", b"1", b"2"]


class TestRefusals:
    async def test_nobody_listens(self, redis_stores: Stores) -> None:
        store = redis_stores(f"redis://127.0.0.1:{free_port()}")
        assert "cannot be reached" in await refusal(store)

    async def test_password(self, servers: Servers, redis_stores: Stores) -> None:
        port = servers({"requirepass": "right"}).port
        for login in ("", ":wrong@", "nobody:wrong@"):
            store = redis_stores(f"redis://{login}127.0.0.1:{port}")
            said = await refusal(store)
            assert "password" in said
            assert "wrong@" not in said
        await redis_stores(f"redis://:right@127.0.0.1:{port}").open()

    async def test_a_password_that_the_server_does_not_have(
        self, redis_stores: Stores, redis_url: str
    ) -> None:
        store = redis_stores(redis_url.replace("redis://", "redis://:some@"))
        assert "password" in await refusal(store)

    async def test_an_acl_user_must_reach_keys_channel_and_info(
        self, redis_stores: Stores, redis_url: str, prefix: str, admin: Any
    ) -> None:
        name = "user" + secrets.token_hex(4)
        url = redis_url.replace("redis://", f"redis://{name}:secret@")
        grants = ["~other:*", f"~{prefix}:*", f"~{prefix}:* &{prefix}:*"]
        try:
            for grant, works in zip(grants, (False, False, True), strict=True):
                await admin.execute_command(
                    "ACL", "SETUSER", name, "reset", "on", ">secret", "+@all", *grant.split()
                )
                store = redis_stores(url)
                if works:
                    await store.open()
                else:
                    assert "ACL" in await refusal(store)
            await admin.execute_command("ACL", "SETUSER", name, "-info")
            assert "+info" in await refusal(redis_stores(url))
            store = redis_stores(url, allow_eviction=True)
            await store.open()
            await asyncio.sleep(0.2)
            assert not store.feed.is_live()  # whether this is a primary cannot be known
        finally:
            await admin.execute_command("ACL", "DELUSER", name)

    async def test_a_server_that_evicts(self, servers: Servers, redis_stores: Stores) -> None:
        url = servers({"maxmemory": "50mb", "maxmemory-policy": "allkeys-lru"}).url
        store = redis_stores(url)
        said = await refusal(store)
        assert "allkeys-lru" in said
        assert "allow_eviction" in said
        with pytest.raises(StoreError, match="allow_eviction"):
            await store.read("k", now=NOW)
        await redis_stores(url, allow_eviction=True).open()

    async def test_a_policy_that_is_changed_while_we_run_is_found(
        self, servers: Servers, redis_stores: Stores, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        url = servers().url
        store, admin = redis_stores(url), redis.asyncio.Redis.from_url(url)
        await store.open()
        await admin.config_set("maxmemory", "50mb")
        await admin.config_set("maxmemory-policy", "allkeys-lru")
        await store.open()  # looked at once a minute
        monkeypatch.setattr(redis_server, "_CHECK_EVERY", 0.0)
        assert "allkeys-lru" in await refusal(store)
        monkeypatch.undo()
        assert "allkeys-lru" in await refusal(store)  # and no minute of grace
        await admin.config_set("maxmemory-policy", "noeviction")
        await store.open()
        await admin.connection_pool.disconnect()

    async def test_who_comes_while_settings_are_looked_at_again_does_not_wait(
        self, redis_stores: Stores, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = redis_stores()
        await store.open()
        monkeypatch.setattr(redis_server, "_CHECK_EVERY", 0.0)
        async with store._server._checking.here():
            await store.open()

    async def test_an_error_that_quotes_a_command_is_not_chained(
        self, servers: Servers, redis_stores: Stores
    ) -> None:
        """Redis names the arguments of a command that it does not know: keys, values, passwords."""
        store = redis_stores(servers({"rename-command": "EVALSHA NO_EVALSHA"}).url)
        with pytest.raises(StoreError, match="lacks a command") as caught:
            await store.read("secret", now=NOW)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None

    async def test_a_policy_without_a_maxmemory_evicts_nothing(
        self, servers: Servers, redis_stores: Stores
    ) -> None:
        await redis_stores(servers({"maxmemory-policy": "allkeys-lru"}).url).open()

    async def test_an_old_server(self, servers: Servers, redis_stores: Stores) -> None:
        server = servers()
        async with Proxy(server.port) as proxy:
            client = redis.asyncio.Redis.from_url(server.url)
            version = (await client.info())["redis_version"]
            await client.connection_pool.disconnect()
            old = "6.0.1234"[: len(version)].ljust(len(version), "1")
            proxy.rewrites = {b"version:" + version.encode(): b"version:" + old.encode()}
            store = redis_stores(proxy.url)
            assert "too old" in await refusal(store)
            await store.aclose()

    async def test_a_key_of_another_type_leaves_nothing_half_done(
        self, redis_stores: Stores, prefix: str, admin: Any
    ) -> None:
        store = redis_stores()
        await admin.lpush(f"{prefix}:alien", "x")
        await store.write(Writes(puts=(Put("k", b"v", NOW + 9),)), now=NOW, op="0")
        limit = (Limit(1, 60),)
        alien, mine = Draw("alien", limit), Draw("mine", limit)
        put = Put("new", b"v", NOW + 9)
        calls = [
            store.read("alien", now=NOW),
            store.read_list("alien", now=NOW),
            store.attempt([mine, alien], "k", now=NOW, op="1"),
            store.admit([mine, alien], put, job=None, replaces=None, now=NOW, op="2"),
            store.take("alien", Writes(), now=NOW, op="3"),
            store.take("k", Writes(puts=(Put("n", b"v", NOW + 9, "alien"),)), now=NOW, op="4"),
            store.take("k", Writes(drops=(Drop("n", listed="alien"),)), now=NOW, op="5"),
        ]
        for call in calls:
            with pytest.raises(StoreError, match="another type"):
                await call
        assert await store.read("k", now=NOW) == b"v"
        assert await store.read("new", now=NOW) is None
        assert (await store.attempt([mine], "k", now=NOW, op="6")).value == b"v"

    def test_tls_that_fails_for_another_reason_is_named(self) -> None:
        fault = redis.exceptions.ConnectionError("Error connecting")
        fault.__context__ = ssl.SSLError(1, "[SSL] wrong version number")
        assert "TLS fails" in str(explain(fault))

    def test_what_has_no_advice_is_named(self) -> None:
        assert "DataError" in str(explain(redis.exceptions.DataError("x")))


class TestRoundTrips:
    """One verb is one request on the wire, counted by the server's own statistics."""

    async def test_each_verb_is_one(self, servers: Servers, redis_stores: Stores) -> None:
        server = servers()
        store, client = redis_stores(server.url), redis.asyncio.Redis.from_url(server.url)
        draws = [Draw(key, (Limit(9, 60),)) for key in ("{a}l", "c", "d")]
        put, session = Put("{a}k", b"v", NOW + 99), Put("s", b"v", NOW + 99, "li")
        new = Writes((session,), (Drop("old", listed="li", publish=True),))

        async def verbs(n: int) -> list[int]:
            counts = []
            for call in (
                lambda: store.admit(draws, put, job=b"j", replaces=None, now=NOW, op=f"a{n}"),
                lambda: store.admit(draws, put, job=b"j", replaces=b"v", now=NOW, op=f"b{n}"),
                lambda: store.attempt(draws, "{a}k", now=NOW, op=f"c{n}"),
                lambda: store.take("{a}k", new, now=NOW, op=f"d{n}"),
                lambda: store.read("s", now=NOW),
                lambda: store.read_list("li", now=NOW),
                lambda: store.swap(session, replaces=b"v", now=NOW),
                lambda: store.write(new, now=NOW, op=f"e{n}"),
                lambda: store.jobs.claim(now=NOW, limit=9),
                store.ping,
            ):
                before = (await client.info("stats"))["total_reads_processed"]
                await call()
                after = (await client.info("stats"))["total_reads_processed"]
                counts.append(after - before - 1)
            return counts

        await verbs(1)  # the server learns the scripts
        assert await verbs(2) == [1] * 10
        await client.connection_pool.disconnect()


async def test_tls(servers: Servers, redis_stores: Stores, tmp_path: Path) -> None:
    """`rediss://` proves the server; a certificate of nobody we know is refused."""
    authority, port = trustme.CA(), free_port()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    pem = str(tmp_path / "server.pem")
    options = {
        "tls-port": str(port),
        "tls-cert-file": pem,
        "tls-key-file": pem,
        "tls-ca-cert-file": str(tmp_path / "ca.pem"),
        "tls-auth-clients": "no",
    }
    try:
        servers(options)
    except RuntimeError as exc:
        if "TLS" not in str(exc) and "tls" not in str(exc):
            raise
        lacking("this redis-server was built without TLS")
    url = f"rediss://127.0.0.1:{port}/0"
    store = redis_stores(f"{url}?ssl_ca_certs={tmp_path / 'ca.pem'}")
    await store.open()
    await until(store.feed.is_live)
    assert "certificate is not trusted" in await refusal(redis_stores(url))
    assert "ssl_ca_certs" in await refusal(redis_stores(url))
    own = redis.asyncio.Redis.from_url(url)
    assert "certificate is not trusted" in await refusal(redis_stores(own))
    await own.connection_pool.disconnect()
    named = url.replace("127.0.0.1", "localhost") + f"?ssl_ca_certs={tmp_path / 'ca.pem'}"
    assert "localhost" in await refusal(redis_stores(named))
