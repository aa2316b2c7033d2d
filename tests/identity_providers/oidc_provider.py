"""`oidc-provider` of npm, which is certified by the OpenID Foundation, as a process of the tests.

With `CI` set, a machine without Node or the package fails; elsewhere the test is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.identity_providers.node import need_package
from tests.identity_providers.processes import running
from tests.identity_providers.provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider
from tests.ports import free_port


class OIDCProvider(IdentityProvider):
    """It, running. Whoever signs in as `jo@acme.example` has that address, verified."""

    def know(self, login: str, **claims: Any) -> None:
        """Set what it says of somebody: `email`, `email_verified`, `name`, `groups`."""
        url = f"{self.issuer}/accounts/{quote(login, safe='')}"
        assert httpx.put(url, json=claims, timeout=30).status_code == 204


@pytest.fixture(scope="session")
def oidc_provider() -> Iterator[OIDCProvider]:
    """Return one for the whole session, which all tests share."""
    node = need_package("oidc-provider")
    port = free_port()
    issuer = f"http://localhost:{port}"
    client = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": ["https://app.example.com/"],  # it allows all others too
        "post_logout_redirect_uris": ["https://app.example.com/"],
    }
    settings = json.dumps({"issuer": issuer, "port": port, "clients": [client]})
    script = Path(__file__).with_suffix(".mjs")
    with running(
        [node, "--no-warnings", str(script), settings],
        f"{issuer}/.well-known/openid-configuration",
    ):
        yield OIDCProvider(issuer)
