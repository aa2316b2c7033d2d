"""Read a query string by a table of fields: every name known, each once, nothing left over.

A misspelled filter would else answer with what nobody asked for (security rule 65). The body of a
call ignores unknown fields, since clients send what newer versions know; a query filters.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from pwless_middleware.core.control_characters import CONTROL
from pwless_middleware.errors import FieldViolation, InvalidArgument
from pwless_middleware.text import Text
from pwless_middleware.web.requests.bodies import Json
from pwless_middleware.web.requests.fields import Fields, Values

MAX_QUERY: Final = 4096
"""Bytes of a query string."""
PRINTABLE: Final = f"^[^{CONTROL}]*$"
"""What a value may hold, for a field's `also`: no database takes a NUL."""
_CONTROL: Final = re.compile(f"[{CONTROL}]")
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")


def read_query(request: Request, fields: Fields) -> Values:
    """Check the query of a request against a table.

    Raises:
        InvalidArgument: it is no query string in UTF-8, names a field twice or one that there is
            not, or a value is not what the table says; every bad field is named.
    """
    raw = request.scope["query_string"]
    try:
        if len(raw) > MAX_QUERY:
            raise ValueError("too long")
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, strict_parsing=bool(raw), errors="strict"
        )
    except ValueError:
        raise InvalidArgument.of("query", Text("This is no query string."), "query") from None
    bad: list[FieldViolation] = []
    found: dict[str, Json] = {}
    for name, value in pairs:
        field = fields.fields.get(name)
        if field is None:
            names = ", ".join(fields.fields)
            bad.append(
                FieldViolation(name[:40], Text("Send one of %(names)s.", names=names), "name")
            )
        elif name in found:
            bad.append(FieldViolation(name, Text("This field came twice."), "once"))
        elif _CONTROL.search(value):
            bad.append(FieldViolation(name, Text("This holds a control character."), "characters"))
        else:
            is_number = field.kind == "integer" and _INTEGER.fullmatch(value)
            found[name] = int(value) if is_number else value
    if bad:
        raise InvalidArgument(bad)
    return fields.read(found)
