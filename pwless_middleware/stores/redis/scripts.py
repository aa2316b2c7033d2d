"""The Lua scripts of the Redis store: one short file for each verb, `lua/common.lua` before each.

A script is called by its SHA-1, as Redis keeps it; only a server that has not seen it (a new one,
or one that was restarted) is sent the text.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from importlib import resources


@dataclass(frozen=True, slots=True)
class Script:
    """One script's text and the name under which Redis keeps it."""

    name: str
    text: bytes = field(repr=False)
    sha: str

    @classmethod
    def load(cls, name: str) -> Script:
        """Read `lua/<name>.lua` with what every script begins with."""
        folder = resources.files("pwless_middleware.stores.redis") / "lua"
        text = (folder / "common.lua").read_bytes() + (folder / f"{name}.lua").read_bytes()
        # Redis names scripts by SHA-1; nothing is protected by it.
        return cls(name, text, hashlib.sha1(text, usedforsecurity=False).hexdigest())


ADMIT = Script.load("admit")
ATTEMPT = Script.load("attempt")
WRITE = Script.load("write")
SWAP = Script.load("swap")
READ_LIST = Script.load("read_list")
PING = Script.load("ping")
RIGHTS = Script.load("rights")
PRIMARY = Script.load("primary")
CLAIM = Script.load("claim")
COMPLETE = Script.load("complete")
HOLD = Script.load("hold")
SETTLE = Script.load("settle")
LEAVE = Script.load("leave")
COUNT = Script.load("count")
LIST = Script.load("list")
REVIVE = Script.load("revive")
DROP = Script.load("drop")
