"""What is struck from a reason before a log, an event or the queue has it.

Ours quote nobody. A sender of the host's own may have put into its error what it was to send, or
what was answered.
"""

from __future__ import annotations

import re
from typing import Final

MOST_CHARACTERS: Final = 500
"""Of a reason that are kept: what it quotes may be a whole page, and searching that takes time."""

_ADDRESSES_AND_LINKS: Final = re.compile(r"\S*(?:@|://)\S*")
# A code has six digits, a phone number more; the error codes of gateways have five at most.
_NUMBERS: Final = re.compile(r"\+?[0-9](?:[ ()./-]{0,2}[0-9]){5,}")


def redact(reason: str, *, is_text: bool = False) -> str:
    """Return a reason without addresses and links, cut where it is long.

    Args:
        reason: the text of a `DeliveryError`.
        is_text: whether it is about a text message: then phone numbers and codes go as well. What
            a mail server answers is full of numbers that tell what is wrong.
    """
    # What the cut leaves of an address could be read; a word that it goes through is left out.
    if len(reason) > MOST_CHARACTERS:
        reason = reason[:MOST_CHARACTERS].rpartition(" ")[0] + " …"
    reason = _ADDRESSES_AND_LINKS.sub("…", reason)
    return _NUMBERS.sub("…", reason) if is_text else reason
