"""Where the pages of a company's login are, below the mount prefix."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from pwless_middleware.core.paths import SSO_START_PATH

OTHER_WAY_PATH: Final = "/sso/other-way"
"""For who cannot reach their company's login."""
LOGOUT_PATH: Final = "/sso/logout"


def callback_path(connection: str) -> str:
    """Return where the answers of an OpenID provider come to; it knows this address."""
    return f"/sso/{connection}/callback"


def acs_path(connection: str) -> str:
    """Return where the answers of a SAML provider come to (its assertion consumer service)."""
    return f"/sso/{connection}/acs"


def metadata_path(connection: str) -> str:
    """Return where a SAML provider reads who we are; the whole address is our entity id."""
    return f"/sso/{connection}/metadata"


def finish_path(connection: str) -> str:
    """Return where a browser goes on from the answer of a SAML provider, with its cookies."""
    return f"/sso/{connection}/finish"


def test_path(connection: str) -> str:
    """Return where what came of a test of a connection is shown."""
    return f"/sso/{connection}/test"


def start_url(connection: str, *, next: str = "/") -> str:
    """Return where a login by a connection begins, with its query.

    Args:
        connection: its id.
        next: where the login leads; already checked.
    """
    query = {"connection": connection} | ({"next": next} if next != "/" else {})
    return f"{SSO_START_PATH}?{urlencode(query)}"
