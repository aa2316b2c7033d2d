"""Where the pages of organizations are, below the mount prefix."""

from __future__ import annotations

from typing import Final

ACCOUNT_PATH: Final = "/account/organizations"
CHOOSE_PATH: Final = "/organizations/choose"
INVITATION_PATH: Final = "/organizations/invitation"
API_PATH: Final = "/api/v1/account/organizations"
