"""What stands in a gateway's report of how a message ended, in whichever form it comes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

_MOST_FIELDS = 64


def read_fields(body: bytes) -> Mapping[str, str]:
    """Return the texts of a report: of a JSON object, a form, or a query string.

    What is none of them is empty, and a field that stands more than once counts for nothing.
    """
    try:
        text = body.decode("utf-8")
        if text.lstrip()[:1] == "{":
            pairs = list(json.loads(text, object_pairs_hook=list))
        else:
            pairs = parse_qsl(text, max_num_fields=_MOST_FIELDS)
    except (ValueError, RecursionError):
        return {}
    if len(pairs) > _MOST_FIELDS:
        return {}
    names = [name for name, _ in pairs]
    return {
        name: value for name, value in pairs if isinstance(value, str) and names.count(name) == 1
    }
