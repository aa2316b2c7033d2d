"""nanoidp, a provider by OpenID Connect and by SAML, as a process of the tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from tests.identity_providers.processes import running
from tests.identity_providers.provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider
from tests.ports import free_port

PASSWORD: Final = "password"
PEOPLE: Final = {
    "jo": {"email": "jo@acme.example", "groups": ["staff", "admins"]},
    "kim": {"email": "kim@acme.example", "groups": ["staff"]},
    "stray": {"email": "stray@elsewhere.example", "groups": []},
}
"""User name to who it is; the password of all is `PASSWORD`."""


class NanoIDP(IdentityProvider):
    """It, running. `jo` and `kim` are of `acme.example`, `stray` is not.

    Its ID tokens have no address: that is in userinfo.
    """

    def rotate_keys(self) -> None:
        """Have it sign with a new key."""
        assert httpx.post(f"{self.issuer}/api/keys/rotate", timeout=30).json()["success"]


@pytest.fixture(scope="session")
def nanoidp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NanoIDP]:
    """Return one for the whole session, which all tests share."""
    folder = tmp_path_factory.mktemp("nanoidp")
    port = free_port()
    issuer = f"http://localhost:{port}"
    settings = {
        "config_version": 1,
        "server": {"host": "127.0.0.1", "port": port},
        "oauth": {
            "issuer": issuer,
            "audience": "nobody",
            "clients": [{"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}],
        },
        "saml": {
            "default_acs_url": "https://app.example.com/auth/sso/none/acs",
            "export_groups": True,
            "groups_attr_name": "groups",
        },
        "authority_prefixes": {"groups": ""},
        "jwt": {"keys_dir": str(folder / "keys")},
    }
    users = {name: {"password": PASSWORD, **who} for name, who in PEOPLE.items()}
    (folder / "keys").mkdir()
    # JSON is YAML.
    (folder / "settings.yaml").write_text(json.dumps(settings))
    (folder / "users.yaml").write_text(json.dumps({"config_version": 1, "users": users}))
    command = [sys.executable, "-m", "nanoidp", "--config", str(folder), "--profile", "dev"]
    with running(command, f"{issuer}/api/health"):
        yield NanoIDP(issuer)
