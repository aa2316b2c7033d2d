"""Filters (RFC 7644 section 3.4.2.2): one attribute that equals one value, as directories ask."""

from __future__ import annotations

import json
import re
from typing import Final, Literal

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.features.sso.scim.errors import ScimRefused
from pwless_middleware.features.sso.scim.schemas import USER

MOST_CHARACTERS: Final = 1000
_FILTER: Final = re.compile(
    rf"\s*(?:{re.escape(USER)}:)?(?P<name>[a-z][a-z.]*(?:\[type\s+eq\s+\"work\"\](?:\.value)?)?)"
    r"\s+eq\s+(?P<value>\"(?:[^\"\\]|\\.)*\"|true|false)\s*",
    re.IGNORECASE,
)
_NAMES: Final[dict[str, Literal["userName", "externalId", "id"]]] = {
    "username": "userName",
    "emails": "userName",
    "emails.value": "userName",
    "externalid": "externalId",
    "id": "id",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for.

    Attributes:
        name: of the attribute. An address is a `userName`.
        value: what it equals.
    """

    name: Literal["userName", "externalId", "id"]
    value: str


def read_filter(text: str) -> Filter:
    """Return what a filter looks for.

    Raises:
        ScimRefused: it is none, or one that is not supported.
    """
    found = _FILTER.fullmatch(text) if len(text) <= MOST_CHARACTERS else None
    name = re.sub(r"\[.*?\](\.value)?", "", found["name"].lower()) if found is not None else ""
    if found is None or name not in _NAMES:
        raise ScimRefused(
            400,
            "invalidFilter",
            'Filter by userName, externalId or id, e.g. userName eq "jo@acme.com".',
        )
    try:
        value = json.loads(found["value"])
    except ValueError:
        value = None
    if not isinstance(value, str):
        raise ScimRefused(400, "invalidFilter", "Compare with a text in double quotes.")
    return Filter(_NAMES[name], value)
