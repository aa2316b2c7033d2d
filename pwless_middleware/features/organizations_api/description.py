"""What the tables of the resource have in common."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.control_characters import BIDI, CONTROL, LINE_ENDS
from pwless_middleware.core.organizations.organization import NAME_LENGTH, ROLE_LENGTH
from pwless_middleware.errors import ApiError, ForbiddenOrigin, NotFound, Unauthenticated
from pwless_middleware.flows.organizations.checks import MOST
from pwless_middleware.web.requests.fields import Field
from pwless_middleware.web.requests.queries import PRINTABLE
from pwless_middleware.web.routing.operations import API_KEY

BASE: Final = "/api/v1/organizations"
ONE: Final = f"{BASE}/{{id}}"
READ: Final = "organizations:read"
"""The scope of what only reads."""
CHANGE: Final = "organizations"
"""The scope of what changes."""
PAGE: Final = 50
"""Rows of a page, where nobody says how many."""

BY_KEY: Final = ((API_KEY,),)
ERRORS: Final[tuple[type[ApiError], ...]] = (Unauthenticated, ForbiddenOrigin, NotFound)
WHICH: Final = {"id": "The organization's id, or your own key of it (`external_id`)."}
ONE_LINE: Final = {"pattern": f"^[^{CONTROL}{LINE_ENDS}{BIDI}]*$"}

LIMIT: Final = Field(
    kind="integer",
    about=f"How many at most; default {PAGE}.",
    example=PAGE,
    least=1,
    most=MOST,
)
VERSION: Final = Field(
    kind="integer",
    about="The version that the change is made to: 400 if somebody else has changed it since.",
    example=1,
    least=1,
)
ROLE: Final = Field(
    about="For the app to read; empty for none.",
    example="admin",
    longest=ROLE_LENGTH,
    also=ONE_LINE,
)


def name_field(about: str, example: str, *, required: bool = False) -> Field:
    """Describe a name in one line."""
    return Field(
        about=about,
        example=example,
        required=required,
        shortest=1,
        longest=NAME_LENGTH,
        also=ONE_LINE,
    )


def after_field(about: str, example: str) -> Field:
    """Describe what a page begins behind."""
    also = {"pattern": PRINTABLE}
    return Field(about=about, example=example, shortest=1, longest=254, also=also)


def next_field(example: str) -> Field:
    """Describe how the next page is asked for."""
    return Field(about="For `after` of the next page; absent on the last.", example=example)
