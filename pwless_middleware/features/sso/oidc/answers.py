"""The answer of an OpenID provider, as a browser brings it along."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

_FIELDS: Final = ("code", "state", "iss", "error", "error_description")


def read_answer(request: Request) -> dict[str, str]:
    """Return the fields of an answer; one that came twice is as if it had not come."""
    query = request.query_params
    found = {name: query.getlist(name) for name in _FIELDS}
    once = {name: values[0] for name, values in found.items() if len(values) == 1}
    return {"state": "", **once}
