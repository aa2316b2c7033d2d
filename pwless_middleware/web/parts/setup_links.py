"""The address of a set-up link, which an operator or a server hands to a customer's administrator.

The database keeps no token: what the address holds is computed from the link's id and the secret
key, so that neither a copy of the database nor an event that names a link opens a set-up.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from pwless_middleware.core.keys.base64url import b64, unb64
from pwless_middleware.core.organizations.organization import SetupLink
from pwless_middleware.web.kit import Kit

SETUP_PATH: Final = "/sso/setup"
"""Where a set-up link leads to, below the mount prefix."""
FIELD: Final = "setup_token"
"""The query's and the form's name for the token."""
ID_PREFIX: Final = "setup_"
"""How the ids of set-up links begin."""
_ID_BYTES: Final = 16


def setup_url(kit: Kit, link: SetupLink) -> str:
    """Return the address that opens a set-up link; whoever has it can open it, once.

    Args:
        kit: of a feature of the product.
        link: which.
    """
    token = kit.keyring.seal("setup_link", _pack(link.id))
    return f"{kit.origin.url}{kit.prefix}{SETUP_PATH}?{urlencode({FIELD: token})}"


def read_setup_token(kit: Kit, token: str) -> str | None:
    """Return the id of the link that a token was made for; `None` if it is none of ours.

    Args:
        kit: of a feature of the product.
        token: as it came; any text.
    """
    opened = kit.keyring.open("setup_link", token, size=_ID_BYTES)
    return None if opened is None else ID_PREFIX + b64(opened.payload)


def _pack(id: str) -> bytes:
    packed = unb64(id.removeprefix(ID_PREFIX))
    if packed is None or len(packed) != _ID_BYTES:
        raise ValueError("not the id of a set-up link")
    return packed
