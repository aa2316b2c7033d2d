"""A policy as it stands in a column: a JSON object of what it says, and nothing of what it leaves.

What is kept was checked when it came in, so that nothing is checked here.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from pwless_middleware.core.organizations.policy import Policy

_SETS = ("methods", "second_factors", "break_glass")


def pack_policy(policy: Policy) -> str:
    """Return a policy as it is kept."""
    given = ((one.name, getattr(policy, one.name)) for one in fields(policy))
    found = {
        name: sorted(value) if name in _SETS else value
        for name, value in given
        if value is not None
    }
    return json.dumps(found, separators=(",", ":"))


def unpack_policy(text: str) -> Policy:
    """Return the policy that a column holds."""
    found: dict[str, Any] = json.loads(text)
    for name in _SETS:
        if name in found:
            found[name] = frozenset(found[name])
    return Policy(**found)
