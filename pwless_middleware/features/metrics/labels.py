"""Values of labels: from closed lists, and never what somebody typed (security rule 66).

A label's values are kept for ever by whoever scrapes them, readable by more people than the login's
own log, and each one is a series: so nothing of a person may be one, and there may be few of them.
"""

from __future__ import annotations

import re
from typing import Final

OTHER: Final = "other"
MOST_METHODS: Final = 32
"""Login methods that are told apart: those of the product are eight."""
_METHOD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


class MethodNames:
    """Tell login methods apart by their names, which features give.

    The first `MOST_METHODS` that look like a name in code are themselves; any further one is
    `other`: a feature might have put a connection or a person into it.
    """

    def __init__(self) -> None:
        self._known: set[str] = set()

    def label(self, method: str | None) -> str:
        """Return the value of the label `method`."""
        if method is None or not _METHOD.fullmatch(method):
            return OTHER
        if method not in self._known:
            if len(self._known) >= MOST_METHODS:
                return OTHER
            self._known.add(method)
        return method
