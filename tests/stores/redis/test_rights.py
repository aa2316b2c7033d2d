"""An ACL that forbids a command of ours is found by every look, with the rule to add."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Callable
from importlib import resources
from typing import Any

import pytest

from pwless_middleware.errors import StoreError
from pwless_middleware.stores.redis import RedisStore
from pwless_middleware.stores.redis.errors import forbidden

pytestmark = pytest.mark.anyio

Stores = Callable[..., RedisStore]
Allow = Callable[..., Any]
_IN_SCRIPTS = re.compile(r"(?:redis\.p?call|\btry)\('([A-Z]+)'")
_IN_PYTHON = re.compile(r'command\(\s*"([A-Z]+)"')


@pytest.fixture
async def allow(admin: Any, prefix: str) -> AsyncIterator[Allow]:
    """A user of the server, and what gives them further rules."""
    name = "user" + secrets.token_hex(4)

    async def allow(*rules: str) -> str:
        await admin.execute_command("ACL", "SETUSER", name, "on", ">secret", *rules)
        return name

    await allow(f"~{prefix}:*", f"&{prefix}:*", "+@all")
    yield allow
    await admin.execute_command("ACL", "DELUSER", name)


async def what_is_missing(store: RedisStore) -> str:
    """Return what a look at the store says; empty if all is well."""
    try:
        await store.ping()
    except StoreError as error:
        return str(error)
    return ""


def commands_in(script: str) -> set[str]:
    """Return the commands that a script sends."""
    folder = resources.files("pwless_middleware.stores.redis") / "lua"
    return set(_IN_SCRIPTS.findall((folder / f"{script}.lua").read_text()))


def test_every_command_that_we_send_is_looked_at() -> None:
    """`INFO` is looked at where the server itself is: it may be missing."""
    folder = resources.files("pwless_middleware.stores.redis")
    scripts = {file.name[:-4] for file in (folder / "lua").iterdir()} - {"rights"}
    assert len(scripts) > 10
    looked_at = commands_in("rights")
    assert looked_at >= set[str]().union(*map(commands_in, scripts))
    sources = [file.read_text() for file in folder.iterdir() if file.name.endswith(".py")]
    sent = {command for source in sources for command in _IN_PYTHON.findall(source)}
    assert sent > {"GET", "EVALSHA"}
    assert sent - looked_at == {"EVAL", "EVALSHA", "SUBSCRIBE", "INFO"}


async def test_one_command_that_is_forbidden_is_named_with_the_rule_to_add(
    allow: Allow, redis_stores: Stores, redis_url: str
) -> None:
    name = await allow()
    url = redis_url.replace("redis://", f"redis://{name}:secret@")
    at_start = sorted(commands_in("rights"))
    for command in [*at_start, "EVAL", "EVALSHA", "SUBSCRIBE"]:
        await allow(f"-{command.lower()}")
        store = redis_stores(url)
        assert await what_is_missing(store) == str(forbidden([command]))
        await allow(f"+{command.lower()}")
        assert await what_is_missing(store) == "" or command == "SUBSCRIBE"
        await store.aclose()


async def test_all_that_is_missing_is_said_at_once(
    allow: Allow, redis_stores: Stores, redis_url: str
) -> None:
    name = await allow("-xadd", "-zadd", "-eval")
    store = redis_stores(redis_url.replace("redis://", f"redis://{name}:secret@"))
    # The script itself can only come to the server by EVAL, unless it is there.
    other = redis_stores(redis_url)
    await other.ping()
    assert await what_is_missing(store) == (
        "Redis: the ACL user may not run ZADD, XADD, EVAL: ACL SETUSER <user> +zadd +xadd +eval"
    )


async def test_the_look_leaves_nothing_behind(
    redis_stores: Stores, redis_url: str, admin: Any, prefix: str
) -> None:
    """And fails with no command, so that no monitoring of the server sees errors."""
    before = await failed_calls(admin)
    await redis_stores(redis_url).ping()
    left = [key async for key in admin.scan_iter(f"{prefix}:*")]
    assert not any(b"rights" in key for key in left)
    assert await failed_calls(admin) == before


async def failed_calls(admin: Any) -> dict[str, int]:
    """Return how many calls of our scripts' commands have failed on this server."""
    about = await admin.info("commandstats")
    ours = {command.lower() for command in commands_in("rights")}
    failed = {
        name.removeprefix("cmdstat_"): said["failed_calls"] + said["rejected_calls"]
        for name, said in about.items()
    }
    return {
        name: count for name, count in failed.items() if count and name.partition("|")[0] in ours
    }
