"""The JSON fields of steps by a second factor."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.challenges.pasted_text import MAX_CODE
from pwless_middleware.core.people.given_name import LONGEST
from pwless_middleware.web.requests.fields import Field, Fields

CODE: Final = Field(
    about="As it is shown, in the app or the text message, or on the list of recovery codes.",
    example="287082",
    required=True,
    shortest=1,
    longest=MAX_CODE,
)
ENROLLMENT_ID: Final = Field(
    about="As the enrollment came with it.",
    example="dGhpcyBpcyBvbmx5IGFuIA",
    shortest=1,
    longest=40,
)
NAME: Final = Field(
    about="What the person calls it: one line of plain text.",
    example="My phone",
    longest=LONGEST,
)

STEP: Final = Fields({"code": CODE})
"""Of a step by a method that is there."""
ENROLLING_STEP: Final = Fields({"code": CODE, "enrollment_id": ENROLLMENT_ID, "name": NAME})
"""Of a step by a method that may be made in it."""
