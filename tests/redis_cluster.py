"""A Redis Cluster for tests: three primaries, each with a replica, on loopback.

Made with CLUSTER commands and not with `redis-cli`, which not every server package brings.
"""

from __future__ import annotations

import contextlib
import random
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from tests.redis_server import Server

SLOTS = 16384
_random = random.SystemRandom()  # see tests/ports.py


def cluster_port() -> int:
    """Return a free port whose bus port (10,000 above) is free as well."""
    while True:
        port = _random.randint(10_000, 21_999)
        with contextlib.suppress(OSError), socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", port))
            two.bind(("127.0.0.1", port + 10000))
            return port


class Cluster:
    """Run three primaries and three replicas.

    Args:
        node_timeout: milliseconds until a silent node counts as failed. The default is long, so
            that a busy machine causes no failover; with 1000 one takes about two seconds.
    """

    def __init__(self, *, node_timeout: int = 10_000) -> None:
        options = {
            "cluster-enabled": "yes",
            "cluster-node-timeout": str(node_timeout),
            "cluster-replica-validity-factor": "0",
        }
        self.nodes = [Server(options, port=cluster_port()) for _ in range(6)]
        self._clients: list[Any] = [redis.Redis(port=node.port) for node in self.nodes]
        ids = [client.execute_command("CLUSTER", "MYID").decode() for client in self._clients]
        bounds = [0, SLOTS // 3, 2 * SLOTS // 3, SLOTS]
        for number, client in enumerate(self._clients):
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            client.execute_command("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port)
            if number < 3:
                slots = range(bounds[number], bounds[number + 1])
                client.execute_command("CLUSTER", "ADDSLOTS", *slots)
        self._until(lambda info: int(info["cluster_known_nodes"]) == 6)
        for number, client in enumerate(self._clients[3:]):
            _eventually(
                lambda client=client, id=ids[number]: client.execute_command(  # type: ignore[misc]
                    "CLUSTER", "REPLICATE", id
                )
            )
        self._until(lambda info: info["cluster_state"] == "ok")
        for client in self._clients[3:]:
            _eventually(lambda client=client: _linked(client))  # type: ignore[misc]

    def _until(self, is_so: Callable[[dict[str, str]], bool]) -> None:
        for client in self._clients:
            _eventually(lambda client=client: is_so(client.cluster("info")) or _not_yet())  # type: ignore[misc]

    def settle(self) -> None:
        """Wait until every node that runs says that the cluster works."""
        for node, client in zip(self.nodes, self._clients, strict=True):
            if node.is_running:
                _eventually(
                    lambda client=client: (  # type: ignore[misc]
                        client.cluster("info")["cluster_state"] == "ok" or _not_yet()
                    )
                )

    def close(self) -> None:
        """End all of it."""
        for client in self._clients:
            client.close()
        for node in self.nodes:
            node.close()


def _not_yet() -> bool:
    raise redis.exceptions.ResponseError("not yet")


def _linked(client: Any) -> bool:
    return bool(client.info("replication")["master_link_status"] == "up") or _not_yet()


def _eventually(do: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            do()
        except redis.exceptions.RedisError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


async def disconnect(client: Any) -> None:
    """Close a cluster client; `aclose` came with redis-py 5.0.1."""
    await (getattr(client, "aclose", None) or client.close)()


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[Cluster]:
    """Return a cluster for the whole session; not to be harmed."""
    cluster = Cluster()
    yield cluster
    cluster.close()
