"""The name that a person gives to something of theirs, to know it again in a list."""

from __future__ import annotations

import re
from typing import Final

from pwless_middleware.core.control_characters import BIDI, CONTROL, LINE_ENDS
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.text import Text

LONGEST: Final = 60
"""Characters."""
_UNFIT: Final = re.compile(f"[{CONTROL}{LINE_ENDS}{BIDI}]")


def read_name(name: str) -> str:
    """Return a name without spaces around it; an empty one is none.

    Raises:
        InvalidArgument: it is longer than 60 characters, or has some that change how what stands
            beside them is read.
    """
    name = name.strip()
    if len(name) > LONGEST:
        problem = Text("Send %(least)s to %(most)s characters.", least=0, most=LONGEST)
        raise InvalidArgument.of("name", problem, "length")
    if _UNFIT.search(name):
        raise InvalidArgument.of("name", Text("A name is one line of plain text."), "text")
    return name
