"""Where the account's pages of second factors stand, below the prefix."""

from __future__ import annotations

from typing import Final

ACCOUNT_PATH: Final = "/account/second-factors"
CONNECT_TOTP_PATH: Final = f"{ACCOUNT_PATH}/totp"
CONNECT_SMS_PATH: Final = f"{ACCOUNT_PATH}/sms"
RECOVERY_CODES_PATH: Final = f"{ACCOUNT_PATH}/recovery-codes"
DEADLINE_PATH: Final = f"{ACCOUNT_PATH}/deadline"
