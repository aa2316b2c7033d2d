"""The names of the methods, and the paths of the step."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.paths import SECOND_FACTOR_PATH

TOTP: Final = "totp"
SMS: Final = "sms"
RECOVERY_CODE: Final = "recovery_code"
"""The methods, as they stand in a session (`Authentication.method`)."""

STEP_PATH: Final = SECOND_FACTOR_PATH
ENROLLMENT_PATH: Final = f"{SECOND_FACTOR_PATH}/new"
"""The pages of the step, below the prefix: with a factor, and to add the first one."""
