"""What roles are called, and what they hold, in words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.operators.operator import Role
from pwless_middleware.text import Text

NAMES: Final[Mapping[Role, Text]] = {
    "view": Text("View"),
    "support": Text("Support"),
    "admin": Text("Admin"),
}
"""By role."""
MEANINGS: Final[Mapping[Role, Text]] = {
    "view": Text("Looks at everything, and changes nothing."),
    "support": Text("Looks at everything, helps people, and takes exports away."),
    "admin": Text("Does all that, and decides on settings, mails, keys and operators."),
}
"""By role."""
