"""The JSON fields of phone numbers; read for Python too, and where the library is not there."""

from __future__ import annotations

from typing import Final

from pwless_middleware.web.requests.fields import Field, Fields

LONGEST: Final = 40
"""Characters of a number as it is typed; the longest of E.164 has 15 digits (ITU-T E.164 §6)."""

PHONE: Final = Fields(
    {
        "phone": Field(
            about="A mobile number: international, or national with its country.",
            example="+4915123456789",
            required=True,
            shortest=1,
            longest=LONGEST,
        ),
        "country": Field(
            about="Whose national number it may be (ISO 3166-1).", example="DE", longest=2
        ),
    }
)
"""Of a number that is to be added."""
SEND: Final = Fields(
    {
        "factor_id": Field(
            about="To which of the person's numbers; absent for the one that was added first.",
            example="dGhpcyBpcyBvbmx5IGFuIA",
            longest=40,
        )
    }
)
"""Of a text message that is asked for in a step."""
