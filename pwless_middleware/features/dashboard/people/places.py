"""Where a page of people begins, as it stands in a query.

A cursor tells that and nothing else: whatever somebody writes there is compared with rows, and
chooses no order and no filter (security rule 65).
"""

from __future__ import annotations

import re

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.people.person import Place
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.text import Text

_PLACE = re.compile(r"([0-9]{1,12})\.([!-~]{1,128})")


def write_place(place: Place) -> str:
    """Return a place in the list by time as a cursor: `1767225600.Rf-EcZvW1K_abohaZQpGMw`."""
    return f"{place.created_at}.{place.id}"


def read_place(field: str, cursor: str) -> Place | None:
    """Return the place in the list by time of a cursor; `None` for an empty one.

    Raises:
        InvalidArgument: it is no cursor of ours.
    """
    if not cursor:
        return None
    found = _PLACE.fullmatch(cursor)
    if found is None:
        raise bad_cursor(field)
    return Place(int(found[1]), found[2])


def read_address(field: str, cursor: str) -> str:
    """Return the address behind which a page by address begins; empty for an empty cursor.

    Raises:
        InvalidArgument: it is no address as we keep them.
    """
    if cursor and parse_address(cursor) != cursor:
        raise bad_cursor(field)
    return cursor


def bad_cursor(field: str) -> InvalidArgument:
    """Return the error of a cursor that is none of ours."""
    return InvalidArgument.of(field, Text("This is not where a page begins."), "cursor")
