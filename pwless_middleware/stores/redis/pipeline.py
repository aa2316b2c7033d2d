"""Commands in one round trip, each with its own reply or its own exception."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.client import NEVER_DECODE

Command = tuple[bytes | str | int, ...]


async def pipeline(client: Any, commands: Sequence[Command]) -> list[Any]:
    """Send commands in one round trip, and return their replies, as bytes, or exceptions.

    Args:
        client: of redis-py, for a single Redis.
        commands: at least one.
    """
    # An empty list would do; redis-py only looks for the key, and removes it.
    if len(commands) == 1:
        return [await client.execute_command(*commands[0], **{NEVER_DECODE: []})]
    if client.single_connection_client:  # its pipelines would take a second one
        return [await _reply(client, command) for command in commands]
    sent = client.pipeline(transaction=False)
    for command in commands:
        sent.execute_command(*command, **{NEVER_DECODE: []})
    replies: list[Any] = await sent.execute(raise_on_error=False)
    return replies


async def _reply(client: Any, command: Command) -> Any:
    try:
        return await client.execute_command(*command, **{NEVER_DECODE: []})
    except Exception as fault:
        return fault
