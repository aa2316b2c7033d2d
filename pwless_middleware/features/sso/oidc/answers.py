"""The answer of an OpenID provider, as a browser brings it along."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

_FIELDS: Final = ("code", "state", "iss", "error", "error_description")


def read_answer(request: Request) -> dict[str, str]:
    """Return the fields of an answer.

    One that came twice is empty, and not as if it had not come: of an answer that names two issuers
    nobody knows who gave it (RFC 6749 section 3.1: no parameter comes more than once).
    """
    query = request.query_params
    found = {name: query.getlist(name) for name in _FIELDS if name in query}
    once = {name: values[0] if len(values) == 1 else "" for name, values in found.items()}
    return {"state": "", **once}
