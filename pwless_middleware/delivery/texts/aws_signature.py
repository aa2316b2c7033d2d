"""AWS Signature Version 4 of one POST with a form, as SNS takes it.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html: a canonical
request, its digest with the moment and the scope, and the HMAC of that under a key that is derived
from the secret by day, region and service.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from pwless_middleware.core.dataclass import dataclass

_ALGORITHM: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Hold what a request is signed with.

    Attributes:
        access_key_id: names the key.
        secret_access_key: the key.
        session_token: of a role's passing credentials; empty for a user's.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


def sign(
    url: str,
    headers: Mapping[str, str],
    content: bytes,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    now: int,
) -> dict[str, str]:
    """Return the headers of a signed POST.

    Args:
        url: without a query.
        headers: those that are signed as well, names in lower case.
        content: the body.
        credentials: who signs.
        region: e.g. `eu-central-1`.
        service: e.g. `sns`.
        now: unix seconds.
    """
    parts, moment = urlsplit(url), datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    signed = {**headers, "host": parts.netloc, "x-amz-date": moment}
    if credentials.session_token:
        signed["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name].strip()}\n" for name in sorted(signed))
    digest = sha256(content).hexdigest()
    canonical = f"POST\n{parts.path or '/'}\n\n{lines}\n{names}\n{digest}"
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    text = f"{_ALGORITHM}\n{moment}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    signed["authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key_id}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return signed
