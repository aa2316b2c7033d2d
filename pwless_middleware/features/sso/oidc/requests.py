"""Requests to a provider, and answers in JSON, of which nothing is trusted (security rule 53)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import RequestFailed
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.safe_http.client import SafeHTTPClient

MOST_BYTES: Final = 262_144
"""Of an answer that are read: the largest in the field (a JWKS with certificates) has a tenth."""
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class JSONAnswer:
    """An answer of a provider.

    Attributes:
        status: of HTTP.
        content: the JSON object; `None` where there is none.
        body: what came.
        content_type: without its parameters, in lower case.
    """

    status: int
    content: Mapping[str, object] | None
    body: bytes
    content_type: str


async def ask(
    client: SafeHTTPClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
) -> JSONAnswer:
    """Make one request.

    Raises:
        SSOFault: `request_…`, there is no answer.
    """
    sent = {"accept": "application/json", **(headers or {})}
    try:
        answer = await client.request(method, url, headers=sent, content=content)
    except RequestFailed as error:
        raise SSOFault.of_request(error, url) from error
    is_whole = answer.is_whole and len(answer.body) <= MOST_BYTES
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    found = read_object(answer.body) if is_whole else None
    return JSONAnswer(answer.status, found, answer.body, content_type)


def read_object(text: bytes | str) -> Mapping[str, object] | None:
    """Return the JSON object of a text, or `None` if it is none.

    Half of a pair of surrogates is no text: it could neither be shown nor kept.
    """
    try:
        found = json.loads(text, parse_constant=_refuse)
        if _SURROGATE.search(text if isinstance(text, str) else text.decode()):
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refuse(name: str) -> object:
    raise ValueError(name)  # NaN and Infinity are no JSON (RFC 8259 section 6)
