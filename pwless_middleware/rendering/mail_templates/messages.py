"""The wording of text messages, where no operator has edited it.

All is written so that one part of 160 characters of GSM 03.38 holds it, with the last line that
binds the code to the host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.text import Text

MESSAGES: Final[Mapping[str, str]] = {
    "sms_code": Text("%(code)s is your code for %(brand)s. Never give it to anyone, us included."),
    "sms_enrollment": Text(
        "%(code)s is your code to add this phone to %(brand)s. Did you not ask for it? Ignore this."
    ),
}
"""By name, with `code` and `brand` to be filled in."""
